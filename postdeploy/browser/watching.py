"""What a browser did while a journey was made, and what went wrong in it, as the browser itself tells it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from postdeploy.browser import expect
from postdeploy.browser.asking import ask
from postdeploy.browser.experience import Experience

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Page, Request, WebError

Kind = Literal["errors", "requests", "answers", "console", "mixed", "blank", "session"]
OURS = ("net::ERR_ABORTED", "net::ERR_BLOCKED_BY_CLIENT")
"""Requests that a page gave up when it was left, and those that a blocker or our own guard did not let pass."""
OF_THE_NETWORK = "Failed to load resource"
MIXED = "Mixed Content"
MOST = 500
"""Findings kept of one journey: a storm is told by its first ones."""
NOTHING_TO_SEE = "() => !document.body || !document.body.innerText.trim()"
FILLS_MS = 2000
"""How long a page may show nothing while its script puts it together."""


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong in a page."""

    kind: Kind
    step: str
    text: str


@dataclass
class Watched:
    """One journey as the browser tells it."""

    journey: str
    """What it is called: the check's title."""
    shop: str
    hosts: frozenset[str] = frozenset()
    """Those of the product: what strangers' hosts answer is not its fault."""
    stays: str = ""
    """Path at which a client who is signed in must not end up; empty: signing in or out is the journey itself."""
    experience: Experience = field(default_factory=Experience)
    """The run's, which all journeys share."""
    step: str = ""
    """The step it is at."""
    requests: list[str] = field(default_factory=list)
    """Method, address and answer of each request, without what follows a question mark."""
    troubles: list[Trouble] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Listen from now on."""
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)
        context.on("weberror", self._erred)
        context.on("console", self._said)
        context.on("page", self._opened)
        for page in context.pages:
            self._opened(page)

    def look(self, page: Page) -> None:
        """Whether there is anything to see at the end of a step."""
        with suppress(Exception):  # a page that is on its way elsewhere, or gone, is somebody else's finding
            if page.url != "about:blank" and ask(page, NOTHING_TO_SEE) and not _fills(page):
                self.note("blank", f"{address(page.url)} shows nothing at all")

    def note(self, kind: Kind, text: str) -> None:
        """Keep a finding with the step it came from."""
        if len(self.troubles) < MOST:
            self.troubles.append(Trouble(kind, self.step or "before the first step", " ".join(text.split())[:500]))

    def requests_text(self) -> str:
        """One line a request."""
        return "\n".join(self.requests) or "no request was made"

    def troubles_text(self) -> str:
        """One line a finding."""
        return "\n".join(f"{each.kind}: at {each.step!r}: {each.text}" for each in self.troubles)

    def _opened(self, page: Page) -> None:
        page.on("framenavigated", self._went)

    def _finished(self, request: Request) -> None:
        answer = request.existing_response
        status = answer.status if answer else 0
        self._list(request, str(status or "?"))
        if status >= 400 and self._is_ours(request.url):
            self.note("answers", f"{request.method} {address(request.url)} was answered {status}")
        if request.url.startswith("http://"):
            self.note("mixed", f"{address(request.url)} was loaded without encryption")

    def _failed(self, request: Request) -> None:
        why = request.failure or "no reason given"
        self._list(request, f"failed: {why}")
        if self._is_ours(request.url) and not why.startswith(OURS):
            self.note("requests", f"{request.method} {address(request.url)} failed: {why}")

    def _list(self, request: Request, outcome: str) -> None:
        if len(self.requests) < 10 * MOST:
            self.requests.append(f"{self.step or 'before'}: {request.method} {address(request.url)} {outcome}")

    def _erred(self, error: WebError) -> None:
        self.note("errors", str(error.error))

    def _said(self, message: ConsoleMessage) -> None:
        if message.text.startswith(MIXED):
            self.note("mixed", message.text)
        elif message.type == "error" and not message.text.startswith(OF_THE_NETWORK):
            self.note("console", message.text)

    def _went(self, frame: Frame) -> None:
        if self.stays and frame.parent_frame is None and urlsplit(frame.url).path == self.stays:
            self.note("session", f"the client was sent to {self.stays}")

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url).hostname in self.hosts


def _fills(page: Page) -> bool:
    """Whether something comes to be seen. By an assertion, for a strict policy blocks scripts that wait."""
    try:
        expect(page.locator("body")).to_have_text(re.compile(r"\S"), use_inner_text=True, timeout=FILLS_MS)
    except AssertionError:
        return False
    return True


def address(url: str) -> str:
    """Where a request went, without what may be anybody's secret."""
    return url.partition("?")[0].partition("#")[0][:300]
