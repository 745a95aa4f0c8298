"""A journey that waits for ever is ended: Playwright's own `evaluate`, `is_visible` and `count` have no time-out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

import psutil

LONGEST_S = 300.0
"""Far longer than any journey takes, on a busy machine too; each wait in it has a time-out of its own."""
MORE_S = 60.0
"""What a journey has to end in once its pages are gone: its evidence is gathered meanwhile."""
RENDERER, DRIVER = "--type=renderer", "run-driver"
"""What the command line of a page's process says, and of Playwright's own."""


def end_pages() -> None:
    """End the pages of this process's browser, which lives on: who waits for one is told that it crashed."""
    _end(RENDERER)


def end_browser() -> None:
    """End the way to the browser, remote or not: who waits for anything is told that it is closed."""
    _end(DRIVER)


def _end(kind: str) -> None:
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            if kind in each.cmdline():
                each.kill()


class Watchdog:
    """Ends what a journey waits for once the journey has taken too long; `said` is why, where it has."""

    def __init__(
        self, longest_s: float, more_s: float = MORE_S, ends: Sequence[Callable[[], None]] = (end_pages, end_browser)
    ) -> None:
        """`longest_s`: no longer than this, and infinity ends nothing; `more_s`: before each further end."""
        self._longest_s, self._more_s, self._ends = longest_s, more_s, ends
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.said = ""

    def __enter__(self) -> Watchdog:
        if self._longest_s <= threading.TIMEOUT_MAX:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()  # one that is at it ends no page of the next journey

    def _watch(self) -> None:
        wait_s = self._longest_s
        for end in self._ends:
            if self._over.wait(wait_s):
                return
            self.said = f"the journey was not over after {self._longest_s:g} s, so its pages were ended"
            end()
            wait_s = self._more_s
