"""Never over the ceiling: no sequence of calls, in whatever currency, run, day or thread, spends more than allowed."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postdeploy.broker.guard import Plan, Proven, Rules, SpendRefused, Spent, refusal, spent_in_all
from postdeploy.broker.money import Money
from postdeploy.broker.undo.store import Store
from postdeploy.environment import Deposit, Limits
from tests.broker.making import AT, PROVEN, PURPOSE, Clock, journal, paid, plan, rules

NOTHING = Spent(Decimal(0), Decimal(0))
MONEY = {"JPY": "1", "GBP": "0.01", "KWD": "0.001"}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"plan": plan(account="C-20419")}, "has not been proven synthetic"),
        ({"proven": None}, "has not been proven synthetic"),
        ({"proven": Proven("SYN-2", "sandbox")}, "has not been proven synthetic"),
        ({"rules": replace(rules(), accounts=frozenset())}, "not on the allow-list"),
        ({"plan": plan(beneficiary="somebody else")}, "beneficiary 'somebody else' is not on the allow-list (us)"),
        ({"plan": plan(method="cash")}, "method cash is not declared"),
        ({"plan": plan(mode="penny")}, "may be proved by sandbox, not by penny"),
        ({"proven": Proven("SYN-1", "live")}, "go to the live PSP"),
        ({"plan": plan(amount="9")}, "9.00 GBP is not the amount agreed for card"),
        ({"plan": plan(currency="EUR")}, "is not the amount agreed"),
        ({"rules": replace(rules(), ceilings={})}, "no ceiling is declared for GBP"),
        ({"rules": rules(call="9.99")}, "in one call is beyond the ceiling of 9.99"),
        ({"rules": rules(call="0", run="0", day="0")}, "ceiling per call is 0 GBP: the checks that spend are closed"),
        ({"rules": rules(day="0")}, "ceiling per day is 0"),
        ({"spent": Spent(Decimal("10.01"), Decimal(0))}, "in one run is beyond the ceiling of 20"),
        ({"spent": Spent(Decimal(0), Decimal("30.01"))}, "in one day is beyond the ceiling of 40"),
        ({"plan": plan(posts=3)}, "30 GBP in one run"),
        ({"plan": plan(posts=0)}, "makes no sense"),
        ({"spent": Spent(Decimal(-1), Decimal(0))}, "makes no sense"),
        ({"rules": replace(rules(), modes={"card": "penny"}), "plan": plan(mode="penny")}, "no consent"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_reason(changed, why):
    asked = {"plan": plan(), "proven": PROVEN, "rules": rules(), "spent": NOTHING} | changed
    assert why in refusal(**asked)


def test_what_is_allowed_is_not_refused():
    assert refusal(plan(), PROVEN, rules(), NOTHING) == ""
    assert refusal(plan(), PROVEN, rules(), Spent(Decimal(10), Decimal(30))) == ""


def test_penny_needs_the_consent_on_record():
    allowed = replace(rules(), modes={"card": "penny"}, consent="TRE-12")
    assert refusal(plan(mode="penny"), Proven("SYN-1", "live"), allowed, NOTHING) == ""


def test_day_is_what_journal_and_product_know_together_each_key_once():
    journal_, product = (
        {"a": Money(Decimal(10), "GBP")},
        {"a": Money(Decimal(30), "GBP"), "b": Money(Decimal(5), "GBP")},
    )
    assert spent_in_all(journal_, product) == Decimal(35)
    assert spent_in_all(journal_, {}) == Decimal(10)


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, int, dict[str, int], list[tuple[float, float, int, str]]]:
    currency = draw(st.sampled_from(sorted(MONEY)))
    coins = draw(st.integers(1, 50))
    call, run, day = sorted(draw(st.integers(0, 400)) for _ in range(3))
    asks = draw(
        st.lists(
            st.tuples(
                st.floats(0, 40 * 3600),
                st.floats(0, 7200),
                st.integers(1, 3),
                st.sampled_from(["send", "repeat", "drop"]),
            ),
            max_size=14,
        )
    )
    return currency, coins, {"call": call, "run": run, "day": day}, asks


@settings(max_examples=30)
@given(histories(), st.lists(st.integers(0, 2), min_size=14, max_size=14))
def test_no_history_ever_spends_more_than_a_ceiling(history, runs):
    """Over amounts, currencies without, with two and with three decimals, times, runs and what becomes of a request.

    A request may leave long after its intent: a day's edge that lies between the two hides neither.
    """
    currency, coins, ceilings, asks = history
    money = Money.of_coins(coins, currency)
    limits = Limits(**{name: Money.of_coins(each, currency).plain for name, each in ceilings.items()})
    deposit = Deposit.model_construct(method="card", currency=currency, amount=money.amount)
    allowed = Rules({currency: limits}, frozenset({"SYN-1"}), frozenset({"us"}), {"card": deposit}, {"card": "sandbox"})
    sent: list[tuple[float, int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        journals = [journal(Path(folder), f"run-{n}", f"pipeline-{n}", clock) for n in range(3)]
        for (at, lag, posts, fate), number in zip(sorted(asks), runs, strict=False):
            clock.now = max(clock.now, AT.timestamp() + at)
            asked = Plan("SYN-1", "card", money, "us", "sandbox", posts)
            try:
                operation = journals[number].intend(asked, PURPOSE, PROVEN, allowed, {})
            except SpendRefused:
                continue
            if fate == "drop":
                journals[number].note(operation, "void")
                continue
            for post in range(posts if fate == "repeat" else 1):
                clock.now += lag
                operation = journals[number].note(operation, "repeated" if post else "sent")
                sent.append((clock.now, number, coins))
            journals[number].note(journals[number].note(operation, "confirmed", payments=["pay"]), "undone")
    for at, _, each in sent:
        assert each <= ceilings["call"]
        window = sum(other for moment, _, other in sent if at - 24 * 3600 < moment <= at)
        assert window <= ceilings["day"]
    for number in range(3):
        assert sum(each for _, of, each in sent if of == number) <= ceilings["run"]


def test_a_request_counts_on_its_own_day_though_its_intent_is_of_the_day_before(tmp_path):
    clock = Clock()
    first = journal(tmp_path, "run-1", clock=clock)
    made = first.intend(plan(posts=2), PURPOSE, PROVEN, rules(), {})
    clock.now += 3600
    first.note(first.note(made, "sent"), "repeated")
    clock.now += 23.5 * 3600
    later = journal(tmp_path, "run-2", "q", clock=clock)
    with pytest.raises(SpendRefused, match=r"30\.00 GBP in one day"):
        later.intend(plan(), PURPOSE, PROVEN, rules(day="29"), {})


@settings(max_examples=8)
@given(st.sampled_from(sorted(MONEY)), st.integers(1, 60), st.integers(0, 300), st.lists(st.integers(1, 2), max_size=6))
def test_no_number_of_runs_at_the_same_time_spends_more_than_the_day_allows(currency, coins, ceiling, posts):
    """Each in a thread and with a connection of its own, all at once: what was allowed stays within, to the coin."""
    money, day = Money.of_coins(coins, currency), Money.of_coins(ceiling, currency).plain
    deposit = Deposit.model_construct(method="card", currency=currency, amount=money.amount)
    limits = {currency: Limits(call=day, run=day, day=day)}
    allowed = Rules(limits, frozenset({"SYN-1"}), frozenset({"us"}), {"card": deposit}, {"card": "sandbox"})
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(6) as pool:
        Store(folder).append(row())

        def ask(number: int) -> int:
            mine = journal(Path(folder), f"run-{number}", f"pipeline-{number}")
            asked = Plan("SYN-1", "card", money, "us", "sandbox", posts[number])
            try:
                mine.intend(asked, PURPOSE, PROVEN, allowed, {})
            except SpendRefused:
                return 0
            return coins * posts[number]

        spent = list(pool.map(ask, range(len(posts))))
    assert sum(spent) <= ceiling
    refused = [coins * each for each, coins_spent in zip(posts, spent, strict=True) if not coins_spent]
    assert all(sum(spent) + each > ceiling for each in refused), "nobody is refused for whom there was room"


def test_runs_at_the_same_time_share_one_ceiling(tmp_path):
    """Eight runs ask at once, each with a connection of its own; the day allows four."""
    Store(str(tmp_path)).append(row())

    def ask(number: int) -> bool:
        mine = journal(tmp_path, f"run-{number}", f"pipeline-{number}")
        try:
            mine.intend(plan(), PURPOSE, PROVEN, rules(), {})
        except SpendRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 4


def row():
    told = {"environment": "other", "key": "k", "event": "intent", "run_id": "r", "account": "a", "currency": "GBP"}
    return told | {"method": "card", "at": 0.0, "coins": 1, "detail": {}}


def test_the_products_ledger_counts_where_the_journal_was_lost(tmp_path):
    """Three deposits of today that no journal knows leave room for one more, and not for two."""
    known = {str(n): (paid(str(n), "refunded", f"pay_{n}"),) for n in range(3)}
    fresh = journal(tmp_path)
    fresh.intend(plan(), PURPOSE, PROVEN, rules(), known)
    with pytest.raises(SpendRefused, match="in one day"):
        journal(tmp_path, "run-2", "q").intend(plan(), PURPOSE, PROVEN, rules(), known)


def test_yesterdays_deposits_do_not_count(tmp_path):
    old = {str(n): (paid(str(n), created=AT - timedelta(hours=25)),) for n in range(9)}
    assert journal(tmp_path).intend(plan(), PURPOSE, PROVEN, rules(), old).is_open


def test_a_refusal_leaves_no_entry(tmp_path):
    mine = journal(tmp_path)
    with pytest.raises(SpendRefused, match=r"the spend guard refused 10\.00 GBP by card: .*proven"):
        mine.intend(plan(), PURPOSE, None, rules(), {})
    assert mine.operations() == {}
