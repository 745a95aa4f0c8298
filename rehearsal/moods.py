"""How the brokerage's API behaves; a fault or a trap changes it, the defaults are a healthy product."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

DATED = "dated"
"""Marks a response whose Date is its own, and not the brokerage's clock."""
Trouble = Literal["", "500 before", "500 after", "silence before", "silence after", "late"]
"""What befalls a request that moves money, and whether before or after the money has moved; late: it is not answered,
and the money moves when nobody waits any more."""


@dataclass
class MoneyMood:
    """How deposits, refunds and balances go."""

    settles_s: float = 0.15
    """From a deposit to its money, seconds; infinity: never within anybody's patience."""
    refunds_s: float = 0.05
    """From a refund to the money's leaving."""
    steps: tuple[str, ...] = ()
    """States that a deposit passes on its way, evenly in time."""
    credits: int = 1
    """How often a settled deposit is posted to the ledger."""
    credited_in: str = ""
    """Another currency that deposits are credited in."""
    ignores_keys: bool = False
    """Whether a request repeated under its idempotency key is carried out again."""
    refuses: bool = False
    """Whether deposits are refused."""
    fails: bool = False
    """Whether deposits are accepted, and fail on their way."""
    refuses_refunds: bool = False
    deposit: Trouble = ""
    """What befalls every deposit."""
    refund: Trouble = ""
    """What befalls every refund."""
    first_only: bool = False
    """Whether it befalls only the first request under each key."""
    late_s: float = 0.6
    """How long a late request is under way."""
    off_by: int = 0
    """How many coins the balance's total is off."""
    extra_fee: int = 0
    """Coins that are taken for no declared reason."""
    fee_apart: bool = False
    """Whether a method's fee is posted as an entry of its own."""
    withdrawn: set[str] = field(default_factory=set)
    """Methods that are not offered any more."""
    stranger: str = ""
    """Another beneficiary that the methods name."""
    cancels: bool = True
    """Whether an announced deposit can be cancelled."""


@dataclass
class MarketMood:
    """What is listed, and what prices do."""

    hidden: set[str] = field(default_factory=set)
    """Symbols that are not offered any more."""
    untradable: set[str] = field(default_factory=set)
    """Symbols that are listed and cannot be traded."""
    also: list[dict[str, object]] = field(default_factory=list)
    """Entries that are listed besides."""
    thin: bool = False
    """Whether only the declared instruments are left."""
    age_s: float = 0.4
    """Age of every price."""
    crossed: set[str] = field(default_factory=set)
    """Symbols whose bid is above their ask."""
    unpriced: set[str] = field(default_factory=set)
    """Symbols without a price."""
    closed: bool = False
    """Whether the markets are closed today, as the calendar says."""
    suspended: set[str] = field(default_factory=set)
    """Symbols suspended from trading, with their last price."""
    previews: bool = True
    """Whether orders can be previewed."""
    books_previews: bool = False
    """Whether a preview becomes an order."""


@dataclass
class ApiSettings:
    """How the API v1 behaves; a fault changes it."""

    login_refused: bool = False
    """Whether right credentials are refused (a broken session store)."""
    anonymous_instruments: bool = False
    """Whether the instruments are shown to whoever asks (a dropped permission class)."""
    empty_token: bool = False
    """Whether a login succeeds and its token is empty."""
    one_factor: bool = False
    """Whether the password alone opens a session."""
    ahead_s: float = 0.0
    """How far this brokerage's clock is ahead of everybody else's."""
    refresh_refused: bool = False
    logout_keeps: bool = False
    """Whether a session lives on after its logout."""
    real_accounts: bool = False
    """Whether the accounts are not marked synthetic."""
    other_id: bool = False
    """Whether the account is another one than was agreed."""
    routed_live: bool = False
    """Whether payments of the accounts go to the real PSP."""
    renamed: bool = False
    """Whether a field of the profile got another name."""
    extended: bool = False
    """Whether the profile got another field."""
    open_accounts: bool = False
    """Whether a client can read another's account."""
    lost_documents: set[str] = field(default_factory=set)
    """Kinds of documents that are listed and do not load."""
    empty_statements: bool = False
    money: MoneyMood = field(default_factory=MoneyMood)
    market: MarketMood = field(default_factory=MarketMood)
