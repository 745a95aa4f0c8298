"""What the product itself says of our deposits, and the requests that make and undo them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from postdeploy.broker import models, paths
from postdeploy.broker.api import Client, Made
from postdeploy.broker.judging import described
from postdeploy.broker.line import Reply
from postdeploy.broker.models import M
from postdeploy.broker.models_money import Deposit, Deposits, Ledger
from postdeploy.broker.undo.operations import Operation

LOOKBACK = timedelta(days=35)
"""How far back the product is asked for what we left; the journal has no such end."""
PAGES = 200


class Silent(Exception):
    """The product did not say what it was asked: nothing is known of the money."""


def as_made(name: str, reply: Reply) -> Reply:
    """Nobody keeps count of these replies."""
    return reply


class Till:
    """The trader's deposits."""

    def __init__(self, client: Client, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.client, self.now = client, now

    def all(self, made: Made = as_made) -> Mapping[str, tuple[Deposit, ...]]:
        """Every deposit of the account since the lookback, by key, whoever made it. Raises Silent."""
        since = (self.now() - LOOKBACK).isoformat()
        found: dict[str, tuple[Deposit, ...]] = {}
        after: str | None = "0"
        for _ in range(PAGES):
            reply = made("deposits", self.client.get(paths.DEPOSITS, since=since, after=after or "0"))
            page = _read(Deposits, reply)
            for each in page.deposits:
                found[each.key] = (*found.get(each.key, ()), each)
            after = page.next
            if after is None:
                return found
        raise Silent(f"the list of deposits has no end after {PAGES} pages")

    def of(self, operation: Operation, made: Made = as_made) -> tuple[Deposit, ...]:
        """What the product knows under an operation's key. Raises Silent."""
        return _read(Deposits, made("by key", self.client.get(paths.DEPOSITS, key=operation.key))).deposits

    def one(self, ident: str, made: Made = as_made) -> Deposit:
        """One deposit as it stands. Raises Silent."""
        return _read(Deposit, made("state", self.client.get(paths.deposit(ident))))

    def ledger(self, ident: str, made: Made = as_made) -> Ledger:
        """The ledger's entries about one deposit. Raises Silent."""
        return _read(Ledger, made("ledger", self.client.get(paths.LEDGER, payment=ident)))

    def deposit(self, operation: Operation, *, capture: bool) -> Reply:
        """Ask for the deposit, once."""
        body = {"method": operation.method, "amount": operation.money.plain, "currency": operation.currency}
        body |= {"beneficiary": operation.beneficiary, "tag": operation.tag}
        return self.client.post(paths.DEPOSITS, {**body, "capture": capture}, operation.key)

    def take_back(self, deposit: Deposit, key: str) -> Reply:
        """Ask for what undoes it as it stands: cancel what has not moved, refund what has."""
        act = "refund" if deposit.state == "settled" else "cancel"
        return self.client.post(paths.deposit(deposit.id, act), {"reason": "synthetic test"}, key)


def _read(model: type[M], reply: Reply) -> M:
    if reply.kept.status != 200:
        raise Silent(f"{reply.kept.method} {reply.kept.path}: {described(reply.kept)}")
    read, wrong = models.read(model, reply.said)
    if read is None:
        raise Silent(f"{reply.kept.method} {reply.kept.path}: {wrong}")
    return read
