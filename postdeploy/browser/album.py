"""The evidence of one journey: a picture a step, and all that explains a failure, unless it holds a secret."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.browser.scrubbing import leaks, without_credentials, without_hidden_values
from postdeploy.browser.watching import Watched
from postdeploy.evidence.exhibits import attach
from postdeploy.redact import Redactor

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

LARGEST_PICTURE = 200_000
"""Bytes; auditors look at pictures, and an archive keeps them for years."""


class Album:
    """Collects while the journey is made; what is kept is decided when its last phase has been judged."""

    def __init__(self, redactor: Redactor, watched: Watched) -> None:
        """`redactor` knows every secret of the run, also those that were given out since it began."""
        self.redactor, self.watched = redactor, watched
        self._kept: list[tuple[str, bytes, str]] = []
        self._traced = False
        self._folder = tempfile.TemporaryDirectory(prefix="postdeploy-journey-")

    def begin_trace(self, context: BrowserContext) -> None:
        """Record what happens from now on: only once nobody types a credential any more."""
        context.tracing.start(screenshots=True, snapshots=True, sources=False)
        self._traced = True

    @staticmethod
    def picture(page: Page, name: str) -> None:
        """A small picture of what the client sees, attached to the step that is running."""
        attach(_shot(page), name, "webp")

    def close(self, context: BrowserContext, page: Page, *, bad: bool) -> None:
        """Take what only an open page can give, and stop recording; whatever cannot be taken is done without."""
        if bad:
            with suppress(Exception):
                self._kept.append(("what the client saw last", _shot(page), "webp"))
            with suppress(Exception):
                self._kept.append(("DOM", without_hidden_values(page.content().encode()), "html"))
        if self._traced:
            path = Path(self._folder.name) / "trace.zip"
            with suppress(Exception):
                context.tracing.stop(path=path)
                self._kept.append(("trace (open it with: playwright show-trace FILE)", path.read_bytes(), "zip"))

    def end(self, *, bad: bool) -> list[str]:
        """Attach what was kept where it is needed; a line for each file that was withheld."""
        said = []
        if self.watched.troubles:
            attach(self.watched.troubles_text().encode(), "what the browser told", "txt")
        if bad:
            attach(self.watched.requests_text().encode(), "requests", "txt")
            for name, data, kind in self._kept:
                clean = without_credentials(data) if kind == "zip" else data
                if found := leaks(clean, self.redactor):
                    said.append(f"the {name.partition(' ')[0]} was withheld: it holds {found}")
                    attach(said[-1].encode(), f"{name.partition(' ')[0]}, withheld", "txt")
                else:
                    attach(clean, name, kind)
        self._folder.cleanup()
        return said


def _shot(page: Page) -> bytes:
    shot = b""
    for quality in (80, 40, 10):
        shot = page.screenshot(type="webp", quality=quality, animations="disabled", caret="hide")
        if len(shot) <= LARGEST_PICTURE:
            break
    return shot
