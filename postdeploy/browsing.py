"""The browser's fixtures, rung by rung: launch, browser, context, page; each can be overridden in a conftest.

`guest` and `client` are what journeys use; the rungs below are there for whoever needs something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.environment import Deposit, Environment, Shop
from postdeploy.fixtures import Judges
from postdeploy.outcome import Outcome
from postdeploy.run import Run
from postdeploy.verdict import Held, NotApplicable, Unverified, Verdict

if TYPE_CHECKING:
    from postdeploy.broker.visitor import Visitor
    from postdeploy.browser.client import Client
    from postdeploy.browser.kinds import Browser, BrowserContext, Page
    from postdeploy.browser.purse import Purse
    from postdeploy.browser.watching import Watched

PATIENCE_S = 15.0
REHEARSAL_PATIENCE_S = 10.0
"""Longest wait for one thing in a page: a rehearsal answers at once, on a machine that may be busy."""
SMOKE = ("smoke.",)
SIGNED_IN = "journeys.signin.opened"
WELL = (Verdict.PASSED, Verdict.DEGRADED, Verdict.FLAKY)


class Visits:
    """What the journeys of a run have in common."""

    def __init__(self) -> None:
        from postdeploy.browser.experience import Experience

        self.experience = Experience()
        self.watched: list[Watched] = []
        """Every journey so far."""
        self.left: dict[str, Any] = {}
        """Browser state by the check that left it behind."""


@pytest.fixture(scope="session")
def visits() -> Visits:
    """What the journeys of this run have seen so far."""
    return Visits()


@pytest.fixture
def watch(run: Run, outcome: Outcome, visits: Visits) -> Judges:
    """Claims about all that the browser told at a shop: `watch.errors(shop)`, `.console(shop)` … Judged last."""
    from postdeploy.browser.watch_claims import WatchClaims

    patience = run.environment.journeys.vitals.rehearsal_factor if run.acting.standin else 1.0
    return Judges(WatchClaims(run.environment, visits.watched, run.today, visits.experience, patience), outcome)


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
def browser(run: Run, browser_launch_args: dict[str, Any], pytestconfig: pytest.Config) -> Iterator[Browser]:
    """The one browser of this run. Unverified, with the line that installs one, where there is none."""
    from postdeploy.browser.launching import Launcher

    if run.replayed:
        raise Unverified("a replay has no browser")
    with Launcher(pytestconfig.getoption("postdeploy_browser_ws")) as launcher:
        launched = launcher.launch(browser_launch_args)
        run.event("browser", found=str(launcher.found), version=launched.version)
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
def context(run: Run, browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[BrowserContext]:
    """A browser context of this test alone: no cookie, nothing remembered."""
    from postdeploy.browser.kinds import be_patient

    patience = REHEARSAL_PATIENCE_S if run.acting.standin else PATIENCE_S
    made = browser.new_context(**browser_context_args)
    be_patient(made, min(patience, max(run.deadline.left(), 0.001)))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page in this test's context."""
    return context.new_page()


@pytest.fixture
def guest(client_of: Callable[..., Client]) -> Client:
    """A client who is not signed in. No trace is recorded: a password may be typed."""
    return client_of()


@pytest.fixture
def client(run: Run, client_of: Callable[..., Client], shop: Shop, environment: Environment) -> Client:
    """A client who is signed in with the run's one session, without typing. Held when the login failed."""
    token, declared = run.acting.desk.session().token, environment.journeys
    run.redactor.learn(token)
    name, _, value = (declared.consent_cookie or "").partition("=")
    cookies = {declared.session_cookie: token.get_secret_value()} | ({name: value} if name else {})
    known = {"url": f"https://{shop.brand.host}", "secure": True, "sameSite": "Lax"}
    made = client_of(cookies=[{"name": name, "value": value, **known} for name, value in cookies.items()])
    made.watched.stays = f"/{shop.locale}/login"
    return made


