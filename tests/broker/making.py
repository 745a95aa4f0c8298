"""Literal answers and journals for the rules to judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from postdeploy.broker.guard import Plan, Proven, Rules
from postdeploy.broker.keys import Origin
from postdeploy.broker.looks import Seen
from postdeploy.broker.models_money import Deposit as Paid
from postdeploy.broker.money import Money
from postdeploy.broker.recording import Exchange, Recording, Sight
from postdeploy.broker.undo.journal import Journal, Purpose
from postdeploy.broker.undo.store import Store
from postdeploy.environment import Deposit, Limits

AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
HOST = "api.alpha.example"
PURPOSE = Purpose("smoke.deposit", "card")


class Clock:
    """A clock that a test turns."""

    def __init__(self, now: float = AT.timestamp()) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def answer(response: Any = None, status: int = 200, path: str = "/x", **how: Any) -> Exchange:
    """One exchange, answered with JSON unless it is text."""
    known = {"at": AT, "duration_s": 0.1, "method": "GET", "path": path, "authorised": True}
    return Exchange(**known, status=status, is_json=not isinstance(response, str), response=response, **how)


def seen(facts: dict[str, Any] | None = None, **steps: Exchange | list[Exchange]) -> Seen:
    """A sight of these exchanges; `by_key` is the step called `by key`."""
    recording, places = Recording(), {}
    for name, found in steps.items():
        for each in found if isinstance(found, list) else [found]:
            places.setdefault(name.replace("_", " "), []).append(len(recording.exchanges))
            recording.exchanges.append(each)
    return Seen(recording, Sight(steps=places, facts=facts or {}))


def rules(call: str = "10", run: str = "20", day: str = "40", currency: str = "GBP", amount: str = "10") -> Rules:
    """An environment with one account, one method and one currency."""
    deposit = Deposit(method="card", currency=currency, amount=amount)
    limits = {currency: Limits(call=call, run=run, day=day)}
    return Rules(limits, frozenset({"SYN-1"}), frozenset({"us"}), {"card": deposit}, {"card": "sandbox"})


def plan(amount: str = "10", currency: str = "GBP", posts: int = 1, **how: Any) -> Plan:
    """A plan the guard agrees to."""
    known = {"account": "SYN-1", "method": "card", "beneficiary": "us", "mode": "sandbox"} | how
    return Plan(money=Money(Decimal(amount), currency), posts=posts, **known)


PROVEN = Proven("SYN-1", "sandbox")


def journal(folder: Path, run_id: str = "run-1", pipeline: str = "p", clock: Any = None) -> Journal:
    """A journal in a folder."""
    origin = Origin(pipeline, "alpha", "v1", run_id)
    return Journal(Store(str(folder)), origin, clock or Clock())


def paid(key: str, state: str = "settled", ident: str = "pay_1", amount: str = "10.00", **how: Any) -> Paid:
    """A deposit as the product tells of it."""
    known: dict[str, Any] = {"id": ident, "key": key, "tag": "postdeploy:alpha", "method": "card", "fee": "0.00"}
    known |= {"amount": amount, "currency": "GBP", "beneficiary": "us", "state": state, "refunds": ()}
    return Paid(**(known | {"created": AT - timedelta(minutes=1)} | how))


def said(deposit: Paid) -> dict[str, Any]:
    """The same as JSON."""
    return deposit.model_dump(mode="json")
