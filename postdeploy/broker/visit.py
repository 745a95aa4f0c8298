"""What is asked of a living brokerage, look by look: with leases, guards and the journal behind whatever changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from postdeploy.broker import paths
from postdeploy.broker.api import Client
from postdeploy.broker.claims_identity import SKEW_S, is_synthetic
from postdeploy.broker.clocks import skew_beyond
from postdeploy.broker.guard import Proven
from postdeploy.broker.line import Line
from postdeploy.broker.looks import Look, Seen
from postdeploy.broker.models import Documents, Proof, read
from postdeploy.broker.teller import Teller
from postdeploy.broker.till import Silent
from postdeploy.broker.undo.operations import Operation
from postdeploy.broker.undo.undoing import Undoer, explain
from postdeploy.broker.visitor import Visitor
from postdeploy.deadline import Deadline
from postdeploy.environment import Deposit, Environment
from postdeploy.verdict import Held, State


@dataclass
class Visit:
    """A living brokerage, as our accounts use it in one run."""

    environment: Environment
    line: Line
    trader: Client
    other: Client
    teller: Teller
    undoer: Undoer
    visitor: Visitor
    is_red: Callable[[], str]
    """The check of an earlier tier that is red, if any: nothing is spent on a system that is known to be broken."""
    has_spent: bool = False
    """Whether anything was, or may have been, spent in this run."""
    unclear: str = ""
    """The deposit nobody can say yet what became of: no further money follows it."""
    start: list[int] = field(default_factory=list)
    """The first look at the balances before anything was spent."""

    def strangers(self, look: Look) -> None:
        """Ask for the instruments without a token; the answer also tells the time."""
        from postdeploy.broker.transport import Ask

        look.made("strangers", self.line.send(Ask("GET", paths.INSTRUMENTS)))

    def log_in(self, look: Look, strangers: Seen) -> None:
        """Log the trader in, once the clocks agree: a code by the wrong clock would be a failed login."""
        expect_same_time(strangers)
        self.trader.log_in(look.made)

    def session(self, look: Look, strangers: Seen) -> None:
        """Log the other account in, renew its session, end it, and try what the ended one still opens."""
        expect_same_time(strangers)
        self.other.log_in(look.made)
        if self.other.session is None:
            return
        look.made("refresh", self.other.refresh())
        look.made("renewed", self.other.get(paths.ME))
        look.made("logout", self.other.log_out())
        look.made("afterwards", self.other.get(paths.ME))

    def me(self, look: Look) -> None:
        """Ask the trader's account who it is."""
        look.made("me", self.trader.get(paths.ME))

    def instruments(self, look: Look) -> None:
        """What the trader is offered."""
        look.made("instruments", self.trader.get(paths.INSTRUMENTS))

    def quotes(self, look: Look) -> None:
        """Prices, the calendar, and what they are prices of."""
        look.made("calendar", self.trader.get(paths.CALENDAR))
        look.made("instruments", self.trader.get(paths.INSTRUMENTS))
        look.made("quotes", self.trader.get(paths.QUOTES))

    def balances(self, look: Look) -> None:
        """What the trader has, and where its ledger ends."""
        look.made("balances", self.trader.get(paths.BALANCES))
        look.made("ledger", self.trader.get(paths.LEDGER, last="1"))

    def preview(self, look: Look, symbol: str, quantity: str) -> None:
        """What an order would cost."""
        body = {"symbol": symbol, "side": "buy", "quantity": quantity}
        look.made("preview", self.trader.post(paths.PREVIEW, body, once=False))

    def documents(self, look: Look) -> None:
        """The list of documents, and each kind that must be there."""
        reply = look.made("documents", self.trader.get(paths.DOCUMENTS))
        listed, _ = read(Documents, reply.said)
        for each in listed.documents if listed else ():
            if each.kind in self.environment.business.documents:
                look.made("document", self.trader.get(paths.document(each.id)))

    def statements(self, look: Look) -> None:
        """The list of statements."""
        look.made("statements", self.trader.get(paths.STATEMENTS))

    def isolation(self, look: Look) -> None:
        """The trader asks for its own account and then, by the same path, for the other's."""
        look.made("own", self.trader.get(paths.account(self.trader.account.id)))
        look.made("foreign", self.trader.get(paths.account(self.other.account.id)))

    def sweep(self, look: Look, me: Seen) -> None:
        """Find what earlier runs left, by the journal and by our tag in the product, and undo it, the latest first."""
        self.proven(me)
        journal, till = self.teller.journal, self.teller.till
        self.trader.lease.take()
        try:
            product = till.all(look.made)
        except Silent as error:
            product = {}
            look.facts["silent"] = str(error)
        ours = [each for known in product.values() for each in known if each.tag == journal.origin.tag]
        is_open = {each.key for each in journal.open()}
        for each in ours:
            if not each.is_done and each.key not in is_open:
                journal.found(each, self.trader.account.id)
        waiting = [each for each in journal.open() if each.run_id != journal.origin.run_id or not each.run_id]
        left = self._undo(waiting, look, self.undoer.reserve())
        look.facts["swept"] = [explain_briefly(each) for each in waiting if each.key not in {e.key for e in left}]
        look.residue = "\n".join(explain(each, journal.origin.command) for each in left)

    def deposit(self, look: Look, declared: Deposit, me: Seen) -> None:
        """Make one deposit, guarded and journalled."""
        if red := self.is_red() or self.unclear:
            raise Held(red)
        proven = self.proven(me)
        self.trader.lease.renew()
        self.has_spent = True
        try:
            self.teller.deposit(declared, proven, look)
        except Silent as error:
            look.facts["offer"] = f"what was spent already cannot be read: {error}"
        if "found" in look.facts:
            self.unclear = f"smoke.deposit.accepted[{declared.method}] is unclear"
        self.start = self.start or look.steps.get("balances", [])[:1]

    def begin_page_deposit(self, look: Look, declared: Deposit, me: Seen) -> Operation | None:
        """Guard and journal a deposit that a page will ask for; None where it is not offered as declared."""
        if red := self.is_red() or self.unclear:
            raise Held(red)
        proven = self.proven(me)
        self.trader.lease.renew()
        self.has_spent = True
        operation = self.teller.intend_in_page(declared, proven, look)
        self.start = self.start or look.steps.get("balances", [])[:1]
        return operation

    def sent_by_page(self, operation: Operation) -> None:
        """Write down, before it leaves, that the page's request is on its way."""
        self.teller.journal.note(operation, "sent")

    def end_page_deposit(self, look: Look, declared: Deposit, operation: Operation) -> None:
        """What came of the page's request."""
        try:
            self.teller.follow_page(declared, operation, look)
        except Silent as error:
            look.facts["silent"] = str(error)
        if look.facts.get("found") == [] or "silent" in look.facts:
            self.unclear = f"journeys.deposit.booked[{declared.method}] is unclear"

    def mine(self) -> list[Operation]:
        """What this run has not undone yet, the latest first."""
        journal = self.teller.journal
        return [each for each in journal.open() if each.run_id == journal.origin.run_id]

    def undo(self, operation: Operation, look: Look, budget: Deadline, *, is_last: bool) -> None:
        """Undo one deposit of this run; after the last one the balance must be as before the first."""
        left = self._undo([operation], look, budget)
        ended = left[0] if left else self.teller.journal.one(operation.key)
        look.facts |= {"state": ended.state, "key": ended.key, "told": f"{', '.join(ended.payments)} {ended.state}"}
        if left:
            look.residue = explain(ended, self.teller.journal.origin.command)
        elif is_last and self.start:
            look.steps["start"] = list(self.start)
            with self.line.until(budget):
                look.made("end", self.trader.get(paths.BALANCES))

    def proven(self, me: Seen) -> Proven:
        """The trader, proven synthetic. Raises Held."""
        answer = me.last("me")
        allowed = [account.id for _, account in self.environment.api.accounts]
        judged = is_synthetic(self.line.host, self.trader.account.id, allowed, answer)
        proof, _ = read(Proof, answer.response)
        if judged.state is not State.PASSED or proof is None:
            raise Held("smoke.account.synthetic")
        return Proven(proof.id, proof.payments)

    def close(self) -> None:
        """Give the accounts back to whoever runs next."""
        for each in (self.trader, self.other, self.visitor):
            each.lease.give_back()

    def _undo(self, operations: list[Operation], look: Look, budget: Deadline) -> list[Operation]:
        """Those of which something is left; the reserve of time is theirs alone."""
        with self.line.until(budget):
            return self.undoer.undo_all(operations, budget, look.made)


def explain_briefly(operation: Operation) -> str:
    """What was swept, on a line."""
    since = datetime.fromtimestamp(operation.since, UTC)
    return f"{operation.money} by {operation.method} of {since:%Y-%m-%d %H:%M} (key {operation.key})"


def expect_same_time(strangers: Seen) -> None:
    """Held where the clocks differ: a one-time code would be a failed login."""
    if skew_beyond(strangers.last("strangers"), SKEW_S):
        raise Held("smoke.login.clock")
