"""Depositing: the form, the receipt, and the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeys.pages.frame import FramedPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from postdeploy.environment import Deposit, Shop


class DepositPage(FramedPage):
    path = "deposit"

    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.method = page.get_by_label(self.text("method"), exact=True)
        self.amount = page.get_by_label(self.text("amount"), exact=True)
        self.submit = page.get_by_role("button", name=self.text("pay"), exact=True)

    def deposit(self, deposit: Deposit) -> None:
        """Fill in the form and send it."""
        self.method.select_option(deposit.method)
        self.amount.fill(str(deposit.amount))
        self.submit.click()


class ReceiptPage(FramedPage):
    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.status = page.get_by_test_id("deposit-status")


class HistoryPage(FramedPage):
    path = "history"

    def entry(self, number: str) -> Locator:
        """The line of one deposit."""
        return self.page.get_by_role("row").filter(has_text=number)
