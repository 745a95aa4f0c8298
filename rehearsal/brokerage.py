"""The brokerage of the rehearsal: public hosts, login page and API v1, as thin as the checks that look at them."""

from __future__ import annotations

import asyncio
import hmac
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from postdeploy.environment import Environment
from rehearsal.pages import login_page, maintenance_page

ATTEMPTS_BEFORE_LOCK = 5
TOKEN_LIFETIME_S = 900
ALSO_OFFERED = ("AUDJPY", "NZDUSD", "XAGUSD", "BRENT")

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


@dataclass
class ApiSettings:
    """How the API v1 behaves; a fault changes it."""

    login_refused: bool = False
    """Whether right credentials are refused (a broken session store)."""
    anonymous_instruments: bool = False
    """Whether the instruments are shown to whoever asks (a dropped permission class)."""
    hidden: set[str] = field(default_factory=set)
    """Symbols that are not offered any more."""
    untradable: set[str] = field(default_factory=set)
    """Symbols that are listed and cannot be traded."""
    empty_token: bool = False
    """Whether a login succeeds and its token is empty."""


class Brokerage:
    """One brokerage for all hosts of an environment; accounts, tokens and locks live in memory."""

    def __init__(self, environment: Environment, release: str, seed: int, password: str) -> None:
        self.environment = environment
        self.release = release
        self.password = password
        self.build = f"{random.Random(f'build {release}').getrandbits(40):010x}"
        self.settings = {host: HostSettings(version=release) for host in environment.hosts}
        self.api = ApiSettings()
        self.tokens: dict[str, str] = {}
        self.wrong_passwords: Counter[str] = Counter()
        self.brands = {each.host: each for each in environment.brands.values()}
        symbols = [*environment.api.instruments, *(each for each in ALSO_OFFERED)]
        self.symbols = list(dict.fromkeys(symbols))
        random.Random(f"instruments {seed}").shuffle(self.symbols)

    def app(self) -> web.Application:
        """The application that serves every declared host, told apart by the Host header."""
        app = web.Application(middlewares=[self._as_host])
        app.router.add_get("/health", self._health)
        app.router.add_get("/version", self._version)
        app.router.add_get("/login", self._login_page)
        app.router.add_post("/login", self._login_form)
        app.router.add_post("/api/v1/login", self._login)
        app.router.add_get("/api/v1/instruments", self._instruments)
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
        status, _ = self._enter(str(form.get("username", "")), str(form.get("password", "")))
        if status != 200:
            return await self._login_page(request, error=True)
        return web.Response(status=303, headers={"Location": "/"})

    async def _login(self, request: web.Request) -> web.Response:
        try:
            given = await request.json()
            username, password = str(given["username"]), str(given["password"])
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": "username and password, as JSON"}, status=400)
        status, token = self._enter(username, password)
        if status != 200:
            return web.json_response({"error": "locked" if status == 423 else "wrong credentials"}, status=status)
        token = "" if self.api.empty_token else token
        return web.json_response({"token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S})

    def _enter(self, username: str, password: str) -> tuple[int, str]:
        """Status and token of a login: 423 once five wrong passwords were given, whatever comes after them."""
        if self.wrong_passwords[username] >= ATTEMPTS_BEFORE_LOCK:
            return 423, ""
        known = username == self.environment.api.account
        right = hmac.compare_digest(password.encode(), self.password.encode())
        if not (known and right):
            self.wrong_passwords[username] += 1
            return 401, ""
        if self.api.login_refused:
            return 401, ""
        self.wrong_passwords[username] = 0
        token = secrets.token_urlsafe(24)
        self.tokens[token] = username
        return 200, token

    async def _instruments(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens and not self.api.anonymous_instruments:
            return web.json_response({"error": "log in first"}, status=401, headers={"WWW-Authenticate": "Bearer"})
        offered = [each for each in self.symbols if each not in self.api.hidden]
        listed = [
            {"symbol": each, "name": instrument_name(each), "tradable": each not in self.api.untradable}
            for each in offered
        ]
        return web.json_response({"instruments": listed})


def host_of(request: web.Request) -> str:
    """The host the client asked for, without the port the rehearsal happens to listen on."""
    return request.host.rsplit(":", 1)[0].lower()


def instrument_name(symbol: str) -> str:
    """`EUR/USD` for a currency pair, the symbol itself for anything else."""
    return f"{symbol[:3]}/{symbol[3:]}" if len(symbol) == 6 and symbol.isalpha() else symbol
