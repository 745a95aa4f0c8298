"""Claims that take more than one look at a page: each waits as long as the context is patient, and never sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postdeploy.browser import expect
from postdeploy.verdict import Judgement, State

if TYPE_CHECKING:
    from playwright.sync_api import Locator

CLOSED = "its calendar says that the market is closed"
STILL = "the page's stream or polling does not reach the price service, or its script stopped"


def price_moves(symbol: str, price: Locator, closed: Locator, *, is_open: bool) -> Judgement:
    """Whether a price moves while its market is open; a closed market is said to be closed.

    `is_open`: what the API says of this moment.
    """
    claim = f"the price of {symbol} moves in the page"
    where = f"the element with the price at {price.page.url.partition('?')[0]}"
    first = price.inner_text()
    try:
        expect(price if is_open else closed).not_to_have_text(first)
        expect(closed).to_be_visible(visible=not is_open)
    except AssertionError:
        seen = f"it stays at {first!r}" if is_open else f"{first!r}, and nothing says that the market is closed"
        return Judgement(State.FAILED, claim, seen, where, STILL)
    return Judgement(State.PASSED, claim, f"{first} → {price.inner_text()}" if is_open else f"{first}; {CLOSED}")
