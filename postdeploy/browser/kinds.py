"""Playwright's own kinds, by name for type checkers alone; and how patient they are."""

from __future__ import annotations

from playwright.sync_api import Browser, BrowserContext, Page, expect

__all__ = ["Browser", "BrowserContext", "Page", "be_patient"]


def be_patient(context: BrowserContext, seconds: float) -> None:
    """Wait for anything in this context, and for any claim about it, so long at most."""
    context.set_default_timeout(seconds * 1000)
    expect.set_options(timeout=seconds * 1000)
