"""The evidence of one journey: a picture a step, and all that explains a failure, unless it holds a secret."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy.browser.asking import ask
from postdeploy.browser.scrubbing import leaks, without_credentials, without_hidden_values
from postdeploy.browser.watching import Watched
from postdeploy.evidence.exhibits import attach
from postdeploy.redact import Redactor

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

LARGEST_PICTURE = 200_000
"""Bytes; auditors look at pictures, and an archive keeps them for years."""
TRACE = "trace (open it with: playwright show-trace FILE)"
NOT_MADE = "video, not made"
TYPED = "a password and a code are typed in this journey, so neither a video nor a trace of it is made"
DRAWN = "() => Promise.race([new Promise(requestAnimationFrame), new Promise(done => setTimeout(done, 1000))])"
"""Waits until the page has been drawn, and a second at most: nobody draws a window that is covered."""
WHOLE = "() => document.documentElement.outerHTML"
IN_ITS_PLACE = "The film strip of the trace is in its place"


class Album:
    """Collects while the journey is made; what is kept is decided when its last phase has been judged."""

    def __init__(
        self, redactor: Redactor, watched: Watched, is_bad: Callable[[], bool], *, typed: bool, no_film: str
    ) -> None:
        """`redactor` knows every secret of the run, also those that were given out since it began.

        `typed`: credentials are typed, so that only pictures are taken; `no_film`: why there can be no video.
        """
        self.redactor, self.watched, self.is_bad = redactor, watched, is_bad
        self.typed, self.no_film = typed, TYPED if typed else no_film
        self._context: BrowserContext | None = None
        self._last = b""
        """The last step's picture."""
        self._kept: list[tuple[str, bytes, str]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="postdeploy-journey-")

    @property
    def filming(self) -> dict[str, Any]:
        """What a context is made with so that it is filmed, in Playwright's own terms; nothing where it is not."""
        return {} if self.no_film else {"record_video_dir": self._folder.name}

    @contextmanager
    def of(self, context: BrowserContext) -> Iterator[None]:
        """Listen and record in this context until it is about to close; inside of that it does nothing again."""
        if self._context is not None:
            yield
            return
        self._context = context
        self.watched.watch(context)
        if not self.typed:
            context.tracing.start(screenshots=True, snapshots=True, sources=False)
        try:
            yield
        finally:
            self._take(context)

    @contextmanager
    def off_the_record(self) -> Iterator[None]:
        """The trace begins anew after this: for whoever puts credentials in."""
        tracing = None if self._context is None or self.typed else self._context.tracing
        if tracing:
            tracing.stop_chunk()
        yield
        if tracing:
            tracing.start_chunk()

    def picture(self, page: Page, name: str) -> None:
        """A small picture of what the client sees, attached to the step that is running."""
        self._last = _shot(page)
        attach(self._last, name, "webp")

    def end(self) -> list[str]:
        """Attach what was kept where it is needed; a line for each file that was withheld."""
        said: list[str] = []
        if self.watched.troubles:
            attach(self.watched.troubles_text().encode(), "what the browser told", "txt")
        if self.is_bad():
            attach(self.watched.requests_text().encode(), "requests", "txt")
            said = [line for each in (*self._kept, *self._films()) if (line := self._hand_in(*each))]
        self._folder.cleanup()
        return said

    def _take(self, context: BrowserContext) -> None:
        """Take what only an open context can give; whatever cannot be taken is done without."""
        with suppress(Exception):
            # A teardown that fails is known too late for another picture; most journeys end where their last step did.
            shot = _shot(context.pages[-1]) if self.is_bad() or not self._last else self._last
            self._kept.append(("what the client saw last", shot, "webp"))
        with suppress(Exception):
            page = context.pages[-1]
            self._kept.append(("DOM", without_hidden_values(ask(page, WHOLE).encode()), "html"))
        if not self.typed:
            path = Path(self._folder.name) / "trace.zip"
            with suppress(Exception):
                context.tracing.stop(path=path)
                self._kept.append((TRACE, path.read_bytes(), "zip"))

    def _films(self) -> Iterator[tuple[str, bytes, str]]:
        """The videos, which are complete once the context is closed; or why there is none, and what there is."""
        films = sorted(Path(self._folder.name).glob("*.webm"))
        for number, each in enumerate(films, 1):
            yield "video" if number == 1 else f"video {number}", each.read_bytes(), "webm"
        if not films:
            why = self.no_film or "no page was opened that could have been filmed"
            yield NOT_MADE, f"{why}.{'' if self.typed else f' {IN_ITS_PLACE}.'}".encode(), "txt"

    def _hand_in(self, name: str, data: bytes, kind: str) -> str:
        """Attach one file, or say that it was withheld."""
        clean = without_credentials(data) if kind == "zip" else data
        found = leaks(clean, self.redactor)
        if not found:
            attach(clean, name, kind)
            return ""
        short = name.partition(" (")[0]
        said = f"{short} was withheld: it holds {found}"
        attach(said.encode(), f"{short}, withheld", "txt")
        return said


def _shot(page: Page) -> bytes:
    """A picture; a window that was opened just now may not have been drawn, and is looked at once more."""
    try:
        return _small(page)
    except Exception:  # noqa: BLE001  what it is is told by the second look
        ask(page, DRAWN)
        return _small(page)


def _small(page: Page) -> bytes:
    shot = b""
    for quality in (80, 40, 10):
        shot = page.screenshot(type="webp", quality=quality, animations="disabled", caret="hide")
        if len(shot) <= LARGEST_PICTURE:
            break
    return shot
