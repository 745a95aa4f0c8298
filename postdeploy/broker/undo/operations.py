"""One deposit from its intent to its undoing, as the journal's rows tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from postdeploy.broker.money import Money

Event = Literal[
    "intent", "found", "sent", "repeated", "confirmed", "refused", "undoing", "denied", "undone", "void", "residue"
]
"""intent: will be sent · found: met in the product without a journal · sent, repeated: a request leaves now ·
confirmed, refused: answered · undoing: its undoing leaves now · denied: that was refused · undone, void: nothing of it
is left, or never arrived · residue: could not be undone so far."""
CLOSED = ("undone", "void")


class Operation(msgspec.Struct, kw_only=True):
    """One deposit under one key."""

    key: str
    environment: str
    state: Event
    account: str
    """The product's id of it."""
    coins: int
    currency: str
    method: str
    check: str = ""
    beneficiary: str = ""
    epoch: int = 0
    pipeline: str = ""
    release: str = ""
    run_id: str = ""
    tag: str = ""
    since: float = 0.0
    """When it was intended, seconds since 1970."""
    sent_at: float = 0.0
    """When its last request left; 0: none did."""
    answered: bool = False
    """Whether the last request was answered, so that none is on its way any more."""
    payments: tuple[str, ...] = ()
    """The product's ids of what came of it."""
    undoing_at: float = 0.0
    """When the last request to undo it left and was not answered; 0: none is on its way."""
    undoing: str = ""
    """Which of its payments that request was about."""
    denials: int = 0
    """How often its undoing was refused."""
    cycles: int = 0
    """How often it was done and wholly undone."""
    residue: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something of it may be left."""
        return self.state not in CLOSED

    @property
    def money(self) -> Money:
        """What it is about."""
        return Money.of_coins(self.coins, self.currency)

    @property
    def never_left(self) -> bool:
        """Whether no request ever left for it, which is certain: each is written down before it leaves."""
        return not self.sent_at and not self.payments

    def row(self, command: str) -> dict[str, Any]:
        """What `postdeploy journal --json` lists."""
        since = datetime.fromtimestamp(self.since, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        known = {name: getattr(self, name) for name in ("key", "environment", "state", "account", "currency", "method")}
        told: dict[str, Any] = known | {"amount": self.money.plain, "since": since, "payments": list(self.payments)}
        told |= {name: getattr(self, name) for name in ("check", "run_id", "tag", "residue")}
        return told | {"command": command}


def fold(rows: Iterable[Mapping[str, Any]]) -> dict[str, Operation]:
    """Every operation of the journal by key, in the order of their first rows."""
    found: dict[str, Operation] = {}
    for each in rows:
        known = found.get(each["key"])
        if known is None:
            found[each["key"]] = known = _begun(each)
        _next(known, each["event"], each["at"], each["detail"] or {}, each["run_id"])
    return found


def _begun(row: Mapping[str, Any]) -> Operation:
    return Operation(
        **{name: row[name] for name in ("key", "environment", "account", "coins", "currency", "method")},
        state=row["event"],
        since=row["at"],
    )


def _next(known: Operation, event: Event, at: float, detail: Mapping[str, Any], run_id: str) -> None:
    known.state = event
    known.payments = tuple(dict.fromkeys([*known.payments, *detail.get("payments", ())]))
    if event in ("intent", "found"):
        _begin(known, event, at, detail, run_id)
    elif event in ("undoing", "denied", "undone", "void", "residue"):
        _end(known, event, at, detail)
    else:
        known.answered = event in ("confirmed", "refused")
        known.sent_at = known.sent_at if known.answered else at


def _begin(known: Operation, event: Event, at: float, detail: Mapping[str, Any], run_id: str) -> None:
    known.tag = detail.get("tag", known.tag)
    if event == "found":
        known.answered = True
        return
    known.since, known.run_id, known.sent_at, known.answered = at, run_id, 0.0, False
    for name in ("check", "epoch", "pipeline", "release", "beneficiary"):
        setattr(known, name, detail.get(name, getattr(known, name)))


def _end(known: Operation, event: Event, at: float, detail: Mapping[str, Any]) -> None:
    if event == "undoing":
        known.undoing_at, known.undoing = at, str(detail.get("payment", ""))
        return
    known.residue = str(detail.get("why", "")) if event == "residue" else known.residue if event == "denied" else ""
    if event in ("denied", "undone"):
        known.undoing_at = 0.0
    known.denials += event == "denied"
    known.cycles += event == "undone"


def reserved(
    rows: Iterable[Mapping[str, Any]], currency: str, *, since: float, run_id: str | None = None
) -> dict[str, Money]:
    """By key what may have been spent since then (by one run): every request counts as spent, whatever came of it.

    An intent counts for the requests it announced. It is given back only where no request ever left. A request whose
    intent is older than that counts by itself.
    """
    intended: dict[str, int] = {}
    pending: dict[str, int] = {}
    left: dict[str, int] = {}
    for each in rows:
        key, event = each["key"], each["event"]
        if each["currency"] != currency or each["at"] < since or (run_id is not None and each["run_id"] != run_id):
            continue
        if event == "intent":
            pending[key] = each["coins"] * int((each["detail"] or {}).get("posts", 1))
            intended[key] = intended.get(key, 0) + pending[key]
        elif event == "found":
            left.setdefault(key, each["coins"])
        elif event in ("sent", "repeated"):
            left[key] = left.get(key, 0) + each["coins"]
            pending.pop(key, None)
        elif event == "void":
            intended[key] = intended.get(key, 0) - pending.pop(key, 0)
    coins = {key: max(intended.get(key, 0), left.get(key, 0)) for key in intended.keys() | left.keys()}
    return {key: Money.of_coins(each, currency) for key, each in coins.items() if each}
