import pytest


@pytest.mark.check("smoke.quotes.fresh", owner="trading", controls=["DORA-9.4e"])
def test_prices_are_fresh(trader):
    """Every price of an open market is fresh, and a market is closed only when its calendar says so."""
    prices = trader.prices_are_fresh()
    assert prices.holds, prices.why


@pytest.mark.check("smoke.quotes.spread", owner="trading", controls=["DORA-9.4e"])
def test_bids_are_below_asks(trader):
    """Every bid is below its ask."""
    prices = trader.prices_are_sane()
    assert prices.holds, prices.why


@pytest.mark.check("smoke.orders.preview", owner="trading", controls=["DORA-9.4e"])
def test_order_can_be_previewed(trader):
    """An order can be previewed where that is declared, and a preview places none."""
    preview = trader.previews_order()
    assert preview.holds, preview.why
