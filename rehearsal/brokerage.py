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
from rehearsal.pages import login_page, maintenance_page

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
        self.brands = {each.host: each for each in environment.brands.values()}

    def app(self) -> web.Application:
        """The application that serves every declared host, told apart by the Host header."""
        app = web.Application(middlewares=[self._as_host])
        app.router.add_get("/health", self._health)
        app.router.add_get("/version", self._version)
        app.router.add_get("/login", self._login_page)
        app.router.add_post("/login", self._login_form)
        app.add_routes(self.clients.routes())
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

    async def _login_page(self, request: web.Request, error: bool = False) -> web.Response:
        brand = self.brands.get(host_of(request))
        if brand is None:
            return web.json_response({"error": "this host has no pages"}, status=404)
        return web.Response(text=login_page(brand, error), status=401 if error else 200, content_type="text/html")

    async def _login_form(self, request: web.Request) -> web.Response:
        form = await request.post()
        login = str(form.get("username", ""))
        status, _ = self.clients.doors.enter(login, str(form.get("password", "")))
        if status != 200:
            return await self._login_page(request, error=True)
        self.clients.doors.grant(login)
        return web.Response(status=303, headers={"Location": "/"})


def host_of(request: web.Request) -> str:
    """The host the client asked for, without the port the rehearsal happens to listen on."""
    return request.host.rsplit(":", 1)[0].lower()
