"""Connections that know themselves: which address, how long each step took, which certificates were shown.

A pool belongs to one host at one address, so that no connection, and with it no certificate, is ever shared by two.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import perf_counter
from typing import Any

import httpcore
import httpx

from postdeploy.web.replies import Link, Phases
from postdeploy.web.route import Route
from postdeploy.web.troubles import HandshakeTimeOut

WIRE = "wire"
CONNECTIONS = 2
"""To one host that speaks HTTP/1.1; HTTP/2 needs one."""


@dataclass
class Wire:
    """One connection, as it was made."""

    address: str
    resolve_s: float = 0.0
    connect_s: float = 0.0
    tls_s: float = 0.0
    tls: str = ""
    cipher: str = ""
    chain: tuple[bytes, ...] = ()
    is_told: bool = False
    """Whether some reply has accounted for the time it took."""

    def phases(self, began: float, answered: float, ended: float) -> Phases:
        """Where the time of a request over it went; the first one pays for the connection."""
        opening = 0.0 if self.is_told else self.connect_s + self.tls_s
        resolve, connect, tls = (0.0, 0.0, 0.0) if self.is_told else (self.resolve_s, self.connect_s, self.tls_s)
        self.is_told = True
        return Phases(
            resolve_s=_rounded(resolve),
            connect_s=_rounded(connect),
            tls_s=_rounded(tls),
            first_byte_s=_rounded(max(answered - began - opening, 0.0)),
            total_s=_rounded(ended - began + resolve),
        )


class Pool:
    """The connections to one host at one address."""

    def __init__(
        self, route: Route, tls: ssl.SSLContext, address: str, resolve_s: float = 0.0, proxy: str = ""
    ) -> None:
        self._proxy = proxy
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            http1=True,
            http2=True,
            max_connections=CONNECTIONS,
            network_backend=_Backend(route, address, resolve_s, proxy),
            proxy=httpcore.Proxy(proxy) if proxy else None,
        )

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The response, its body still to be read; what goes wrong is httpcore's."""
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> Any:
        async for each in self._stream:
            yield each

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects to one public address, wherever that lies."""

    def __init__(self, route: Route, address: str, resolve_s: float, proxy: str) -> None:
        self._plain = httpcore.AnyIOBackend()
        self._route, self._address, self._resolve_s, self._proxy = route, address, resolve_s, proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's own interface, here and below
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        there, number = (host, port) if self._proxy else self._route.place(self._address, port)
        began = perf_counter()
        stream = await self._plain.connect_tcp(there, number, timeout=timeout, socket_options=socket_options)
        return _Stream(stream, Wire(self._address, self._resolve_s, perf_counter() - began))

    async def sleep(self, seconds: float) -> None:
        await self._plain.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that notes how its handshake went."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, wire: Wire) -> None:
        self._stream, self._wire = stream, wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        began = perf_counter()
        try:
            stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except httpcore.ConnectTimeout as error:
            raise HandshakeTimeOut(str(error)) from error
        self._wire.tls_s = perf_counter() - began
        inside = stream.get_extra_info("ssl_object")
        if inside is not None:
            self._wire.tls = inside.version() or ""
            self._wire.cipher = (inside.cipher() or ("",))[0]
            self._wire.chain = shown(inside, verified=True)
        return _Stream(stream, self._wire)

    def get_extra_info(self, info: str) -> Any:
        return self._wire if info == WIRE else self._stream.get_extra_info(info)


def shown(inside: Any, *, verified: bool) -> tuple[bytes, ...]:
    """The chain of certificates as DER, the host's own first: as it was verified, or just as it was sent."""
    raw = getattr(inside, "_sslobj", inside)  # public from 3.13 on
    found = raw.get_verified_chain() if verified else raw.get_unverified_chain()
    return tuple(each if isinstance(each, bytes) else each.public_bytes(2) for each in found or ())


def wire_of(extensions: Mapping[str, Any]) -> Wire | None:
    """The connection a response came over."""
    stream = extensions.get("network_stream")
    found = stream.get_extra_info(WIRE) if stream is not None else None
    return found if isinstance(found, Wire) else None


def link_of(wire: Wire, http: str) -> Link:
    """The connection as it is kept."""
    return Link(
        address=wire.address,
        tls=wire.tls,
        cipher=wire.cipher,
        http=http,
        chain=tuple(sha256(each).hexdigest() for each in wire.chain),
        verified=bool(wire.chain),
    )


def _rounded(seconds: float) -> float:
    return round(seconds, 6)
