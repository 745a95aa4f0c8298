"""Takes deposits back, one after another: looks first, writes down, asks once, and looks again.

Nothing is asked a second time while the first request may still arrive, and nothing is believed undone before the
product itself says so. What stays is residue: amount, account, key, and the command that settles it by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from postdeploy.broker.api import LoginRefused, Made
from postdeploy.broker.judging import described, is_refusal
from postdeploy.broker.keys import undo_key
from postdeploy.broker.models_money import Deposit
from postdeploy.broker.money import sums
from postdeploy.broker.till import Silent, Till, as_made
from postdeploy.broker.undo.journal import Journal
from postdeploy.broker.undo.operations import Operation
from postdeploy.deadline import Deadline
from postdeploy.verdict import Unverified

ROUNDS = 200
"""Looks at one operation: far more than its time allows."""
CANCELLABLE = ("pending", "processing", "authorised", "announced")
UNBALANCED = "the ledger still has"
LEDGER_LOOKS = 10
"""Looks after which a ledger that does not agree is not merely late."""
DENIALS = 2
"""Refusals in one attempt after which a person has to do it."""


@dataclass
class Undoer:
    """Undoes operations until they are, or until it cannot be done."""

    journal: Journal
    till: Till
    account: str
    """Whose session this is."""
    in_flight_s: float
    every_s: float
    reserve: Callable[[], Deadline]
    """A budget of its own, whatever the run has spent."""
    rest: Callable[[float], None] = time.sleep

    def undo_all(self, operations: Iterable[Operation], deadline: Deadline, made: Made = as_made) -> list[Operation]:
        """Undo them in the order given, all in one budget; those of which something is left."""
        left = []
        for each in operations:
            ended = self.undo(each, deadline, made)
            if ended.is_open:
                left.append(ended)
        return left

    def undo(self, operation: Operation, deadline: Deadline, made: Made = as_made) -> Operation:
        """The operation as it ended: undone, void, or residue."""
        if operation.account != self.account:
            why = f"it is on account {operation.account}, and this environment's trader is {self.account} now"
            return self._residue(operation, why)
        why = "no time was left for it"
        denials = operation.denials
        for look in range(ROUNDS):
            try:
                operation, why, pause = self._round(operation, made)
            except (Silent, Unverified, LoginRefused) as error:
                why, pause = str(error), self.every_s
            if not operation.is_open:
                return operation
            hopeless = operation.denials - denials >= DENIALS or (UNBALANCED in why and look >= LEDGER_LOOKS)
            if hopeless or deadline.left() <= pause:
                break
            self.rest(pause)
        return self._residue(operation, why)

    def _round(self, operation: Operation, made: Made) -> tuple[Operation, str, float]:
        """One look and what follows from it; the operation, what it waits for, and how long."""
        if operation.never_left:
            return self.journal.note(operation, "void", why="no request ever left"), "", 0.0
        found = self.till.of(operation, made)
        if not found:
            return self._unseen(operation)
        if new := [each.id for each in found if each.id not in operation.payments]:
            operation = self.journal.note(operation, "confirmed", payments=new)
        standing = [each for each in reversed(found) if not each.is_done]
        if standing:
            return self._take_back(operation, standing[0], made)
        if self._may_arrive(operation):
            return operation, "a repetition of it may still arrive", self.every_s
        return self._closed(operation, found, made)

    def _closed(self, operation: Operation, found: tuple[Deposit, ...], made: Made) -> tuple[Operation, str, float]:
        """Undone by its state; whether it is, the product's own ledger says."""
        for each in found:
            rest = sums(entry.money for entry in self.till.ledger(each.id, made).entries)
            if rest:
                amounts = ", ".join(f"{amount} {currency}" for currency, amount in rest.items())
                return operation, f"{each.id} is {each.state}, but {UNBALANCED} {amounts} of it", self.every_s
        states = {each.id: each.state for each in found}
        return self.journal.note(operation, "undone", states=states), "", 0.0

    def _unseen(self, operation: Operation) -> tuple[Operation, str, float]:
        """The product knows nothing of it: it never arrived, once it cannot be on its way any more."""
        if operation.payments:
            return operation, f"the product does not know {', '.join(operation.payments)} any more", self.every_s
        if self._may_arrive(operation):
            return operation, "its request was not answered and may still arrive", self.every_s
        return self.journal.note(operation, "void", why="the product knows nothing of it"), "", 0.0

    def _may_arrive(self, operation: Operation) -> bool:
        return not operation.answered and self._is_fresh(operation.sent_at)

    def _is_fresh(self, sent_at: float) -> bool:
        return bool(sent_at) and abs(self.journal.clock() - sent_at) < self.in_flight_s

    def _take_back(self, operation: Operation, deposit: Deposit, made: Made) -> tuple[Operation, str, float]:
        """Ask for its undoing, unless that is under way already."""
        if any(each.state not in ("failed", "rejected", "settled") for each in deposit.refunds):
            return operation, f"its refund is {deposit.refunds[-1].state}", self.every_s
        if deposit.state not in ("settled", *CANCELLABLE):
            return operation, f"it is {deposit.state}", self.every_s
        if operation.undoing == deposit.id and self._is_fresh(operation.undoing_at):
            return operation, "its undoing was not answered and may still arrive", self.every_s
        key = undo_key(operation.key, deposit.id, operation.denials)
        operation = self.journal.note(operation, "undoing", payment=deposit.id, state=deposit.state, undo_key=key)
        reply = made("undo", self.till.take_back(deposit, key)).kept
        if is_refusal(reply):
            return self._denied(operation, deposit, described(reply))
        return (
            operation,
            f"asked to be taken back ({described(reply)})",
            0.0 if reply.status in (200, 201) else self.every_s,
        )

    def _denied(self, operation: Operation, deposit: Deposit, answer: str) -> tuple[Operation, str, float]:
        """A refusal was carried out by nobody, so it may be asked for again, as another request."""
        operation = self.journal.note(operation, "denied", payment=deposit.id, answer=answer)
        return operation, f"the product refuses to take {deposit.id} ({deposit.state}) back: {answer}", self.every_s

    def _residue(self, operation: Operation, why: str) -> Operation:
        if not operation.is_open:
            return operation
        return self.journal.note(operation, "residue", why=why)


def explain(operation: Operation, command: str) -> str:
    """What is left, where, why, and what settles it by hand."""
    paid = f", {', '.join(operation.payments)}" if operation.payments else ""
    return (
        f"residue: {operation.money} by {operation.method} on account {operation.account} (key {operation.key}{paid}) "
        f"is not undone: {operation.residue or operation.state}\n"
        f"where to look: {command.replace('sweep', 'journal', 1)}\n"
        f"to settle: {command}; where the product refuses, have it settled in the back office, "
        f"and sweep again (with --settled {operation.key} --because TICKET where the product cannot show it)"
    )
