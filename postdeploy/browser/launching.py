"""Playwright and its browser: started once in a run, when a journey first asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from postdeploy.browser.filming import why_not
from postdeploy.browser.finding import Found, find
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

START_MS = 30_000


class Launcher:
    """Starts Playwright's driver and one browser; both end with it."""

    def __init__(self, asked: str | None = None) -> None:
        """`asked`: URL of a remote browser."""
        self.asked = asked
        self.found: Found | None = None
        self._manager: Any = None
        self._playwright: Playwright | None = None

    def __enter__(self) -> Launcher:
        """The driver is running. Raises Unverified when it cannot."""
        try:
            from playwright.sync_api import sync_playwright

            self._manager = sync_playwright()
            self._playwright = self._manager.__enter__()
        except Exception as error:
            raise Unverified(f"Playwright does not start: {type(error).__name__}: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manager.__exit__(kind, error, trace)

    @property
    def own(self) -> Path:
        """Where Playwright's own browser is, or would be."""
        assert self._playwright is not None  # noqa: S101  for the type checker: entered by now
        return Path(self._playwright.chromium.executable_path)

    def look(self) -> Found:
        """The browser that would be used. Raises Unverified when there is none."""
        return find(self.own, self.asked)

    def why_no_film(self, browser: Browser) -> str:
        """Why journeys in this browser, which was launched here, cannot be filmed; empty where they can."""
        return why_not(browser, self.found or self.look(), self.own)

    def launch(self, options: Mapping[str, Any]) -> Browser:
        """The browser, with Playwright's own launch options. Raises Unverified when there is none or it will not."""
        assert self._playwright is not None  # noqa: S101  for the type checker: entered by now
        chromium = self._playwright.chromium
        self.found = self.look()
        try:
            if self.found.kind == "remote":
                return chromium.connect(self.found.place, timeout=START_MS, slow_mo=options.get("slow_mo"))
            program = {"executable_path": self.found.place} if self.found.kind == "system" else {}
            return chromium.launch(**{"timeout": START_MS, **program, **options})
        except Exception as error:
            first = str(error).strip().partition("\n")[0]
            raise Unverified(f"the {self.found} does not start: {first}") from error
