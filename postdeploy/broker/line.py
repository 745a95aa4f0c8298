"""One request after another to the brokerage: recorded, redacted, told; sent again only where nothing had been sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from postdeploy import polling
from postdeploy.broker.recording import Exchange, Fault, Recording
from postdeploy.deadline import Deadline
from postdeploy.redact import Redactor
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    import httpx

    from postdeploy.broker.transport import Ask

FOREVER = float("inf")
SHARES = 5
GIVEN_OUT = ("token", "refresh_token", "challenge")
"""Fields of an answer that let whoever reads them act as the account."""


class NotConnected(Exception):
    """Nothing has been sent, so that sending it now is no repetition."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.kept.fault}: {reply.kept.error}")
        self.reply = reply


@dataclass(frozen=True)
class Reply:
    """An answer: as it is kept, and as it was said, secrets included."""

    kept: Exchange
    number: int
    """Its place in the recording."""
    said: Any = field(default=None, repr=False)


@dataclass
class Line:
    """How to reach the API: the client, where exchanges are kept, and how much time there is."""

    client: httpx.Client
    recording: Recording
    host: str
    server_name: str | None = None
    """The name to ask a certificate for, where the client connects to an address instead."""
    deadline: Deadline = field(default_factory=lambda: Deadline(FOREVER))
    rest: Callable[[float], None] = time.sleep
    tell: Callable[[Exchange, str], None] = lambda exchange, host: None
    """Hears of every exchange, redacted: the report's steps."""
    answer_s: float = FOREVER
    """Longest wait for an answer, below the client's own."""
    pulse: Callable[[], None] = lambda: None
    """Called before each request: keeps the leases alive."""
    secrets: set[str] = field(default_factory=set, repr=False)
    learn: Callable[..., None] = lambda *given_out: None
    """Hears of every token as it is given out: whatever else is written must not hold it either."""
    keep: tuple[str, ...] = ()
    """The synthetic accounts' names: what looks like somebody's address and is not."""

    def send(self, ask: Ask, *, secrets: Iterable[str] = (), once: bool = False) -> Reply:
        """The reply; `once`: not even a missed connection is tried again. Raises Unverified when no time is left."""
        from dataclasses import replace

        self.secrets |= set(secrets)
        ask = replace(ask, server_name=self.server_name)
        tries = 0

        def send() -> Reply:
            nonlocal tries
            tries += 1
            reply = self._send(ask, tries)
            if reply.kept.fault is Fault.CONNECT and not once:
                raise NotConnected(reply)
            return reply

        try:
            return polling.read(send, attempts=[], deadline=self.deadline, retry_on=NotConnected, sleep=self.rest)
        except NotConnected as last:
            return last.reply

    @contextmanager
    def until(self, deadline: Deadline) -> Iterator[None]:
        """Another budget for a while: what undoes has a reserve of its own, whatever the run has spent.

        One silent answer must not cost all of it, for what came of the request has still to be looked at.
        """
        before = self.deadline, self.answer_s
        self.deadline, self.answer_s = deadline, min(self.answer_s, deadline.budget_s / SHARES)
        try:
            yield
        finally:
            self.deadline, self.answer_s = before

    def _send(self, ask: Ask, look: int) -> Reply:
        from postdeploy.broker import transport  # late: httpx is paid for by a run that asks

        left = self.deadline.left()
        if left <= 0:
            raise Unverified(f"the run's time was spent before {ask.method} https://{self.host}{ask.path} was sent")
        self.pulse()
        raw = transport.exchange(self.client, ask, min(left, self.answer_s), look)
        kept = self.recording.add(raw, self._redactor(raw.response))
        self.tell(kept, self.host)
        return Reply(kept, len(self.recording.exchanges) - 1, raw.response)

    def _redactor(self, said: Any) -> Redactor:
        """One that knows every password, code and token given out so far, this answer's included."""
        if isinstance(said, dict):
            given_out = {said[name] for name in GIVEN_OUT if isinstance(said.get(name), str)} - self.secrets
            self.secrets |= given_out
            self.learn(*given_out)
        return Redactor(self.secrets, keep=self.keep)
