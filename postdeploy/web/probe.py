"""Sends a request and says what came back, bounded in time, size and repetitions (imports httpx: import late)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

import httpx
import msgspec

from postdeploy import polling
from postdeploy.evidence.results import Attempt
from postdeploy.redact import Redactor
from postdeploy.verdict import Unverified, Verdict
from postdeploy.web.headers import synthetic, traceparent
from postdeploy.web.replies import Fault, Reply
from postdeploy.web.route import Route

if TYPE_CHECKING:
    from postdeploy.deadline import Deadline

CONNECT_S = 5.0
REQUEST_S = 15.0
"""From the first byte sent to the last byte read, however slowly they drip."""
RETRIED = frozenset({Fault.RESOLVE, Fault.CONNECT, Fault.CUT_OFF})
"""No answer has been seen. A certificate, a status and a slow answer are verdicts, and never asked for twice."""
BODY_LIMIT = 64 * 1024
WHO_ANSWERED = ("location", "server", "via", "x-cache", "x-request-id")
KEPT = frozenset(("age", "cache-control", "content-encoding", "content-type", "date", "retry-after", *WHO_ANSWERED))

Ask = Callable[[str], Awaitable[Reply]]


class Unanswered(Exception):
    """A look that may be repeated, with what came of it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.fault}: {reply.error}")
        self.reply = reply


class Prober:
    """Sends the requests of one run."""

    def __init__(
        self,
        route: Route,
        run_id: str,
        deadline: Deadline,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.route = route
        self.run_id = run_id
        self.deadline = deadline
        self.rest = rest
        self.tls = route.trust()
        self.redactor = Redactor()

    @asynccontextmanager
    async def visit(self, host: str) -> AsyncIterator[Ask]:
        """What asks this host for a path. The client is the host's own: a pool goes by address, and would hand one
        host's connection, and with it its certificate, to another behind the same address.
        """
        try:
            origin = self.route.origin(host)
        except Unverified as error:
            unrouted = str(error)

            async def ask_nobody(path: str) -> Reply:
                return Reply(host=host, path=path, fault=Fault.NOT_LOOKED, error=unrouted)

            yield ask_nobody
            return
        client = self._client(host, origin)

        async def ask(path: str) -> Reply:
            return await self._ask(client, host, path)

        async with client:
            yield ask

    def _client(self, host: str, origin: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=origin,
            verify=self.tls,
            headers={"Host": host, **synthetic(self.run_id)},
            timeout=httpx.Timeout(REQUEST_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
            trust_env=self.route.is_real,  # loopback never goes through a proxy
        )

    async def _ask(self, client: httpx.AsyncClient, host: str, path: str) -> Reply:
        attempts: list[Attempt] = []

        async def send() -> Reply:
            at = datetime.now(UTC)
            reply = await self._look(client, host, path)
            attempts.append(_attempt(at, reply))
            if reply.fault in RETRIED:
                raise Unanswered(reply)
            return reply

        try:
            reply = await polling.read_async(
                send, attempts=[], deadline=self.deadline, retry_on=Unanswered, sleep=self.rest
            )
        except Unanswered as last:
            reply = last.reply
        return msgspec.structs.replace(reply, attempts=tuple(attempts))

    async def _look(self, client: httpx.AsyncClient, host: str, path: str) -> Reply:
        left = self.deadline.left()
        trace = traceparent(self.run_id, host, path)
        if left <= 0:
            return Reply(host=host, path=path, fault=Fault.NOT_LOOKED, error="the run's time was spent before its turn")
        began = perf_counter()
        try:
            async with asyncio.timeout(min(REQUEST_S, left)):
                reply = await self._send(client, host, path, trace)
        except TimeoutError:
            spent = left < REQUEST_S
            fault = Fault.NOT_LOOKED if spent else Fault.TIME_OUT
            error = "the run's time ended while waiting" if spent else f"no complete answer within {REQUEST_S:g} s"
        except Exception as failure:  # noqa: BLE001  what one host does must not cost the others their verdict
            fault, error = fault_of(failure)
        else:
            return msgspec.structs.replace(reply, elapsed_s=round(perf_counter() - began, 6))
        elapsed = round(perf_counter() - began, 6)
        return Reply(host=host, path=path, fault=fault, error=error, elapsed_s=elapsed, trace=trace)

    async def _send(self, client: httpx.AsyncClient, host: str, path: str, trace: str) -> Reply:
        extensions = self.route.server_name(host)
        async with client.stream("GET", path, headers={"traceparent": trace}, extensions=extensions) as response:
            raw = bytearray()
            async for chunk in response.aiter_raw():
                raw += chunk
                if len(raw) > BODY_LIMIT:
                    break
        text, cut = _text(bytes(raw), response)
        kept = {name: self.redactor.text(value) for name, value in response.headers.items() if name in KEPT}
        return Reply(
            host=host,
            path=path,
            status=response.status_code,
            headers=kept,
            body=self.redactor.text(text),
            cut=cut,
            trace=trace,
        )


def fault_of(failure: Exception) -> tuple[Fault, str]:
    """What kept a request from being answered, told by the whole chain of causes."""
    chain = list(_chain(failure))
    for cause in chain:
        match cause:
            case socket.gaierror():
                return Fault.RESOLVE, f"{cause.strerror} ({cause.errno})"
            case ssl.SSLError() if isinstance(failure, httpx.ConnectError) and not isinstance(cause, ssl.SSLEOFError):
                return Fault.CERTIFICATE, getattr(cause, "verify_message", "") or str(cause)
    own = str(failure) or str(chain[-1]) or type(failure).__name__
    match failure:
        case httpx.ConnectError() | httpx.ProxyError():
            return Fault.CONNECT, own
        case httpx.ConnectTimeout():
            return Fault.CONNECT, f"no connection within {CONNECT_S:g} s"
        case httpx.TimeoutException():
            return Fault.TIME_OUT, f"no answer within {REQUEST_S:g} s"
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return Fault.CUT_OFF, own
    return Fault.NOT_LOOKED, f"harness error: {type(failure).__name__}: {failure}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _attempt(at: datetime, reply: Reply) -> Attempt:
    match reply.fault:
        case None:
            return Attempt(at, reply.elapsed_s, Verdict.PASSED, f"answered {reply.status}")
        case Fault.NOT_LOOKED:
            return Attempt(at, reply.elapsed_s, Verdict.UNVERIFIED, reply.error)
    return Attempt(at, reply.elapsed_s, Verdict.FAILED, f"{reply.fault}: {reply.error}")


def _text(raw: bytes, response: httpx.Response) -> tuple[str, bool]:
    """The body's first 64 KiB as text, unpacked no further than that, and whether there was more."""
    body = raw
    if response.headers.get("content-encoding", "identity") in ("gzip", "deflate"):
        unpacked = zlib.decompressobj(wbits=47)
        try:
            body = unpacked.decompress(raw, BODY_LIMIT + 1)
        except zlib.error:
            body = raw
    return body[:BODY_LIMIT].decode("utf-8", "replace"), len(body) > BODY_LIMIT
