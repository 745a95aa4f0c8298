"""Real servers on loopback for the tests of the sweep: HTTPS by name, and the raw kind that breaks every rule."""

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
from postdeploy.web.probe import Prober
from postdeploy.web.questions import Question
from postdeploy.web.replies import Answer, Reply
from postdeploy.web.route import Route

RUN_ID = "20261122T190000Z-v2026.47.1-abc123"
ADDRESS = "203.0.113.10"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


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


async def no_rest(seconds: float) -> None:
    """Time does not pass in tests."""


def answers(*hosts: str, address: str = ADDRESS) -> dict[str, tuple[Answer, ...]]:
    """What the DNS would say: one address for all of them."""
    return {host: (Answer(host=host, kind="A", code="NOERROR", addresses=(address,)),) for host in hosts}


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
        port = site._server.sockets[0].getsockname()[1]
        ca_pem = authority.cert_pem.bytes().decode()
        route = Route({f"{ADDRESS} 443": f"127.0.0.1 {port}"}, ca_pem=ca_pem)
        try:
            yield SimpleNamespace(route=route, asked=asked)
        finally:
            await runner.cleanup()

    return serving


@pytest.fixture
def asked(serving):
    """The replies of a handler to some questions."""

    def asked(handler: Handler, *questions: Question, deadline: Deadline | None = None, **how) -> list[Reply]:
        async def go() -> list[Reply]:
            hosts = {each.host for each in questions}
            async with serving(handler, *hosts, **how) as server:
                return await ask_route(server.route, *questions, deadline=deadline)

        return asyncio.run(go())

    return asked


async def ask_route(route: Route, *questions: Question, deadline: Deadline | None = None) -> list[Reply]:
    """The replies to some questions over a route, retries without a pause."""
    known = answers(*{each.host for each in questions})
    async with Prober(route, RUN_ID, deadline or Deadline(30), known, rest=no_rest) as prober:
        return [await prober.ask(each) for each in questions]


@asynccontextmanager
async def raw(converse, tls: ssl.SSLContext | None = None):
    """A server that says what it likes; gives the Route to it."""
    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield {f"{ADDRESS} 443": f"127.0.0.1 {port}", f"{ADDRESS} 80": f"127.0.0.1 {port}"}
