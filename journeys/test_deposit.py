"""One deposit a method through the page, and everything that is claimed about it. It is undone in any case."""

import pytest

from journeys.pages.cashier import DepositPage, HistoryPage, ReceiptPage
from postdeploy.browser import expect

pytestmark = pytest.mark.mutates


@pytest.mark.check("journeys.deposit.shown", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_client_deposits(client, deposit, pay):
    """A client deposits by this method, and is shown the state declared for it."""
    with client.step("fill in the form and send it"), pay(deposit):
        client.open(DepositPage).deposit(deposit)
        expect(client.at(ReceiptPage).status).to_be_visible()
    with client.step("see how it ends"):
        receipt = client.at(ReceiptPage)
        expect(receipt.status).to_have_text(receipt.text(deposit.ends))


@pytest.mark.check("journeys.deposit.booked", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_deposit_is_booked_as_it_was_shown(trader, deposit):
    """What the page took is booked once, as it was asked for, and credited where it has settled."""
    booked = trader.page_deposit_booked(deposit)
    assert booked.holds, booked.why


@pytest.mark.check("journeys.history.listed", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_history_lists_the_deposit(client, deposit, receipt):
    """The client's history lists the deposit with its method, amount and state."""
    with client.step("look for it in the history"):
        entry = client.open(HistoryPage).entry(receipt)
        expect(entry).to_contain_text(f"{deposit.method}{deposit.amount} {deposit.currency}")
        expect(entry).to_contain_text(client.at(HistoryPage).text(deposit.ends))


@pytest.mark.check("journeys.deposit.undone", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_deposit_is_undone(trader, deposit):
    """What the page took can be taken back, and ledger and balance are as before."""
    undone = trader.page_deposit_undone(deposit)
    assert undone.holds, undone.why
