"""One deposit, from the offer to its entry in the ledger. Each step is in the journal, on disk, before it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from postdeploy.broker import models, paths
from postdeploy.broker.claims_money import HOPELESS, offer_of
from postdeploy.broker.guard import Plan, Proven, Rules
from postdeploy.broker.judging import described, is_refusal
from postdeploy.broker.line import Reply
from postdeploy.broker.looks import Look, Seen
from postdeploy.broker.models_money import Deposit as Paid
from postdeploy.broker.models_money import Methods
from postdeploy.broker.money import Money
from postdeploy.broker.till import Silent, Till
from postdeploy.broker.undo.journal import Journal, Purpose
from postdeploy.broker.undo.operations import Operation
from postdeploy.deadline import Deadline
from postdeploy.environment import Deposit
from postdeploy.polling import poll
from postdeploy.verdict import Unverified

PAGE_CHECK = "journeys.deposit"
"""The same for deposits that are made through a page of the web client."""
CHECK = "smoke.deposit"
"""What the keys are derived for: all claims about a deposit are about the same one."""


@dataclass
class Teller:
    """Makes deposits with the trader's account; undoing them is somebody else's part."""

    till: Till
    journal: Journal
    rules: Rules
    every_s: float
    """Pause between two looks at a deposit."""
    reserve_s: float
    """Time that is kept back for undoing."""
    within_s: float | None = None
    """Longest wait for an end state, where it is another than the method's own."""

    def deposit(self, declared: Deposit, proven: Proven | None, look: Look) -> None:
        """Make one deposit, ask for it a second time under its key, and follow it to its end state.

        Raises Unverified where the guard, the journal or the time does not allow it, Silent where the product does not
        say what was spent already; nothing was sent then.
        """
        intended = self._intend(declared, proven, look, CHECK, posts=2)
        if intended is None:
            return
        operation, plan = intended
        operation = self._ask("deposit", operation, plan, look)
        if not operation.payments:
            return
        operation = self._ask("repeat", operation, plan, look)
        self._follow(declared, operation, look)

    def intend_in_page(self, declared: Deposit, proven: Proven | None, look: Look) -> Operation | None:
        """Write the intent of a deposit that a page will ask for, once; None where it is not offered as declared.

        Raises as `deposit` does; the page must not be let through then.
        """
        intended = self._intend(declared, proven, look, PAGE_CHECK, posts=1)
        return intended[0] if intended else None

    def follow_page(self, declared: Deposit, operation: Operation, look: Look) -> None:
        """Look up what came of a page's request, and follow it to its end state. Raises Silent."""
        operation = self.journal.one(operation.key)
        if operation.never_left:
            return
        found = self.till.of(operation, look.made)
        look.facts["found"] = [each.id for each in found]
        if found:
            self.journal.note(operation, "confirmed", payments=[each.id for each in found])
            look.facts["states"].append(found[0].state)
            self._follow(declared, self.journal.one(operation.key), look)

    def _intend(
        self, declared: Deposit, proven: Proven | None, look: Look, check: str, *, posts: int
    ) -> tuple[Operation, Plan] | None:
        """Offer, guard and journal, in this order; nothing has been asked for by then."""
        line = self.till.client.line
        if line.deadline.left() <= self.reserve_s:
            raise Unverified(f"less than {self.reserve_s:g} s of the run's time are left, which are kept for undoing")
        beneficiary = self._offer(declared, look)
        if beneficiary is None:
            return None
        product = self.till.all(look.made)
        look.made("balances", self.till.client.get(paths.BALANCES))
        mode = self.rules.modes[declared.method]
        money = Money(declared.amount, declared.currency)
        plan = Plan(self.till.client.account.id, declared.method, money, beneficiary, mode, posts)
        operation = self.journal.intend(plan, Purpose(check, declared.method), proven, self.rules, product)
        look.facts |= {"key": operation.key, "states": []}
        return operation, plan

    def wanted(self, declared: Deposit) -> str:
        """The end state: what is only announced stays pending."""
        return "pending" if self.rules.modes[declared.method] == "intent" else declared.ends

    def _offer(self, declared: Deposit, look: Look) -> str | None:
        """Who receives a deposit by this method, as the product says; None where its offer is not as declared."""
        look.made("methods", self.till.client.get(paths.METHODS))
        seen = Seen(self.till.client.line.recording, look.sight())
        if wrong := offer_of(declared, seen):
            look.facts["offer"] = wrong
            return None
        methods, _ = models.read(Methods, seen.last("methods").response)
        offers = methods.methods if methods else ()
        return next(each.beneficiary for each in offers if each.method == declared.method)

    def _ask(self, name: str, operation: Operation, plan: Plan, look: Look) -> Operation:
        """Ask once, and write down what is known then: an answer, a refusal, or nothing."""
        operation = self.journal.note(operation, "sent" if name == "deposit" else "repeated")
        reply = look.made(name, self.till.deposit(operation, capture=plan.mode != "intent"))
        paid, _ = models.read(Paid, reply.said)
        if reply.kept.status in (200, 201) and paid is not None:
            if name == "deposit":
                look.facts["states"].append(paid.state)
            return self.journal.note(operation, "confirmed", payments=[paid.id])
        if is_refusal(reply.kept) or not _left(reply):
            return self.journal.note(operation, "refused", answer=described(reply.kept))
        self._reconcile(operation, look)
        return operation

    def _reconcile(self, operation: Operation, look: Look) -> None:
        """No answer, or none that can be read: ask what came of it, and never for it again."""
        try:
            found = self.till.of(operation, look.made)
        except Silent as error:
            look.facts["found"] = ""
            look.facts["silent"] = str(error)
        else:
            look.facts["found"] = ", ".join(f"{each.id}, {each.state}" for each in found)

    def _follow(self, declared: Deposit, operation: Operation, look: Look) -> None:
        """Look until its end state, then at what the ledger and the balance say."""
        states, client = look.facts["states"], self.till.client
        within = min(self.within_s or declared.within_s, max(client.line.deadline.left() - self.reserve_s, 0.0))
        deadline, wanted = Deadline(within), self.wanted(declared)

        def state() -> str:
            try:
                seen = self.till.one(operation.payments[0], look.made).state
            except Silent:
                seen = "unreadable"
            if states[-1] != seen:
                states.append(seen)
            return seen

        ended: Callable[[str], bool] = lambda seen: seen in (wanted, "settled")  # noqa: E731
        if not ended(states[-1]):
            hopeless: Callable[[str], bool] = lambda seen: seen in HOPELESS  # noqa: E731
            every = min(self.every_s, within or self.every_s)
            poll(state, until=ended, hopeless=hopeless, deadline=deadline, every_s=every, sleep=client.line.rest)
        look.facts["waited_s"] = round(deadline.spent(), 3)
        look.made("ledger", client.get(paths.LEDGER, payment=operation.payments[0]))
        look.made("by key", client.get(paths.DEPOSITS, key=operation.key))
        look.made("balances", client.get(paths.BALANCES))


def _left(reply: Reply) -> bool:
    """Whether anything was sent at all."""
    return reply.kept.fault is None or reply.kept.is_unclear
