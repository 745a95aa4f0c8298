"""What the brokerage's API says of money, as strict as the rest of it."""

from __future__ import annotations

from pydantic import AwareDatetime

from postdeploy.broker.models import Amount, Model, Text
from postdeploy.broker.money import Money

DONE = ("refunded", "cancelled", "failed", "rejected")
"""States a deposit never leaves, and in which nothing of it is left."""


class Balance(Model):
    """What the account has in one currency."""

    currency: Text
    total: Amount
    available: Amount
    reserved: Amount


class Balances(Model):
    """What the account has."""

    balances: tuple[Balance, ...]


class Entry(Model):
    """One line of the account's ledger."""

    id: Text
    kind: Text
    payment: str | None
    key: str | None
    amount: Amount
    balance: Amount
    """Of the account in that currency, this entry included."""
    currency: Text
    at: AwareDatetime

    @property
    def money(self) -> Money:
        """What it adds to the account."""
        return Money(self.amount, self.currency)


class Ledger(Model):
    """The account's ledger."""

    entries: tuple[Entry, ...]


class Method(Model):
    """A way to deposit."""

    method: Text
    currency: Text
    minimum: Amount
    fee: Amount
    beneficiary: Text


class Methods(Model):
    """The ways to deposit."""

    methods: tuple[Method, ...]


class Refund(Model):
    """Money on its way back."""

    id: Text
    key: str
    amount: Amount
    currency: Text
    state: Text


class Deposit(Model):
    """One deposit, with what became of it."""

    id: Text
    key: Text
    tag: str
    method: Text
    amount: Amount
    currency: Text
    fee: Amount
    beneficiary: str
    state: Text
    created: AwareDatetime
    refunds: tuple[Refund, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left."""
        return self.state in DONE

    @property
    def money(self) -> Money:
        """What was paid."""
        return Money(self.amount, self.currency)


class Deposits(Model):
    """A page of deposits."""

    deposits: tuple[Deposit, ...]
    next: str | None
