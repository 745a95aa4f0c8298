"""The brokerage's web client: pages in the client's language over the very session and ledger that the API has."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from postdeploy.environment import Brand
from rehearsal import client_pages as pages
from rehearsal.client_api import ClientApi
from rehearsal.front import FrontSettings
from rehearsal.front_end import build_of, files_of
from rehearsal.moods_web import WebMood
from rehearsal.pages import Setting, code_page, error_page, login_page
from rehearsal.psp import written

Shown = Callable[[web.Request, Setting, str], Awaitable[web.StreamResponse]]
LEGAL = ("risk", "terms")
EXTRA = "/assets/extra.js"
LOGO = re.compile(r"/assets/logo-([a-z0-9-]+)\.svg")


class WebClient:
    """Serves one environment's brands to browsers."""

    def __init__(self, front: FrontSettings, clients: ClientApi, mood: WebMood) -> None:
        self.front, self.clients, self.mood = front, clients, mood
        self.environment = front.environment
        self.cookie = self.environment.journeys.session_cookie
        self.brands = {each.host: each for each in self.environment.brands.values()}

    def routes(self) -> list[web.RouteDef]:
        """Every path; the public pages and the build's files are the site's."""
        get, post, own = web.get, web.post, self._own
        return [
            get("/assets/logo-{name}.svg", self._logo),
            get(EXTRA, self._extra),
            post("/{locale}/login", self._login),
            post("/{locale}/login/code", self._code),
            post("/{locale}/logout", own(self._logout)),
            get("/{locale}/farewell", self._farewell),
            get("/{locale}/account", own(self._account)),
            get("/{locale}/instruments", own(self._instruments)),
            get("/{locale}/instruments/{symbol}", own(self._instrument)),
            get("/{locale}/quotes/{symbol}", own(self._quote)),
            get("/{locale}/deposit", own(self._deposit_form)),
            post("/{locale}/deposit", own(self._deposit)),
            get("/{locale}/deposit/{id}", own(self._receipt)),
            get("/{locale}/deposit/{id}/state", own(self._state)),
            get("/{locale}/history", own(self._history)),
            get("/{locale}/legal/{kind}", self._legal),
        ]

    def serves(self, brand: Brand, path: str) -> bool:
        """Whether a path of a brand is one of the client's, though it may not exist."""
        first, _, rest = path.lstrip("/").partition("/")
        return (first in brand.languages and bool(rest)) or path == EXTRA or bool(LOGO.fullmatch(path))

    # --- signing in ----------------------------------------------------------------------------------------------

    async def _login(self, request: web.Request) -> web.StreamResponse:
        setting, form = self._setting(request), await request.post()
        status, challenge = self.clients.doors.enter(str(form.get("username", "")), str(form.get("password", "")))
        if status != 200:
            return _html(login_page(setting, refused=True), 401)
        return _html(code_page(setting, challenge))

    async def _code(self, request: web.Request) -> web.StreamResponse:
        setting, form = self._setting(request), await request.post()
        status, login = self.clients.doors.confirm(str(form.get("challenge", "")), str(form.get("otp", "")))
        if status != 200 or self.mood.refuses_codes:
            return _html(login_page(setting, refused=True), 401)
        there = _to(f"/{setting.locale}/account")
        token = str(self.clients.doors.open(login)["token"])
        there.set_cookie(self.cookie, token, path="/", secure=True, httponly=True, samesite="Lax")
        return there

    async def _logout(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        there = _to(f"/{setting.locale}/{'farewell' if self.mood.farewell else ''}")
        if not self.mood.logout_keeps:
            self.clients.doors.leave(request.cookies[self.cookie])
            there.del_cookie(self.cookie, path="/", secure=True, httponly=True, samesite="Lax")
        return there

    def _own(self, show: Shown) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Only who is signed in gets further; everybody else is led to the login."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            account = self.clients.doors.account(request.cookies.get(self.cookie, ""))
            if account is None or (self.mood.forgets and request.path.endswith("/account")):
                return _to(f"/{request.match_info['locale']}/login")
            self.clients.psp.advance()
            return await show(request, self._setting(request, signed_in=True), account)

        return guarded

    # --- the account ---------------------------------------------------------------------------------------------

    async def _account(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        bank = self.clients.bank
        row = bank.one("select login from accounts where id = ?", account)
        assert row is not None
        totals = [(each, written(coins, each)) for each, coins in sorted(bank.total(account).items())]
        page = pages.account_page(setting, row["login"], totals)
        script = f'<script defer src="{EXTRA}"></script></head>' if self.mood.script else "</head>"
        return _html(page.replace("</head>", script))

    async def _instruments(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        return _html(pages.instruments_page(setting, self.clients.market.listed() if self.mood.lists else ()))

    async def _instrument(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        quote = self._live(request.match_info["symbol"])
        if quote is None:
            return _html(error_page(setting.brand), 404)
        return _html(pages.instrument_page(setting, quote["symbol"], quote))

    async def _quote(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        quote = self._live(request.match_info["symbol"])
        return web.json_response(quote or {"error": "no such instrument"}, status=200 if quote else 404)

    def _live(self, symbol: str) -> dict[str, Any] | None:
        """An instrument's quote of this moment; in an open market it moves with every look."""
        market, now = self.clients.market, self.clients.bank.clock()
        quote = next((dict(each) for each in market.quotes(now) if each["symbol"] == symbol), None)
        if quote is not None and quote["session"] == "open" and not self.mood.quotes_stand:
            quote["bid"] = f"{float(str(quote['bid'])) * (1 + time.monotonic() % 100 / 1e5):.5f}"
        return quote

    # --- money ---------------------------------------------------------------------------------------------------

    async def _deposit_form(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        withdrawn = self.clients.settings.money.withdrawn
        offered = [each for each in self.environment.deposits.values() if each.method not in withdrawn]
        return _html(pages.deposit_page(setting, offered))

    async def _deposit(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        form = await request.post()
        given = {name: str(form.get(name, "")) for name in ("method", "amount")}
        if not self.mood.books:
            return self._only_shown(setting, given)
        status, told = self.clients.cashier.by_page(account, request.headers, given)
        if status != 201:
            return _html(setting.page("400", f'<p role="alert">{told["error"]}</p>'), status)
        return _to(f"/{setting.locale}/deposit/{told['id']}")

    def _only_shown(self, setting: Setting, given: dict[str, str]) -> web.StreamResponse:
        """A receipt for what nobody booked."""
        declared = self.environment.deposits[given["method"]]
        shown = {"id": "pay_shown", "amount": given["amount"], "currency": declared.currency, "state": declared.ends}
        return _html(pages.receipt_page(setting, shown, declared.ends).replace("data-live=", "data-dead="))

    async def _receipt(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        deposit = self.clients.cashier.known(account, request.match_info["id"])
        if deposit is None:
            return _html(error_page(setting.brand), 404)
        ends = self.environment.deposits[deposit["method"]].ends
        return _html(pages.receipt_page(setting, deposit, ends))

    async def _state(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        deposit = self.clients.cashier.known(account, request.match_info["id"])
        if deposit is None:
            return web.json_response({"error": "no such deposit"}, status=404)
        state = deposit["state"]
        return web.json_response({"state": state, "label": pages.state_label(setting.locale, state)})

    async def _history(self, request: web.Request, setting: Setting, account: str) -> web.StreamResponse:
        known = self.clients.cashier.newest(account) if self.mood.recalls else []
        return _html(pages.history_page(setting, known))

    # --- what everybody sees -------------------------------------------------------------------------------------

    async def _legal(self, request: web.Request) -> web.StreamResponse:
        kind, setting = request.match_info["kind"], self._setting(request)
        return _html(pages.legal_page(setting, kind) if kind in LEGAL else error_page(setting.brand))

    async def _farewell(self, request: web.Request) -> web.StreamResponse:
        setting = self._setting(request)
        page = setting.page("👋", f'<p><a href="/{setting.locale}/">{setting.brand.name}</a></p>')
        return _html(page.replace("<head>", f'<head><meta http-equiv="refresh" content="0;url=/{setting.locale}/">'))

    async def _logo(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=pages.logo(request.match_info["name"]), content_type="image/svg+xml")

    async def _extra(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=self.mood.script, content_type="text/javascript")

    def _setting(self, request: web.Request, *, signed_in: bool = False) -> Setting:
        host, locale = request.host.rsplit(":", 1)[0].lower(), request.match_info["locale"]
        brand = self.brands.get(host)
        if brand is None or locale not in brand.languages:
            raise web.HTTPNotFound
        release, path = self.front.front_ends[host], request.path.removeprefix(f"/{locale}/")
        signed_in = signed_in or self.clients.doors.account(request.cookies.get(self.cookie, "")) is not None
        web_, build, files = self.environment.web, build_of(release), files_of(release)
        return Setting(brand, locale, web_, build, files, path, signed_in)


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
