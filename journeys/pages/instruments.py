"""What is traded: the list, and one instrument with its live price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeys.pages.frame import FramedPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from postdeploy.environment import Shop


class InstrumentsPage(FramedPage):
    path = "instruments"

    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.search = page.get_by_label(self.text("search"), exact=True)

    def link(self, symbol: str) -> Locator:
        """The instrument in the list."""
        return self.page.get_by_role("link", name=symbol, exact=True)

    def find(self, symbol: str) -> None:
        """Search for an instrument."""
        self.search.fill(symbol)

    def open(self, symbol: str) -> None:
        """Open an instrument of the list."""
        self.link(symbol).click()


class InstrumentPage(FramedPage):
    path = "instruments/{symbol}"

    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.price = page.get_by_test_id("price")
        self.closed = page.get_by_text(self.text("closed"), exact=True)
