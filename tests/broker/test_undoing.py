"""How a deposit is taken back: never asked twice while the first request may arrive, never believed without a look."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from postdeploy.broker.models_money import Refund
from postdeploy.broker.till import Silent
from postdeploy.broker.undo.undoing import Undoer, explain
from postdeploy.deadline import Deadline
from tests.broker.making import AT, PROVEN, PURPOSE, Clock, answer, journal, paid, plan, rules


class Till:
    """A product that a test plays: what it knows, and how it answers to being asked to take something back."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.known, self.asked = clock, [], []
        self.on_take_back = lambda deposit: answer({}, 201)
        self.rest = {}

    def of(self, operation, made):
        if isinstance(self.known, Exception):
            raise self.known
        return tuple(self.known)

    def ledger(self, ident, made):
        return SimpleNamespace(entries=self.rest.get(ident, ()))

    def take_back(self, deposit, key):
        self.asked.append((deposit.id, deposit.state, key, self.clock.now))
        return SimpleNamespace(kept=self.on_take_back(deposit), number=0)

    def becomes(self, state: str, ident: str = "pay_1"):
        self.known = [each.model_copy(update={"state": state}) if each.id == ident else each for each in self.known]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def till(clock):
    return Till(clock)


@pytest.fixture
def mine(tmp_path, clock):
    return journal(tmp_path, clock=clock)


@pytest.fixture
def sent(mine):
    return mine.note(mine.intend(plan(), PURPOSE, PROVEN, rules(), {}), "sent")


@pytest.fixture
def undo(mine, till, clock):
    """Undo with sixty seconds of a clock that moves only while somebody rests."""

    def rest(seconds):
        clock.now += seconds

    def undo(operation, budget=60.0):
        deadline = Deadline(budget, clock)
        undoer = Undoer(mine, till, "SYN-1", 10.0, 1.0, lambda: deadline, rest)
        return undoer.undo(operation, deadline, lambda name, reply: reply)

    return undo


def known(operation, state="settled", **how):
    return paid(operation.key, state, **how)


def test_intent_that_was_never_sent_is_void_without_asking(mine, till, undo):
    till.known = Silent("nobody is asked")
    assert undo(mine.intend(plan(), PURPOSE, PROVEN, rules(), {})).state == "void"


def test_absence_proves_nothing_while_the_request_may_arrive(sent, till, undo, clock):
    ended = undo(sent)
    assert ended.state == "void"
    assert clock.now - AT.timestamp() >= 10


def test_request_that_arrives_late_is_undone(sent, till, undo, clock):
    looks = iter(range(100))
    original = till.of

    def of(operation, made):
        if next(looks) == 4:
            till.known = [known(operation)]
        return original(operation, made)

    till.of = of
    till.on_take_back = lambda deposit: till.becomes("refunded") or answer({}, 201)
    assert undo(sent).state == "undone"
    assert len(till.asked) == 1


def test_answered_deposit_is_refunded_once(mine, sent, till, undo):
    till.known = [known(sent)]
    till.on_take_back = lambda deposit: till.becomes("refunded") or answer({}, 201)
    assert undo(mine.note(sent, "confirmed", payments=["pay_1"])).state == "undone"
    assert [(ident, state) for ident, state, *_ in till.asked] == [("pay_1", "settled")]


def test_unanswered_refund_is_not_asked_for_again_while_it_may_arrive(sent, till, undo, clock):
    """The first request is lost; it is asked for again under the same key, and not before it can have arrived."""
    till.known = [known(sent)]
    answers = iter([answer({}, 504), answer({}, 201)])

    def take_back(deposit):
        said = next(answers)
        if said.status == 201:
            till.becomes("refunded")
        return said

    till.on_take_back = take_back
    assert undo(sent).state == "undone"
    (_, _, first, at), (_, _, second, then) = till.asked
    assert first == second
    assert then - at >= 10


def test_refund_that_was_carried_out_and_answered_with_500_is_seen(sent, till, undo):
    till.known = [known(sent)]
    till.on_take_back = lambda deposit: till.becomes("refunded") or answer({"error": "boom"}, 500)
    assert undo(sent).state == "undone"
    assert len(till.asked) == 1


def test_refund_under_way_is_waited_for_and_not_asked_for(sent, till, undo):
    refund = Refund(id="r", key="k", amount="10.00", currency="GBP", state="pending")
    till.known = [known(sent, "settled", refunds=(refund,))]
    ended = undo(sent, budget=5)
    assert (ended.state, ended.residue) == ("residue", "its refund is pending")
    assert till.asked == []


def test_cancel_that_comes_too_late_becomes_a_refund(sent, till, undo):
    till.known = [known(sent, "pending")]

    def take_back(deposit):
        if deposit.state == "pending":
            till.becomes("settled")
            return answer({"error": "cannot be cancelled: settled"}, 409)
        till.becomes("refunded")
        return answer({}, 201)

    till.on_take_back = take_back
    assert undo(sent).state == "undone"
    assert [state for _, state, *_ in till.asked] == ["pending", "settled"]
    assert till.asked[0][2] != till.asked[1][2], "a refusal is an answer: the next request is another one"


def test_refused_refund_is_residue_and_says_why(sent, till, undo):
    till.known = [known(sent)]
    till.on_take_back = lambda deposit: answer({"error": "suspended"}, 422)
    ended = undo(sent)
    assert (ended.state, len(till.asked)) == ("residue", 2)
    assert "refuses to take pay_1 (settled) back: status 422 'suspended'" in ended.residue
    assert f"--settled {ended.key} --because TICKET" in explain(ended, "postdeploy sweep --env alpha")


def test_each_of_two_deposits_under_one_key_is_undone(sent, till, undo):
    till.known = [known(sent), known(sent, ident="pay_2")]
    till.on_take_back = lambda deposit: till.becomes("refunded", deposit.id) or answer({}, 201)
    ended = undo(sent)
    assert (ended.state, ended.payments) == ("undone", ("pay_1", "pay_2"))
    assert [ident for ident, *_ in till.asked] == ["pay_2", "pay_1"]


def test_silence_is_residue_never_undone(sent, till, undo):
    till.known = Silent("GET /deposits: status 503")
    ended = undo(sent, budget=8)
    assert (ended.state, ended.residue) == ("residue", "GET /deposits: status 503")


def test_product_that_forgot_the_deposit_is_residue(mine, sent, till, undo):
    ended = undo(mine.note(sent, "confirmed", payments=["pay_9"]), budget=20)
    assert (ended.state, "does not know pay_9 any more" in ended.residue) == ("residue", True)


def test_state_alone_is_not_believed(sent, till, undo):
    from decimal import Decimal

    from postdeploy.broker.money import Money

    till.known = [known(sent, "refunded")]
    till.rest["pay_1"] = (SimpleNamespace(money=Money(Decimal("0.01"), "GBP")),)
    ended = undo(sent)
    assert (ended.state, "the ledger still has 0.01 GBP" in ended.residue) == ("residue", True)


def test_account_of_another_time_is_not_touched(mine, sent, till):
    undoer = Undoer(mine, till, "SYN-2", 10.0, 1.0, lambda: Deadline(1), lambda seconds: None)
    ended = undoer.undo(sent, Deadline(60))
    assert (ended.state, till.asked) == ("residue", [])
    assert "on account SYN-1, and this environment's trader is SYN-2 now" in ended.residue
