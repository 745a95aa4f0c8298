"""Two hosts behind TLS on loopback, with a certificate authority of their own, for the tests of the sweep."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import trustme
from aiohttp import web

from postdeploy.deadline import Deadline
from postdeploy.web.route import Route
from postdeploy.web.sweep import Sweep, sweep

RUN_ID = "20261122T190000Z-v2026.47.1-abc123"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificates(authority):
    """Server contexts by the name they are good for, made once: keys are slow."""
    made: dict[str, ssl.SSLContext] = {}

    def certificate(name: str) -> ssl.SSLContext:
        if name not in made:
            made[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(name).configure_cert(made[name])
        return made[name]

    return certificate


@pytest.fixture
def serving(authority, certificates):
    """Serves a handler on one port for several hosts, the certificate chosen by SNI; gives the Route there."""

    @asynccontextmanager
    async def serving(handler: Handler, *hosts: str, shown: dict[str, str] | None = None):
        front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("nobody.example").configure_cert(front)
        asked: list[str] = []

        def choose(connection, name, context):
            asked.append(name)
            connection.context = certificates((shown or {}).get(name, name))

        front.sni_callback = choose
        runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=front)
        await site.start()
        address = f"127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        route = Route(hosts=dict.fromkeys(hosts, address), ca_pem=authority.cert_pem.bytes().decode())
        try:
            yield SimpleNamespace(route=route, asked=asked)
        finally:
            await runner.cleanup()

    return serving


@pytest.fixture
def swept(serving):
    """The sweep over hosts that a handler answers for."""

    def swept(handler: Handler, *hosts: str, deadline: Deadline | None = None, **how) -> Sweep:
        async def go() -> Sweep:
            async with serving(handler, *hosts, **how) as server:
                environment = SimpleNamespace(name="uk-test", hosts=hosts)
                return await sweep(environment, server.route, deadline=deadline or Deadline(30), run_id=RUN_ID)

        return asyncio.run(go())

    return swept
