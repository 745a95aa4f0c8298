"""Logs over blocking sockets in threads, with the client's own TLS: OpenSSL lets go of the interpreter meanwhile.

asyncio copies every byte several times on its way through TLS. It can send one kind of request, a GET of a path, and
follows no redirect.
"""

from __future__ import annotations

import copy
import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias, cast
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from postdeploy.cluster.answers import Answer, answer_of, line
from postdeploy.cluster.logs.pace import FAR_S
from postdeploy.cluster.logs.stream import BLOCK
from postdeploy.cluster.logs.tls import Tls

THREADS = 256
"""More than there may be streams: it is `pace` that holds back."""
FAR_OFTEN = 2
"""So many late first bytes in a row are no accident."""
Connection: TypeAlias = socket.socket | Tls


@dataclass(frozen=True, slots=True)
class Ask:
    """One log that is wanted, and where its bytes go."""

    path: str
    sink: Sink


@dataclass(slots=True)
class Got:
    """How one answer ended, how long its first byte was waited for, how long it took, and how much work it was."""

    answer: Answer
    first_s: float = 0.0
    whole_s: float = 0.0
    cpu_s: float = 0.0


class Sink(Protocol):
    """Takes a body as it comes."""

    def feed(self, chunk: memoryview, /) -> None:
        """The next bytes, in a buffer that is used again."""

    def close(self) -> object:
        """There are no more; what is left to be done with them is done in the same thread."""


class Wire:
    """Connections to one API server, kept for the next log."""

    def __init__(self, server: str, tls: ssl.SSLContext | None, name: str | None = None) -> None:
        """`name` is what the server's certificate is checked for, where that is not its address."""
        parts = urlsplit(server)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._netloc = parts.netloc.rpartition("@")[2]
        self._base = parts.path.rstrip("/")
        self._tls = tls if parts.scheme == "https" else None
        self._name = name or self._host
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._threads = anyio.CapacityLimiter(THREADS)

    @classmethod
    def of(cls, api: Any) -> Wire | None:
        """A wire beside a session of the official client; None where a proxy stands in between."""
        settings = api.configuration
        tls = getattr(api.rest_client, "ssl_context", None)
        if settings.proxy or not isinstance(tls, ssl.SSLContext):
            return None
        return cls(settings.host, tls, getattr(settings, "tls_server_name", None))

    def anew(self) -> Wire:
        """The same, with connections of its own."""
        made = copy.copy(self)
        made._idle = queue.LifoQueue()
        return made

    async def read(self, path: str, headers: Mapping[str, str], sink: Sink, limit_s: float, silence_s: float) -> Got:
        """Feed the body of one answer through, in a thread; never raises for what the server or the network does."""
        return (await self.read_all([Ask(path, sink)], headers, limit_s, silence_s))[0]

    async def read_all(
        self, asked: Sequence[Ask], headers: Mapping[str, str], limit_s: float, silence_s: float
    ) -> list[Got]:
        """The same for several, one after another in one thread: what a thread costs is paid once.

        Ends early, with fewer answers than were asked for, behind one that went wrong, which may ask for a pause, and
        where they come from far away: there only more of them at once help.
        """
        calls = _Calls(self, asked, headers, limit_s, silence_s)
        try:
            return await to_thread.run_sync(calls.run, limiter=self._threads, abandon_on_cancel=True)
        finally:
            calls.are_over = True

    def read_here(
        self, asked: Sequence[Ask], headers: Mapping[str, str], limit_s: float, silence_s: float
    ) -> list[Got]:
        """The same in the thread that asks."""
        return _Calls(self, asked, headers, limit_s, silence_s).run()

    def close(self) -> None:
        """End the connections that nobody uses."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def connection(self, silence_s: float) -> tuple[Connection, bool]:
        """A connection, and whether it was used before: then the server may have closed it meanwhile."""
        with suppress(queue.Empty):
            return self._idle.get_nowait(), True
        raw = socket.create_connection((self._host, self._port), timeout=silence_s)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Tls(raw, self._tls, self._name) if self._tls else raw, False

    def give_back(self, connection: Connection) -> None:
        """For the next log."""
        self._idle.put(connection)

    def head(self, headers: Mapping[str, str]) -> tuple[str, bytes]:
        """A request before and behind its path: a cluster may be served below one. Raises ValueError."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": self._netloc} | dict(headers)).items())
        if lines.count("\n") != len(headers) + 1 or lines.count("\r") != len(headers) + 1:
            raise ValueError("a header of more than one line")
        return f"GET {self._base}", f" HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


