"""A loopback server for the backends' tests: HTTPS for Loki, plain HTTP for recorded answers of Cloud Logging."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trustme
from aiohttp import web

from postdeploy.cluster.logs.kinds import Kinds
from postdeploy.cluster.logs.scanner import scanner
from postdeploy.cluster.logs.stream import Stream
from postdeploy.redact import Redactor

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def stream() -> Stream:
    return Stream(scanner(), Kinds(Redactor().text))


@dataclass(frozen=True)
class Place:
    """Where it is served, and whom to trust."""

    address: str
    tls: ssl.SSLContext


@asynccontextmanager
async def serving(handler: Handler, *, host: str = "", method: str = "GET") -> AsyncIterator[Place]:
    """Serve one handler for every path; with a host over TLS."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host or "localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    app = web.Application()
    app.router.add_route(method, "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server if host else None).start()
        yield Place(f"127.0.0.1:{runner.addresses[0][1]}", client)
    finally:
        await runner.cleanup()
