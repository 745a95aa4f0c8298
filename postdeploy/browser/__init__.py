"""A real browser, as a client uses it: launched, signed in, watched, and its evidence kept."""

from __future__ import annotations

from typing import Any


def expect(subject: Any, message: str | None = None) -> Any:
    """Playwright's assertions, which wait for what is claimed; imported when first used."""
    from playwright.sync_api import expect as playwright_expect

    return playwright_expect(subject, message)
