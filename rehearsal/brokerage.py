"""The brokerage of the rehearsal: its public hosts and their pages, and the API v1 behind one of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from postdeploy.environment import Environment
from rehearsal.client_api import ClientApi
from rehearsal.front import FrontSettings
from rehearsal.moods_web import WebMood
from rehearsal.pages import maintenance_page
from rehearsal.web_client import WebClient

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class HostSettings:
    """What one public host answers; a fault changes it, a healthy host is the default."""

    version: str
    """What `/version` says is running here."""
    status: int = 200
    """Status of `/health`; anything but 200 comes with `{"status": "failing"}`."""
    body: str | None = None
    """Body of `/health` instead of the usual one."""
    maintenance: bool = False
    """Whether every page is the maintenance page, with status 200 as a careless front proxy sends it."""
    latency_s: float = 0.0
    """Delay before any answer, seconds."""


class Brokerage:
    """One brokerage for all hosts of an environment; what it must not forget is in `state`, a file of SQLite."""

    def __init__(
        self, environment: Environment, release: str, seed: int, password: str, state: Path | None = None
    ) -> None:
        self.environment = environment
        self.release = release
        self.build = f"{random.Random(f'build {release}').getrandbits(40):010x}"
        self.settings = {host: HostSettings(version=release) for host in environment.hosts}
        self.clients = ClientApi(environment, seed, password, state)
        self.api = self.clients.settings
        self.web = WebMood()
        self.brands = {each.host: each for each in environment.brands.values()}

    def client(self, front: FrontSettings) -> WebClient:
        """The pages of its web client, by the builds that these fronts serve."""
        return WebClient(front, self.clients, self.web)

    def app(self, client: WebClient | None = None) -> web.Application:
        """The application that serves every declared host, told apart by the Host header."""
        app = web.Application(middlewares=[self._as_host])
        app.router.add_get("/health", self._health)
        app.router.add_get("/version", self._version)
        app.add_routes(self.clients.routes())
        app.add_routes(client.routes() if client else ())
        app.on_response_prepare.append(self.clients.stamp)
        return app

    @web.middleware
    async def _as_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = host_of(request)
        settings = self.settings.get(host)
        if settings is None:
            return web.json_response({"error": f"unknown host {host!r}"}, status=404)
        await asyncio.sleep(settings.latency_s)
        if settings.maintenance:
            return web.Response(text=maintenance_page(self.brands.get(host)), content_type="text/html")
        return await handler(request)

    async def _health(self, request: web.Request) -> web.Response:
        settings = self.settings[host_of(request)]
        if settings.body is not None:
            return web.Response(text=settings.body, status=settings.status, content_type="application/json")
        word = "ok" if settings.status == 200 else "failing"
        checks = dict.fromkeys(("database", "cache", "broker"), word)
        return web.json_response({"status": word, "checks": checks}, status=settings.status)

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": self.settings[host_of(request)].version, "build": self.build})


def host_of(request: web.Request) -> str:
    """The host the client asked for, without the port the rehearsal happens to listen on."""
    return request.host.rsplit(":", 1)[0].lower()
