"""Signing in: name and password first, then a one-time code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postdeploy.browser.page import BasePage

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pydantic import SecretStr

    from postdeploy.environment import Shop


class SignInPage(BasePage):
    path = "login"

    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.username = page.get_by_label(self.text("username"), exact=True)
        self.password = page.get_by_label(self.text("password"), exact=True)
        self.submit = page.get_by_role("button", name=self.text("sign_in"), exact=True)
        self.invitation = page.get_by_role("link", name=self.text("sign_in"), exact=True)

    def sign_in(self, login: str, password: SecretStr) -> None:
        """Give name and password."""
        self.username.fill(login)
        self.password.fill(password.get_secret_value())
        self.submit.click()


class CodePage(BasePage):
    def __init__(self, page: Page, shop: Shop) -> None:
        super().__init__(page, shop)
        self.code = page.get_by_label(self.text("code"), exact=True)
        self.submit = page.get_by_role("button", name=self.text("confirm"), exact=True)

    def confirm(self, code: SecretStr) -> None:
        """Give the one-time code."""
        self.code.fill(code.get_secret_value())
        self.submit.click()
