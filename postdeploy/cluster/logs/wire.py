"""Logs over blocking sockets in threads, with the client's own TLS: OpenSSL lets go of the interpreter meanwhile.

asyncio copies every byte several times on its way through TLS. It can send one kind of request, a GET of a path, and
follows no redirect.
"""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from postdeploy.cluster.answers import Answer, answer_of, line
from postdeploy.cluster.logs.stream import BLOCK
from postdeploy.cluster.logs.tls import Tls

THREADS = 256
"""More than there may be streams: it is `pace` that holds back."""


@dataclass(slots=True)
class Got:
    """How one answer ended, and how long its first byte was waited for."""

    answer: Answer
    first_s: float = 0.0


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
        self._base = parts.path.rstrip("/")
        self._tls = tls if parts.scheme == "https" else None
        self._name = name or self._host
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()
        self._threads = anyio.CapacityLimiter(THREADS)

    @classmethod
    def of(cls, api: Any) -> Wire | None:
        """A wire beside a session of the official client; None where a proxy stands in between."""
        settings = api.configuration
        tls = getattr(api.rest_client, "ssl_context", None)
        if settings.proxy or not isinstance(tls, ssl.SSLContext):
            return None
        return cls(settings.host, tls, getattr(settings, "tls_server_name", None))

    async def read(self, path: str, headers: Mapping[str, str], sink: Sink, limit_s: float, silence_s: float) -> Got:
        """Feed the body of one answer through, in a thread; never raises for what the server or the network does."""
        call = _Call(self, path, headers, sink, limit_s, silence_s)
        return await to_thread.run_sync(call.run, limiter=self._threads, abandon_on_cancel=True)

    def close(self) -> None:
        """End the connections that nobody uses."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def connection(self, silence_s: float) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before: then the server may have closed it meanwhile."""
        with suppress(queue.Empty):
            return self._idle.get_nowait(), True
        made = http.client.HTTPConnection(self._host, self._port, timeout=silence_s)
        raw = socket.create_connection((self._host, self._port), timeout=silence_s)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sock = Tls(raw, self._tls, self._name) if self._tls else raw
        return made, False

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        """For the next log."""
        self._idle.put(connection)

    def target(self, path: str) -> str:
        """The path as the server knows it: a cluster may be served below one."""
        return self._base + path


class _Call:
    """One request in its thread."""

    def __init__(
        self,
        wire: Wire,
        path: str,
        headers: Mapping[str, str],
        sink: Sink,
        limit_s: float,
        silence_s: float,
    ) -> None:
        self._wire, self._path, self._headers, self._sink = wire, path, headers, sink
        self._limit_s, self._silence_s = limit_s, silence_s

    def run(self) -> Got:
        """The answer, or what became of it."""
        try:
            return self._ask()
        except TimeoutError:
            return Got(Answer(reason=f"time-out after {self._limit_s:.3g} s"))
        except ssl.SSLCertVerificationError as error:
            return Got(Answer(reason=f"no trusted TLS connection: {line(error)}"))
        except (OSError, http.client.HTTPException) as error:
            return Got(Answer(reason=f"connection cut: {line(error)}", again=True))

    def _ask(self) -> Got:
        began = time.monotonic()
        connection, used = self._wire.connection(self._silence_s)
        try:
            response = self._sent(connection)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            connection.close()
            if not used:
                raise
            connection, _ = self._wire.connection(self._silence_s)  # it had been closed while nobody used it
            response = self._sent(connection)
        first_s = time.monotonic() - began
        try:
            answer = self._body(response, began)
        except BaseException:
            connection.close()
            raise
        if answer.again or response.will_close:
            connection.close()
        else:
            self._wire.give_back(connection)
        return Got(answer, first_s)

    def _sent(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        connection.request("GET", self._wire.target(self._path), headers=dict(self._headers))
        return connection.getresponse()

    def _body(self, response: http.client.HTTPResponse, began: float) -> Answer:
        if response.status != HTTPStatus.OK:
            headers = dict(response.headers.items())
            return answer_of(response.status, headers, response.read())
        buffer, feed = _buffer(), self._sink.feed
        while size := response.readinto(buffer):
            feed(buffer[:size])
            if time.monotonic() - began > self._limit_s:
                raise TimeoutError
        if response.length:
            return Answer(reason="connection cut in the middle of the answer", again=True)
        self._sink.close()
        return Answer(HTTPStatus.OK)


_LOCAL = threading.local()


def _buffer() -> memoryview:
    """The thread's own: allocated once."""
    found: memoryview | None = getattr(_LOCAL, "buffer", None)
    if found is None:
        found = _LOCAL.buffer = memoryview(bytearray(BLOCK))
    return found
