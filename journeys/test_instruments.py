import pytest

from journeys.pages.instruments import InstrumentPage, InstrumentsPage
from postdeploy.browser import expect
from postdeploy.browser.claims import price_moves


@pytest.mark.check("journeys.instrument.found", over="shop", owner="trading", controls=["DORA-9.4e"])
def test_client_finds_an_instrument(client, shop, symbol):
    """A client finds an instrument by its symbol, and opens it."""
    with client.step("find the instrument"):
        client.open(InstrumentsPage).find(symbol)
        expect(client.at(InstrumentsPage).link(symbol)).to_be_visible()
    with client.step("open it"):
        client.at(InstrumentsPage).open(symbol)
        expect(client.at(InstrumentPage).heading).to_have_text(symbol)


@pytest.mark.check("journeys.instrument.price", over="shop", owner="trading", controls=["DORA-9.4e"])
def test_client_sees_the_price_move(client, shop, symbol, market_is_open):
    """A client sees the price of an instrument move, or that its market is closed."""
    with client.step("open the instrument"):
        instrument = client.open(InstrumentPage, symbol=symbol)
        expect(instrument.price).to_be_visible()
    with client.step("watch the price"):
        moving = price_moves(symbol, instrument.price, instrument.closed, is_open=market_is_open)
        assert moving.holds, moving.why
