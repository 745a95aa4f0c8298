"""The undo journal of one environment: every step is on disk before it is taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from postdeploy.broker.guard import Plan, Proven, Rules, SpendRefused, Spent, refusal, spent_in_all
from postdeploy.broker.keys import Origin, operation_key
from postdeploy.broker.models_money import Deposit
from postdeploy.broker.money import Money
from postdeploy.broker.undo.operations import CLOSED, Event, Operation, fold, reserved
from postdeploy.broker.undo.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAY_S = 24 * 3600.0
LAST_EPOCH = 10_000


@dataclass(frozen=True)
class Purpose:
    """What a deposit is made for."""

    check: str
    step: str


class Journal:
    """Who wants to act asks here first; what a run left open is found here by the next one."""

    def __init__(self, store: Store, origin: Origin, clock: Callable[[], float] = time.time) -> None:
        self.store, self.origin, self.clock = store, origin, clock
        self._began = clock()

    def __repr__(self) -> str:
        return f"<undo journal of {self.origin.environment} in {self.store.shown}>"

    def intend(
        self,
        plan: Plan,
        purpose: Purpose,
        proven: Proven | None,
        rules: Rules,
        product: Mapping[str, tuple[Deposit, ...]],
    ) -> Operation:
        """Write the intent if the guard agrees, in one transaction, so that no two runs together spend too much.

        `product` is what the product's own ledger knows of the account, by key. Raises SpendRefused, StateUnusable.
        """
        now, origin = self.clock(), self.origin
        with self.store.writing() as connection:
            rows = self._recent(connection, now)
            spent = self._spent(rows, plan.money.currency, now, product)
            if why := refusal(plan, proven, rules, spent):
                raise SpendRefused(f"the spend guard refused {plan.money} by {plan.method}: {why}")
            epoch = self._epoch(connection, purpose, product)
            key = operation_key(origin, purpose.check, purpose.step, epoch)
            detail = {"check": purpose.check, "epoch": epoch, "pipeline": origin.pipeline, "release": origin.release}
            detail |= {"tag": origin.tag, "beneficiary": plan.beneficiary, "posts": plan.posts, "mode": plan.mode}
            row = self._row(key, "intent", plan.account, plan.money, plan.method, now, detail)
            connection.execute(self.store.tables.journal.insert().values(**row))
            return fold([*self.store.rows_within(connection, origin.environment, key=key)])[key]

    def note(self, about: Operation, event: Event, **detail: Any) -> Operation:
        """Write the next step of an operation; returns it as it stands now."""
        at = self.clock()
        row = self._row(about.key, event, about.account, about.money, about.method, at, detail)
        self.store.append(row)
        return self.one(about.key)

    def found(self, deposit: Deposit, account: str) -> Operation:
        """Write down a deposit of ours that was met in the product and is open by no journal."""
        detail = {"payments": [deposit.id], "tag": deposit.tag}
        row = self._row(deposit.key, "found", account, deposit.money, deposit.method, self.clock(), detail)
        self.store.append(row)
        return self.one(deposit.key)

    def one(self, key: str) -> Operation:
        """The operation of a key as it stands. Raises KeyError."""
        return fold(self.store.rows(self.origin.environment, key=key))[key]

    def operations(self) -> dict[str, Operation]:
        """Every operation of this environment by key."""
        return fold(self.store.rows(self.origin.environment))

    def open(self) -> list[Operation]:
        """What may have left something, the latest first: the order in which it is undone."""
        found = fold(self.store.unfinished(self.origin.environment, CLOSED))
        return [each for each in reversed(found.values()) if each.is_open]

    def _recent(self, connection: Connection, now: float) -> list[Mapping[str, Any]]:
        """The rows of the last day, and all of this run's however long it takes."""
        began = min(self._began, now - DAY_S)
        return self.store.rows_within(connection, self.origin.environment, since=began)

    def _spent(
        self, rows: list[Mapping[str, Any]], currency: str, now: float, product: Mapping[str, tuple[Deposit, ...]]
    ) -> Spent:
        run = reserved(rows, currency, since=0.0, run_id=self.origin.run_id)
        day = reserved(rows, currency, since=now - DAY_S)
        seen: dict[str, Money] = {}
        for key, deposits in product.items():
            for each in deposits:
                if each.currency == currency and each.created.timestamp() >= now - DAY_S:
                    seen[key] = seen.get(key, Money.of_coins(0, currency)) + each.money
        return Spent(spent_in_all(run, {}), spent_in_all(day, seen))

    def _epoch(self, connection: Connection, purpose: Purpose, product: Mapping[str, tuple[Deposit, ...]]) -> int:
        """How often this step was done and undone: by the journal, and where that was lost by the product's ledger.

        A key that anything came of is never used for a second deposit.
        """
        for epoch in range(LAST_EPOCH):
            key = operation_key(self.origin, purpose.check, purpose.step, epoch)
            rows = self.store.rows_within(connection, self.origin.environment, key=key)
            operation = fold(rows).get(key)
            used = operation is not None and (operation.cycles or operation.payments or operation.is_open)
            if not used and key not in product:
                return epoch
        raise SpendRefused(f"{purpose.check} was done {LAST_EPOCH} times in this pipeline")

    def _row(
        self, key: str, event: Event, account: str, money: Money, method: str, at: float, detail: Mapping[str, Any]
    ) -> dict[str, Any]:
        told: dict[str, Any] = {"environment": self.origin.environment, "key": key, "event": event, "at": at}
        told |= {"account": account, "currency": money.currency, "coins": money.coins, "method": method}
        return told | {"run_id": self.origin.run_id, "detail": dict(detail)}
