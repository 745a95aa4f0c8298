import pytest


@pytest.mark.check("smoke.instruments.listed", over="account", owner="trading", controls=["DORA-9.4e"])
def test_declared_instruments_are_offered(trader, account):
    """Every instrument declared for this jurisdiction is offered to the test account and may be traded."""
    offer = trader.is_offered(account.instruments)
    assert offer.holds, offer.why
