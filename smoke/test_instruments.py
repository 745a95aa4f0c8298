import pytest


@pytest.mark.check("smoke.instruments.listed", over="account", owner="trading", controls=["DORA-9.4e"])
def test_declared_instruments_are_offered(trader, account):
    """Every instrument declared for this jurisdiction is offered to the test account and may be traded."""
    offer = trader.is_offered(account.instruments)
    assert offer.holds, offer.why


@pytest.mark.check("smoke.instruments.complete", owner="trading", controls=["DORA-9.4e"])
def test_instruments_are_complete(trader):
    """There are as many instruments of each asset class as declared, each of them once, with every agreed field."""
    listing = trader.is_complete()
    assert listing.holds, listing.why


@pytest.mark.check("smoke.instruments.permitted", owner="compliance", controls=["DORA-9.4e"])
def test_nothing_forbidden_is_offered(trader):
    """No product is offered that this jurisdiction forbids its retail clients."""
    permitted = trader.is_permitted()
    assert permitted.holds, permitted.why
