"""A deposit through a page is a deposit like any other: guarded, journalled, followed up and undone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from benchmarks.kills.house import House
from postdeploy.broker.desk import Desk
from postdeploy.broker.looks import Look
from postdeploy.broker.undo.operations import Operation
from postdeploy.environment import Deposit
from postdeploy.verdict import Held, State

Visit = Callable[..., AbstractContextManager[Desk]]


@pytest.fixture
def card(at: House) -> Deposit:
    return at.environment.deposits["card"]


def click(at: House, desk: Desk, operation: Operation, amount: str = "10.00") -> None:
    """What the guard on the wire and the page do between them: written down, and sent under our key."""
    desk.sent_by_page(operation)
    headers = {"Idempotency-Key": operation.key, "X-Synthetic-Tag": operation.tag}
    given = {"method": operation.method, "amount": amount}
    at.run(lambda: at.brokerage.clients.cashier.by_page(operation.account, headers, given))


def click_and_fail(at: House, desk: Desk, card: Deposit) -> None:
    with desk.page_deposit(card) as operation:
        click(at, desk, operation)
        raise AssertionError("no receipt")


def test_what_the_page_took_is_booked_and_undone(at: House, visit: Visit, card: Deposit) -> None:
    with visit() as desk:
        with desk.page_deposit(card) as operation:
            click(at, desk, operation)
        booked = desk.page_deposit_booked(card)
        assert booked.state is State.PASSED, booked.why
        assert desk.page_deposit_id(card) in booked.seen
        assert desk.page_deposit_undone(card).state is State.PASSED
    assert at.audit().is_clean
    assert at.audit().deposits == 1


def test_smoke_and_page_make_deposits_of_their_own_under_keys_of_their_own(
    at: House, visit: Visit, card: Deposit
) -> None:
    with visit() as desk:
        assert desk.deposit_accepted(card).holds
        assert desk.deposit_undone(card).holds
        with desk.page_deposit(card) as operation:
            click(at, desk, operation)
        assert desk.page_deposit_undone(card).holds
        assert desk.deposit_undone(card).holds, "its own undoing is judged, and not the page's"
    assert at.audit().deposits == 2
    assert at.audit().is_clean


def test_button_that_does_nothing_leaves_nothing_to_judge_and_nothing_behind(
    at: House, visit: Visit, card: Deposit
) -> None:
    with visit() as desk:
        with desk.page_deposit(card):
            pass
        with pytest.raises(Held, match=r"journeys\.deposit\.shown"):
            desk.page_deposit_booked(card)
        assert desk.page_deposit_undone(card).seen == "it never arrived, so nothing had to be undone"


def test_deposit_that_nobody_booked_is_the_products_failure_and_stops_all_others(
    at: House, visit: Visit, card: Deposit
) -> None:
    with visit() as desk:
        with desk.page_deposit(card) as operation:
            desk.sent_by_page(operation)
        booked = desk.page_deposit_booked(card)
        assert booked.state is State.FAILED
        assert booked.seen == "the product knows 0 deposits under its key"
        with pytest.raises(Held, match=r"journeys\.deposit\.booked\[card\] is unclear"), desk.page_deposit(card):
            raise AssertionError("nothing may be spent any more")


def test_credit_that_is_made_twice_is_seen(at: House, visit: Visit, card: Deposit) -> None:
    at.api.money.credits = 2
    with visit() as desk:
        with desk.page_deposit(card) as operation:
            click(at, desk, operation)
        assert "2 credits" in desk.page_deposit_booked(card).seen


def test_trouble_in_the_page_is_told_and_what_it_took_is_followed_up(at: House, visit: Visit, card: Deposit) -> None:
    with visit() as desk:
        with pytest.raises(AssertionError, match="no receipt"):
            click_and_fail(at, desk, card)
        assert desk.page_deposit_booked(card).holds
        assert desk.undo_all() == []
    assert at.audit().is_clean


def test_run_that_dies_after_the_click_is_swept_by_the_next(at: House, visit: Visit, card: Deposit) -> None:
    with visit() as desk:
        me = desk._may_spend()
        assert desk.visit
        operation = desk.visit.begin_page_deposit(Look(), card, me)
        assert operation
        click(at, desk, operation)
    assert len(at.audit().standing) == 1
    with visit() as desk:
        swept = desk.is_clean()
        assert "10.00 GBP by card" in swept.seen
    assert at.audit().is_clean


def test_method_that_is_not_offered_is_not_clicked(at: House, visit: Visit, card: Deposit) -> None:
    at.api.money.withdrawn.add("card")
    with visit() as desk, pytest.raises(AssertionError, match="card is not offered"), desk.page_deposit(card):
        raise RuntimeError("the page must not be let through")


def test_red_tier_holds_it(visit: Visit, card: Deposit) -> None:
    red = lambda: "endpoints.health.status[a] is failed"  # noqa: E731
    with visit(is_red=red) as desk, pytest.raises(Held, match=r"endpoints\.health"), desk.page_deposit(card):
        raise RuntimeError("the page must not be let through")