@pytest.fixture
def pay(run: Run, client: Client, purse: Purse, environment: Environment) -> Callable[[Deposit], Any]:
    """Lets one deposit leave a page: guarded, journalled, under our key, and undone without anybody asking for it.

    `with pay(deposit): page.deposit(deposit)`. Whatever else a page tries to deposit does not leave the browser.
    """
    from postdeploy.browser.purse import Slip

    declared = environment.journeys.deposit

    @contextmanager
    def pay(deposit: Deposit) -> Iterator[None]:
        desk, known = run.acting.desk, (deposit.mode or environment.business.spending.mode) == "intent"
        if red := run.acting.red(SMOKE):
            raise Held(red)
        with desk.page_deposit(deposit) as operation:
            headers = {declared.key_header: operation.key, declared.tag_header: operation.tag}
            headers |= {declared.capture_header: "no"} if known else {}
            purse.slip = Slip(deposit, headers, lambda: desk.sent_by_page(operation))
            try:
                yield
                client.page.wait_for_load_state()
            finally:
                purse.slip = None

    return pay


@pytest.fixture
def receipt(run: Run, deposit: Deposit) -> str:
    """The product's id of what was deposited in the page by this method. Held when nothing was."""
    return run.acting.desk.page_deposit_id(deposit)


@pytest.fixture
def symbol(environment: Environment) -> str:
    """An instrument that must be offered here."""
    return environment.api.instruments[0]


@pytest.fixture
def market_is_open(run: Run, symbol: str) -> bool:
    """Whether that instrument trades at this moment, as the API says."""
    return run.acting.desk.is_trading(symbol)


@pytest.fixture
def risk_warning(environment: Environment, shop: Shop) -> str:
    """The prescribed warning in the shop's language, with the environment's own percentage."""
    warning = environment.web.warning(shop.locale)
    if not warning:
        raise NotApplicable("no risk warning is prescribed here")
    return warning


@pytest.fixture
def leaver(client_of: Callable[..., Client], visits: Visits) -> Client:
    """The client who signed in by typing, still signed in. Held when that did not succeed."""
    if SIGNED_IN not in visits.left:
        raise Held(SIGNED_IN)
    return client_of(cookies=visits.left[SIGNED_IN])


@pytest.fixture
def visitor(run: Run) -> Visitor:
    """The account that signs in by typing: `visitor.login`, `visitor.password()` and `visitor.code()`, once each."""
    return run.acting.desk.visitor


@pytest.fixture
def purse(environment: Environment) -> Purse:
    """Stands between the pages and the product's money; `pay` is how it is opened."""
    from postdeploy.browser.purse import Purse

    return Purse(environment.journeys.deposit)


@pytest.fixture
def client_of(
    request: pytest.FixtureRequest, run: Run, outcome: Outcome, visits: Visits, shop: Shop, page: Page, purse: Purse
) -> Iterator[Callable[..., Client]]:
    """Makes the test's client, watches it, and keeps the evidence of whatever phase goes wrong."""
    from postdeploy.browser.album import Album
    from postdeploy.browser.client import Client
    from postdeploy.browser.watching import Watched

    title = (request.function.__doc__ or request.node.name).strip().partition("\n")[0]
    watched = Watched(title, shop.name, frozenset(run.environment.hosts), experience=visits.experience)
    visits.watched.append(watched)
    watched.watch(page.context)
    album = Album(run.redactor, watched)
    outcome.endings.append(lambda: run.said.extend(album.end(bad=outcome.verdict not in WELL)))

    def client_of(cookies: Any = ()) -> Client:
        if cookies:
            purse.watch(page.context)  # who is not signed in cannot deposit, and pays for no interception
            page.context.add_cookies(cookies)
            album.begin_trace(page.context)
        return Client(page, shop, album, watched)

    yield client_of
    if outcome.verdict in WELL:
        visits.left[outcome.check_id] = page.context.cookies()
        name = run.environment.journeys.session_cookie
        run.redactor.learn(*(each["value"] for each in page.context.cookies() if each["name"] == name))
    run.said.extend(purse.refused)
    album.close(page.context, page, bad=outcome.verdict not in WELL)
