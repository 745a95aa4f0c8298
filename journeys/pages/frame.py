"""What every page of the web client has around it: logo, languages, menu, regulated text, cookie banner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postdeploy.browser.page import BasePage

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from postdeploy.environment import Shop


class FramedPage(BasePage):
    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.root = page.locator("html")
        self.heading = page.get_by_role("heading", level=1)
        self.logo = page.get_by_test_id("logo")
        self.languages = page.get_by_test_id("languages")
        self.menu = page.get_by_test_id("menu").get_by_role("link")
        self.risk_warning = page.get_by_test_id("risk-warning")
        self.legal_entity = page.get_by_test_id("legal-entity")
        self.cookie_banner = page.get_by_test_id("cookie-banner")
        self.accept = page.get_by_role("button", name=self.text("accept"), exact=True)

    def switch_to(self, locale: str) -> None:
        """Choose another language."""
        self.languages.get_by_role("link", name=locale, exact=True).click()

    def answer_the_cookie_banner(self) -> None:
        """Accept cookies, where anybody asks."""
        if self.shows(self.cookie_banner):
            self.accept.click()

    def come_back(self) -> None:
        """Load the page anew, as on the next visit."""
        self.page.reload(wait_until="domcontentloaded")


class FrontPage(FramedPage):
    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.invitation = page.get_by_role("link", name=self.text("sign_in"), exact=True)


class RiskPage(FramedPage):
    path = "legal/risk"


class TermsPage(FramedPage):
    path = "legal/terms"
