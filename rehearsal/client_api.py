"""API v1 of the rehearsal's brokerage: who one is, what is traded, one's papers; money has a module of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

from aiohttp import web

from postdeploy.environment import Environment
from rehearsal.bank import RESERVED, Bank
from rehearsal.cashier import Cashier
from rehearsal.doors import Doors
from rehearsal.market import Market
from rehearsal.moods import DATED, ApiSettings
from rehearsal.psp import Psp, written

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PROFILE = {"RM_Name": "Ada Byron", "RM_Phone": "+44 20 7946 0000", "RM_Photo": "/static/rm/ada.webp"}
LOG_IN_FIRST = "log in first"


class ClientApi:
    """One brokerage's API; its state is the bank's, so that a restart forgets nothing."""

    def __init__(self, environment: Environment, seed: int, password: str, state: Path | None) -> None:
        self.environment = environment
        self.settings = ApiSettings()
        self.bank = Bank(environment, state)
        self.psp = Psp(environment, self.bank, self.settings.money)
        self.doors = Doors(environment, self.bank, self.settings, password)
        self.market = Market(environment, seed, self.settings.market)
        self.cashier = Cashier(self.bank, self.psp, self.settings)

    def routes(self) -> list[web.RouteDef]:
        """Every path of the API."""
        get, post, own, money = web.get, web.post, self._own, self.cashier
        return [
            post("/api/v1/login", self._login),
            post("/api/v1/login/code", self._code),
            post("/api/v1/session/refresh", self._refresh),
            post("/api/v1/logout", own(self._logout)),
            get("/api/v1/me", own(self._me)),
            get("/api/v1/accounts/{id}", own(self._account)),
            get("/api/v1/instruments", self._instruments),
            get("/api/v1/quotes", own(self._quotes)),
            get("/api/v1/calendar", own(self._calendar)),
            post("/api/v1/orders/preview", own(self._preview)),
            get("/api/v1/documents", own(self._documents)),
            get("/api/v1/documents/{id}", own(self._document)),
            get("/api/v1/statements", own(self._statements)),
            get("/api/v1/balances", own(self._balances)),
            get("/api/v1/ledger", own(money.ledger)),
            get("/api/v1/deposits/methods", own(money.methods)),
            get("/api/v1/deposits", own(money.listed)),
            post("/api/v1/deposits", own(money.deposit)),
            get("/api/v1/deposits/{id}", own(money.one)),
            post("/api/v1/deposits/{id}/cancel", own(money.cancel)),
            post("/api/v1/deposits/{id}/refund", own(money.refund)),
        ]

    async def stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        """The Date of every answer is by this brokerage's clock, unless somebody dated it otherwise on purpose."""
        if DATED not in response:  # aiohttp has put a Date of its own there by now
            response.headers["Date"] = formatdate(self.bank.clock() + self.settings.ahead_s, usegmt=True)

    def _own(self, handler: Callable[[web.Request, str], Awaitable[web.StreamResponse]]) -> Handler:
        """Only who is logged in gets further, and what is due has happened by then."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            account = self.doors.account(bearer(request))
            if account is None:
                return refused(401, LOG_IN_FIRST)
            self.psp.advance()
            return await handler(request, account)

        return guarded

    async def _login(self, request: web.Request) -> web.Response:
        given = await body(request)
        if not {"username", "password"} <= given.keys():
            return refused(400, "username and password, as JSON")
        login = str(given["username"])
        status, challenge = self.doors.enter(login, str(given["password"]))
        if status != 200:
            return refused(status, "locked" if status == 423 else "wrong credentials")
        if self.settings.one_factor:
            return web.json_response(self.doors.open(login))
        return web.json_response({"challenge": challenge, "factor": "totp"})

    async def _code(self, request: web.Request) -> web.Response:
        given = await body(request)
        status, login = self.doors.confirm(str(given.get("challenge")), str(given.get("otp")))
        if status != 200:
            return refused(status, "wrong code" if status == 401 else "no such challenge")
        return web.json_response(self.doors.open(login))

    async def _refresh(self, request: web.Request) -> web.Response:
        session = self.doors.refresh(str((await body(request)).get("refresh_token")))
        return web.json_response(session) if session else refused(401, LOG_IN_FIRST)

    async def _logout(self, request: web.Request, account: str) -> web.Response:
        self.doors.leave(bearer(request))
        return web.json_response({"status": "logged out"})

    async def _me(self, request: web.Request, account: str) -> web.Response:
        return web.json_response(self._told(account))

    async def _account(self, request: web.Request, account: str) -> web.Response:
        wanted = request.match_info["id"]
        if wanted == account or self.settings.open_accounts:
            known = self.bank.one("select 1 from accounts where id = ?", wanted)
            return web.json_response(self._told(wanted)) if known else refused(404, "no such account")
        return refused(403, "not your account")

    def _told(self, account: str) -> dict[str, object]:
        settings = self.settings
        row = self.bank.one("select * from accounts where id = ?", account)
        assert row is not None
        told: dict[str, object] = {"id": "C-20419" if settings.other_id else account, "username": row["login"]}
        told |= {"synthetic": not settings.real_accounts, "currency": row["currency"], "kyc": "verified"}
        told |= {"payments": "live" if settings.routed_live else "sandbox", "country": self.environment.country}
        told |= {("Manager_Photo" if settings.renamed and k == "RM_Photo" else k): v for k, v in PROFILE.items()}
        return told | ({"loyalty_tier": "none"} if settings.extended else {})

    async def _instruments(self, request: web.Request) -> web.Response:
        if self.doors.account(bearer(request)) is None and not self.settings.anonymous_instruments:
            return refused(401, LOG_IN_FIRST)
        return web.json_response({"instruments": self.market.listed()})

    async def _quotes(self, request: web.Request, account: str) -> web.Response:
        return web.json_response({"quotes": self.market.quotes(self.bank.clock() + self.settings.ahead_s)})

    async def _calendar(self, request: web.Request, account: str) -> web.Response:
        return web.json_response({"holidays": self.market.calendar(self.bank.clock())})

    async def _preview(self, request: web.Request, account: str) -> web.Response:
        given = await body(request)
        if not self.settings.market.previews:
            return refused(500, "pricing engine: connection refused")
        return web.json_response(self.market.preview(str(given["symbol"]), str(given["quantity"])))

    async def _documents(self, request: web.Request, account: str) -> web.Response:
        kinds = self.environment.business.documents
        listed = [{"id": f"doc-{each}", "kind": each, "title": each.replace("-", " ").title()} for each in kinds]
        return web.json_response({"documents": listed})

    async def _document(self, request: web.Request, account: str) -> web.Response:
        kind = request.match_info["id"].removeprefix("doc-")
        if kind in self.settings.lost_documents or kind not in self.environment.business.documents:
            return refused(404, "no such document")
        return web.json_response({"id": f"doc-{kind}", "kind": kind, "content": f"The {kind} of this house. " * 20})

    async def _statements(self, request: web.Request, account: str) -> web.Response:
        opened = None if self.settings.empty_statements else "2026-10"
        listed = [{"period": opened, "pages": 2, "currency": self.environment.currency}] if opened else []
        return web.json_response({"statements": listed})

    async def _balances(self, request: web.Request, account: str) -> web.Response:
        row = self.bank.one("select currency from accounts where id = ?", account)
        assert row is not None
        listed = []
        for currency, total in sorted(self.bank.total(account).items()):
            reserved = RESERVED if currency == row["currency"] else 0
            said = total + self.settings.money.off_by
            coins = {"total": said, "available": total - reserved, "reserved": reserved}
            listed.append({"currency": currency} | {name: written(each, currency) for name, each in coins.items()})
        return web.json_response({"balances": listed})


async def body(request: web.Request) -> dict[str, Any]:
    """The JSON object that was sent, or an empty one."""
    try:
        given = await request.json()
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def bearer(request: web.Request) -> str:
    """The token that was sent, or nothing."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def refused(status: int, error: str) -> web.Response:
    """An answer that says why not."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return web.json_response({"error": error}, status=status, headers=headers)
