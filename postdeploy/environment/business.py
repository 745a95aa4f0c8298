"""What a client of this jurisdiction can do, and what our own accounts may spend on proving it."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from postdeploy.environment.forms import Ceiling, Count, Currency, Flag, FrozenBy, Host, Model, Name, Seconds, Text

ROLES = ("trader", "other", "visitor")


class Account(Model):
    """One synthetic account: nobody's money, nobody's data."""

    login: Text
    """Name it logs in with."""
    id: Text
    """Its id in the product: only an account that is called so by the product itself may act."""


class Accounts(Model):
    """The synthetic accounts of one environment, each with one purpose."""

    trader: Account
    """Does business; one session, shared by all that need it."""
    other: Account
    """A second client: what it owns the trader must not see; its session is ended on purpose."""
    visitor: Account
    """Logs in through the browser only."""

    def __iter__(self) -> Iterator[tuple[str, Account]]:  # type: ignore[override]
        return iter((role, getattr(self, role)) for role in ROLES)


class Api(Model):
    """The brokerage's public API."""

    host: Host
    """Public host name of the API."""
    accounts: Accounts
    """The synthetic accounts, by role: the allow-list of what may act here."""
    instruments: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Symbols a client of this jurisdiction must be offered."""

    @property
    def account(self) -> str:
        """Login name of the account that does business."""
        return self.accounts.trader.login


class Limits(Model):
    """The most that may be spent in one currency; 0 closes the checks that spend it."""

    call: Ceiling
    """In one request, quoted."""
    run: Ceiling
    """In one run, quoted."""
    day: Ceiling
    """In any 24 hours, by all runs together, quoted."""


class Spending(Model):
    """How money is moved to prove that it can be, and how much of it at most."""

    mode: Literal["intent", "sandbox", "penny"] = "sandbox"
    """In the order of preference: an intent that is cancelled, an account routed to the PSP's sandbox, a penny."""
    consent: Text | None = None
    """Reference of the PSP's and treasury's written consent, without which no penny moves."""
    ceilings: FrozenBy[Currency, Limits] = Field(default_factory=lambda: MappingProxyType({}))
    """By currency; a currency that is not named is not spent."""
    beneficiaries: tuple[Text, ...] = ()
    """Who may receive a deposit, as the product names them; nobody else may."""
    in_flight_s: Seconds = 60.0
    """How long a request without an answer may still arrive: until then its absence proves nothing."""
    rehearsal_in_flight_s: Seconds = 0.5
    """The same in a rehearsal."""
    reserve_s: Seconds = 60.0
    """Time kept back for undoing, whatever the run has spent."""


class Market(Model):
    """What is traded here, and how fresh prices are."""

    floors: FrozenBy[Name, Count] = Field(default_factory=lambda: MappingProxyType({}))
    """Fewest instruments of each asset class."""
    forbidden: tuple[Name, ...] = ()
    """Products a retail client here must not be offered, such as cfd."""
    fresh_s: Seconds = 5.0
    """Age of a price up to which all is well; older is degraded."""
    stale_s: Seconds = 15.0
    """Age of a price from which the pipeline has failed."""
    around_the_clock: tuple[Name, ...] = ("crypto",)
    """Asset classes that trade at weekends too."""


class Business(Model):
    """What the smoke tier proves."""

    market: Market = Field(default_factory=Market)
    """Instruments and prices."""
    spending: Spending = Field(default_factory=Spending)
    """Deposits and their undoing."""
    preview_orders: Flag = True
    """Whether orders can be previewed."""
    documents: tuple[Text, ...] = ()
    """Kinds of documents every client has, such as terms."""
    statements: Flag = True
    """Whether clients have statements."""
