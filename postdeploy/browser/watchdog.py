"""A journey that waits for ever is ended: Playwright's own `evaluate`, `is_visible` and `count` have no time-out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

import psutil

LONGEST_S = 300.0
"""Far longer than any journey takes, on a busy machine too; each wait in it has a time-out of its own."""
RENDERER, DRIVER = "--type=renderer", "run-driver"
"""What the command line of a page's process says, and of Playwright's own."""


def end_pages() -> None:
    """End the pages of this process's browser, which lives on; of a remote one's, end the way to it.

    Whatever waits for a page is then told that it crashed.
    """
    below = {each: _command(each) for each in psutil.Process().children(recursive=True)}
    pages = [each for each, command in below.items() if RENDERER in command]
    for each in pages or [each for each, command in below.items() if DRIVER in command]:
        with suppress(psutil.Error):
            each.kill()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


class Watchdog:
    """Ends what a journey waits for once the journey has taken too long; `said` is why, where it has."""

    def __init__(self, seconds: float, end: Callable[[], None] = end_pages) -> None:
        """`seconds`: no longer than this; infinity never ends anything."""
        self._seconds, self._end = seconds, end
        self._timer: threading.Timer | None = None
        self.said = ""

    def __enter__(self) -> Watchdog:
        if self._seconds <= threading.TIMEOUT_MAX:
            self._timer = threading.Timer(self._seconds, self._bite)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()  # one that is at it ends no page of the next journey

    def _bite(self) -> None:
        self.said = f"the journey was not over after {self._seconds:g} s, so its pages were ended and the run goes on"
        self._end()
