"""What journeys are written with: a client of a shop, and what a client has; each made ready to be acted with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.browsing import WELL, Visits
from postdeploy.environment import Deposit, Environment, Shop
from postdeploy.fixtures import Judges
from postdeploy.outcome import Outcome
from postdeploy.run import Run
from postdeploy.verdict import Held, NotApplicable

if TYPE_CHECKING:
    from postdeploy.broker.visitor import Visitor
    from postdeploy.browser.album import Album
    from postdeploy.browser.client import Client
    from postdeploy.browser.kinds import Page
    from postdeploy.browser.purse import Purse

SMOKE = ("smoke.",)
SIGNED_IN = "journeys.signin.opened"


@pytest.fixture
def watch(run: Run, outcome: Outcome, visits: Visits) -> Judges:
    """Claims about all that the browser told at a shop: `watch.errors(shop)`, `.console(shop)` … Judged last."""
    from postdeploy.browser.watch_claims import WatchClaims

    patience = run.environment.journeys.vitals.rehearsal_factor if run.acting.standin else 1.0
    return Judges(WatchClaims(run.environment, visits.watched, run.today, visits.experience, patience), outcome)


@pytest.fixture
def guest(client_of: Callable[..., Client]) -> Client:
    """A client who is not signed in. Where the test asks for `visitor`, no trace and no video are recorded."""
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
    run: Run, outcome: Outcome, visits: Visits, shop: Shop, album: Album, page: Page, purse: Purse
) -> Iterator[Callable[..., Client]]:
    """Makes the test's client, signed in where cookies are given; what it came to is there for later tests."""
    from postdeploy.browser.client import Client

    def client_of(cookies: Any = ()) -> Client:
        if cookies:
            purse.watch(page.context)  # who is not signed in cannot deposit, and pays for no interception
            with album.off_the_record():
                page.context.add_cookies(cookies)
        return Client(page, shop, album, album.watched)

    with album.of(page.context):
        yield client_of
        cookies, name = page.context.cookies(), run.environment.journeys.session_cookie
        run.redactor.learn(*(each["value"] for each in cookies if each["name"] == name))
        if outcome.verdict in WELL:
            visits.left[outcome.check_id] = cookies
        run.said.extend(purse.refused)
