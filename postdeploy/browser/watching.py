"""What a browser did while a journey was made: every request of it, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Request


@dataclass
class Watched:
    """One journey as the browser tells it."""

    journey: str
    """What it is called: the check's title."""
    shop: str
    step: str = ""
    """The step it is at."""
    requests: list[str] = field(default_factory=list)
    """Method, address and answer of each request, without what follows a question mark."""

    def watch(self, context: BrowserContext) -> None:
        """Listen from now on."""
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)

    def requests_text(self) -> str:
        """One line a request."""
        return "\n".join(self.requests) or "no request was made"

    def _finished(self, request: Request) -> None:
        answer = request.existing_response
        self.requests.append(
            f"{self.step or 'before'}: {request.method} {_address(request)} {answer.status if answer else '?'}"
        )

    def _failed(self, request: Request) -> None:
        self.requests.append(f"{self.step or 'before'}: {request.method} {_address(request)} failed: {request.failure}")


def _address(request: Request) -> str:
    return request.url.partition("?")[0]
