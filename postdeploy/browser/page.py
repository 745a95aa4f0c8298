"""What every page object begins with: the browser's page, the shop it belongs to, and the words of its language."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from postdeploy.browser.asking import ask
from postdeploy.environment import Shop, labels

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


class BasePage:
    """A page of the web client, found by roles, labels and test ids; it acts, and claims nothing."""

    path: ClassVar[str] = ""
    """What follows the locale in its address; `{…}` is filled in by whoever opens it."""

    def __init__(self, page: Page, shop: Shop) -> None:
        self.page, self.shop = page, shop

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.shop.name}>"

    def shows(self, locator: Locator) -> bool:
        """Whether it is in sight now. Raises Playwright's TimeoutError where the page does not answer."""
        ask(self.page, "() => true")
        return locator.is_visible()

    def scroll_to_the_end(self) -> None:
        """Scroll as far as it goes. Raises Playwright's TimeoutError where the page does not answer."""
        ask(self.page, "() => window.scrollTo(0, document.documentElement.scrollHeight)")

    def text(self, label: str) -> str:
        """What this language calls it. Raises KeyError for a label that no catalogue has."""
        return labels(self.shop.locale)[label]
