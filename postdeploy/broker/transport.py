"""The HTTP under the API's client, over the network or out of a recording (imports httpx: import late)."""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import msgspec

from postdeploy.broker.paths import KEY_HEADER
from postdeploy.broker.recording import TEXT_LIMIT, Exchange, Fault

CONNECT_S = 5.0
ANSWER_S = 15.0
"""From the first byte sent to the last byte read."""
BODY_LIMIT = 4 * 1024 * 1024


def open_client(origin: str, headers: Mapping[str, str], tls: ssl.SSLContext | None, proxied: bool) -> httpx.Client:
    """A client of one host; `proxied` lets it go through the proxy this machine is told to use."""
    verify = httpx.create_ssl_context() if tls is None else tls
    # One connection a request: an idle one that the server has just closed looks like an answer broken off, and a
    # login is not sent twice to find out.
    once = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=origin, headers=dict(headers), verify=verify, trust_env=proxied, limits=once)


@dataclass(frozen=True)
class Ask:
    """One request to be sent."""

    method: str
    path: str
    body: Any = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    server_name: str | None = None
    """The name to ask a certificate for, where the client connects to an address."""
    key: str = ""
    """Idempotency key."""

    def made(self, client: httpx.Client, limit_s: float) -> httpx.Request:
        """The request, with explicit time-outs."""
        return client.build_request(
            self.method,
            self.path,
            json=self.body,
            headers=self._headers(),
            timeout=httpx.Timeout(limit_s, connect=min(CONNECT_S, limit_s)),
            extensions={"sni_hostname": self.server_name} if self.server_name else None,
        )

    def _headers(self) -> dict[str, str]:
        key = {KEY_HEADER: self.key} if self.key else {}
        return key if self.token is None else {**key, "Authorization": f"Bearer {self.token}"}


def exchange(client: httpx.Client, ask: Ask, limit_s: float, look: int = 1) -> Exchange:
    """Send a request once and say what came of it; unredacted, so never to be kept as it is."""
    began, at = monotonic(), datetime.now(UTC)
    limit = min(ANSWER_S, limit_s)
    status, is_json, response, served, fault, error = 0, False, None, "", None, ""
    try:
        status, served, raw = _send(client, ask.made(client, limit), began + limit)
        is_json, response = _decode(raw)
    except httpx.TransportError as failure:
        fault, error = fault_of(failure)
    return Exchange(
        at=at,
        duration_s=round(monotonic() - began, 6),
        method=ask.method,
        path=ask.path,
        authorised=ask.token is not None,
        look=look,
        idempotency_key=ask.key,
        request=ask.body,
        status=status,
        is_json=is_json,
        response=response,
        served=served,
        fault=fault,
        error=error,
    )


def fault_of(failure: httpx.TransportError) -> tuple[Fault, str]:
    """What kept a request from being answered, told by the whole chain of causes."""
    chain = list(_chain(failure))
    own = str(failure) or str(chain[-1]) or type(failure).__name__
    for cause in chain:
        handshake = isinstance(failure, httpx.ConnectError) and isinstance(cause, ssl.SSLError)
        if handshake and not isinstance(cause, ssl.SSLEOFError):
            return Fault.CERTIFICATE, getattr(cause, "verify_message", "") or str(cause)
        if isinstance(cause, socket.gaierror):
            return Fault.CONNECT, f"the name does not resolve: {cause.strerror}"
    match failure:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
            return Fault.CONNECT, own
        case httpx.TimeoutException():
            return Fault.TIME_OUT, own
    return Fault.CUT_OFF, own


def _send(client: httpx.Client, request: httpx.Request, end: float) -> tuple[int, str, bytes]:
    response = client.send(request, stream=True, follow_redirects=False)
    raw = bytearray()
    try:
        for chunk in response.iter_raw():
            raw += chunk
            if len(raw) > BODY_LIMIT:
                raise httpx.ReadError(f"the answer is longer than {BODY_LIMIT >> 20} MiB")
            if monotonic() > end:
                raise httpx.ReadTimeout("the answer dripped in too slowly")
    finally:
        response.close()
    unpacked = _unpacked(bytes(raw), response.headers.get("content-encoding", ""))
    return response.status_code, response.headers.get("date", ""), unpacked


def _unpacked(raw: bytes, encoding: str) -> bytes:
    """What a server sent that compresses although it was asked not to, unpacked no further than the limit."""
    if encoding not in ("gzip", "deflate"):
        return raw
    try:
        return zlib.decompressobj(wbits=47).decompress(raw, BODY_LIMIT)
    except zlib.error:
        return raw


def _decode(raw: bytes) -> tuple[bool, Any]:
    try:
        return True, msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False, raw[:TEXT_LIMIT].decode("utf-8", "replace")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
