"""The browser's fixtures, rung by rung: launch, browser, context, page; each can be overridden in a conftest.

What journeys use is a client, in `postdeploy.clients`; these rungs are there for whoever needs something else.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.environment import Environment, Shop
from postdeploy.outcome import Outcome
from postdeploy.run import Run
from postdeploy.verdict import Unverified, Verdict

if TYPE_CHECKING:
    from postdeploy.browser.album import Album
    from postdeploy.browser.kinds import Browser, BrowserContext, Page
    from postdeploy.browser.watching import Watched

PATIENCE_S = 15.0
REHEARSAL_PATIENCE_S = 10.0
"""Longest wait for one thing in a page: a rehearsal answers at once, on a machine that may be busy."""
WELL = (Verdict.PASSED, Verdict.DEGRADED, Verdict.FLAKY)
TYPES = "visitor"
"""The fixture that hands out what is typed."""


class Visits:
    """What the journeys of a run have in common."""

    def __init__(self) -> None:
        from postdeploy.browser.experience import Experience
        from postdeploy.browser.filming import FOREIGN

        self.experience = Experience()
        self.watched: list[Watched] = []
        """Every journey so far."""
        self.left: dict[str, Any] = {}
        """Browser state by the check that left it behind."""
        self.no_film = FOREIGN
        """Why journeys are not filmed; empty where they are."""


@pytest.fixture(scope="session")
def visits() -> Visits:
    """What the journeys of this run have seen so far."""
    return Visits()


@pytest.fixture(scope="session")
def browser_launch_args(run: Run, pytestconfig: pytest.Config) -> dict[str, Any]:
    """How the browser is launched, in Playwright's own terms; override it to add to it."""
    from postdeploy.browser.routes import arguments

    standin = run.acting.standin
    args = arguments(standin.hosts, standin.issuer_pem or standin.ca_pem) if standin else []
    headed = bool(pytestconfig.getoption("postdeploy_headed"))
    slow = pytestconfig.getoption("postdeploy_slow_mo")
    # Chromium's shared memory is small in containers, and a Ctrl-C is ours to handle.
    return {"headless": not headed, "slow_mo": slow, "args": [*args, "--disable-dev-shm-usage"], "handle_sigint": False}


@pytest.fixture(scope="session")
def browser(
    run: Run, visits: Visits, browser_launch_args: dict[str, Any], pytestconfig: pytest.Config
) -> Iterator[Browser]:
    """The one browser of this run. Unverified, with the line that installs one, where there is none."""
    from postdeploy.browser.launching import Launcher

    if run.replayed:
        raise Unverified("a replay has no browser")
    with Launcher(pytestconfig.getoption("postdeploy_browser_ws")) as launcher:
        launched = launcher.launch(browser_launch_args)
        visits.no_film = launcher.why_no_film(launched)
        run.event("browser", found=str(launcher.found), version=launched.version, video=visits.no_film or "on failure")
        try:
            yield launched
        finally:
            launched.close()


@pytest.fixture
def shop(request: pytest.FixtureRequest, environment: Environment) -> Shop:
    """The brand and language a client visits: the environment's first, unless a check is `over` all shops."""
    given = getattr(request.node, "callspec", None)
    return (given.params.get("bilingual") if given else None) or environment.shops[0]


@pytest.fixture
def album(
    request: pytest.FixtureRequest, run: Run, outcome: Outcome, visits: Visits, browser: Browser, shop: Shop
) -> Album:
    """What is seen and kept of this test, whatever phase of it goes wrong; the context's rung fills it."""
    from postdeploy.browser.album import Album
    from postdeploy.browser.watching import Watched

    title = (request.function.__doc__ or request.node.name).strip().partition("\n")[0]
    watched = Watched(title, shop.name, frozenset(run.environment.hosts), experience=visits.experience)
    visits.watched.append(watched)
    made = Album(
        run.redactor,
        watched,
        lambda: outcome.verdict not in WELL,
        typed=TYPES in request.fixturenames,
        no_film=visits.no_film,
    )
    outcome.endings.append(lambda: run.said.extend(made.end()))
    return made


@pytest.fixture
def browser_context_args(run: Run, browser: Browser, shop: Shop) -> dict[str, Any]:
    """What a context is made with: the shop's address, language and time zone; marked as synthetic by its agent."""
    major = browser.version.partition(".")[0]
    agent = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"
    return {
        "base_url": f"https://{shop.brand.host}",
        "locale": shop.locale,
        "timezone_id": run.environment.timezone,
        "user_agent": f"{agent} postdeploy/{version('postdeploy')} (synthetic; {run.record.run_id})",
        "viewport": {"width": 1280, "height": 800},
        "reduced_motion": "reduce",
    }


@pytest.fixture
def longest_journey(run: Run, pytestconfig: pytest.Config) -> float:
    """Seconds after which a journey's pages are ended, whatever it waits for; never while a person is watching."""
    from postdeploy.browser.watchdog import LONGEST_S

    option = pytestconfig.getoption
    if option("postdeploy_headed") or option("usepdb") or option("trace") or os.environ.get("PWDEBUG"):
        return math.inf
    return min(LONGEST_S, max(run.deadline.left(), PATIENCE_S))


@pytest.fixture
def context(
    run: Run,
    outcome: Outcome,
    browser: Browser,
    browser_context_args: dict[str, Any],
    album: Album,
    longest_journey: float,
) -> Iterator[BrowserContext]:
    """A browser context of this test alone, recorded: no cookie, nothing remembered."""
    from postdeploy.browser.kinds import be_patient
    from postdeploy.browser.watchdog import Watchdog

    patience = REHEARSAL_PATIENCE_S if run.acting.standin else PATIENCE_S
    made = browser.new_context(**album.filming | browser_context_args)
    be_patient(made, min(patience, max(run.deadline.left(), 0.001)))
    watchdog = Watchdog(longest_journey)
    try:
        with watchdog, album.of(made):
            yield made
    finally:
        if watchdog.said:
            outcome.note(Verdict.UNVERIFIED, watchdog.said)
        made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page in this test's context."""
    return context.new_page()