class _Calls:
    """Some requests in their thread."""

    def __init__(
        self, wire: Wire, asked: Sequence[Ask], headers: Mapping[str, str], limit_s: float, silence_s: float
    ) -> None:
        self._wire, self._asked = wire, asked
        self._before, self._behind = wire.head(headers)
        self._limit_s, self._silence_s = limit_s, silence_s
        self.are_over = False
        """Whether nobody waits for them any more."""

    def run(self) -> list[Got]:
        """The answers, or what became of them."""
        found: list[Got] = []
        far = 0
        for each in self._asked:
            began, worked = time.monotonic(), time.thread_time()
            got = self._one(each, began)
            got.whole_s, got.cpu_s = time.monotonic() - began, time.thread_time() - worked
            found.append(got)
            far = far + 1 if got.first_s > FAR_S else 0
            if got.answer.reason or far == FAR_OFTEN or self.are_over:
                break
        return found

    def _one(self, ask: Ask, began: float) -> Got:
        try:
            return self._ask(ask, began)
        except TimeoutError:
            return Got(Answer(reason=f"time-out after {self._limit_s:.3g} s"))
        except ssl.SSLCertVerificationError as error:
            return Got(Answer(reason=f"no trusted TLS connection: {line(error)}"))
        except (OSError, http.client.HTTPException) as error:
            return Got(Answer(reason=f"connection cut: {line(error)}", again=True))

    def _ask(self, ask: Ask, began: float) -> Got:
        connection, used = self._wire.connection(self._silence_s)
        try:
            response = self._sent(connection, ask.path)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if not used:
                raise
            connection, _ = self._wire.connection(self._silence_s)  # it had been closed while nobody used it
            response = self._sent(connection, ask.path)
        first_s = time.monotonic() - began
        try:
            answer = self._body(response, ask.sink, began)
        except BaseException:
            connection.close()
            raise
        if answer.again or response.will_close:
            connection.close()
        else:
            self._wire.give_back(connection)
        return Got(answer, first_s)

    def _sent(self, connection: Connection, path: str) -> http.client.HTTPResponse:
        try:
            connection.sendall(f"{self._before}{path}".encode("ascii") + self._behind)
            response = http.client.HTTPResponse(cast("socket.socket", connection), method="GET")
            response.begin()
        except BaseException:
            connection.close()
            raise
        return response

    def _body(self, response: http.client.HTTPResponse, sink: Sink, began: float) -> Answer:
        if response.status != HTTPStatus.OK:
            headers = dict(response.headers.items())
            return answer_of(response.status, headers, response.read())
        buffer, feed = _buffer(), sink.feed
        while size := response.readinto(buffer):
            feed(buffer[:size])
            if self.are_over or time.monotonic() - began > self._limit_s:
                raise TimeoutError
        if response.length:
            return Answer(reason="connection cut in the middle of the answer", again=True)
        sink.close()
        return Answer(HTTPStatus.OK)


_LOCAL = threading.local()


def _buffer() -> memoryview:
    """The thread's own: allocated once."""
    found: memoryview | None = getattr(_LOCAL, "buffer", None)
    if found is None:
        found = _LOCAL.buffer = memoryview(bytearray(BLOCK))
    return found
