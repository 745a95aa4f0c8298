"""Questions to a page. `Page.evaluate` has no time-out: of a page whose script never ends it waits for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page


def ask(page: Page, function: str) -> Any:
    """What a function, or a script, comes to in the page; no policy of the page's can forbid it.

    Raises Playwright's TimeoutError where the page does not answer in the context's time.
    """
    return page.locator(":root").evaluate(function)
