"""A browser with Playwright's inspector, for whoever writes a journey: it writes down what is clicked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from postdeploy.environment import Environment
from postdeploy.standin import StandinProcess, read_standin
from postdeploy.verdict import Unverified

Say = Callable[[str], None]


def record(environment: Environment, root: Path, say: Say, *, rehearsal: bool, brand: str = "") -> None:
    """Open a brand's front page, and stay until the window is closed. Raises Unverified, StandinFailed, KeyError."""
    from postdeploy.browser.launching import Launcher
    from postdeploy.browser.routes import arguments

    shop = next((each for each in environment.with_all_brands().shops if brand in ("", each.brand.name)), None)
    if shop is None:
        raise KeyError(brand)
    process = StandinProcess.start(environment.name, root=root) if rehearsal else None
    try:
        standin = read_standin(process.ready(), environment.cluster.context) if process else None
        args = arguments(standin.hosts, standin.issuer_pem or standin.ca_pem) if standin else []
        with Launcher() as launcher:
            browser = launcher.launch({"headless": False, "args": args})
            context = browser.new_context(base_url=f"https://{shop.brand.host}", locale=shop.locale)
            page = context.new_page()
            page.goto(f"/{shop.locale}/", wait_until="domcontentloaded")
            say(f"recording at {page.url} in {launcher.found}; close the window to end")
            _stay(page.pause)
    finally:
        if process is not None:
            process.stop()


def _stay(pause: Callable[[], None]) -> None:
    """Until the window is closed, which Playwright calls an error."""
    from postdeploy.browser.troubles import is_playwrights, translated

    try:
        pause()
    except Exception as error:
        if not is_playwrights(error) or not isinstance(translated(error), Unverified):
            raise
