"""The client's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeys.pages.frame import FramedPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from postdeploy.environment import Shop


class AccountPage(FramedPage):
    path = "account"

    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.signed_in = page.get_by_test_id("signed-in")
        self.leave = page.get_by_role("button", name=self.text("sign_out"), exact=True)
        self.entries = [self.text(each) for each in ("account", "instruments", "deposit", "history")]

    def sign_out(self) -> None:
        """Leave."""
        self.leave.click()
