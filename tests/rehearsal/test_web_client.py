"""The web client as a browser without script sees it: pages in the client's language, over the API's own ledger."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from postdeploy.environment import labels, load
from rehearsal.doors import one_time
from rehearsal.site import Site
from tests.rehearsal.judged import Rehearsal

pytestmark = pytest.mark.anyio
AE = load("ae-prod")
FALCON = AE.brands["falcon"]
LOGIN = AE.api.accounts.visitor.login
PASSWORD = "correct horse"


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Browser:
    """Follows no redirect, keeps its one cookie."""

    def __init__(self, rehearsal: Rehearsal, http: TestClient) -> None:
        self.brokerage, self.http = rehearsal.brokerage, http
        self.cookie = ""

    async def ask(self, method: str, path: str, host: str = FALCON.host, **how) -> tuple[int, str, str]:
        headers = {"Host": host, "Cookie": self.cookie, **how.pop("headers", {})}
        async with self.http.request(method, path, headers=headers, allow_redirects=False, **how) as reply:
            if found := re.match(r"client_session=[^;]*", reply.headers.get("Set-Cookie", "")):
                self.cookie = found[0]
            return reply.status, reply.headers.get("Location", ""), await reply.text()

    async def sign_in(self) -> tuple[int, str, str]:
        secret = self.brokerage.clients.doors.credentials[LOGIN]
        form = {"username": LOGIN, "password": secret.password}
        _, _, page = await self.ask("POST", "/ar-AE/login", data=form)
        challenge = re.search(r'name="challenge" value="([^"]+)"', page)
        assert challenge, page
        code = {"challenge": challenge[1], "otp": one_time(secret.totp, int(time.time()) // 30)}
        return await self.ask("POST", "/ar-AE/login/code", data=code)


@pytest.fixture
async def browser(request) -> AsyncIterator[Browser]:
    rehearsal = Rehearsal(*getattr(request, "param", ()), environment=AE)
    front = rehearsal.world.front
    client = rehearsal.brokerage.client(front)

    async def no_feed(_: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    app = Site(front, client.serves).app(rehearsal.brokerage.app(client), no_feed)

    @web.middleware
    async def over_tls(asked, handler):
        return await handler(asked.clone(scheme="https"))

    app.middlewares.insert(0, over_tls)
    async with TestClient(TestServer(app)) as http:
        yield Browser(rehearsal, http)


async def test_pages_are_written_in_the_direction_of_their_language(browser):
    _, _, arabic = await browser.ask("GET", "/ar-AE/login")
    assert '<html lang="ar-AE" dir="rtl"' in arabic
    assert labels("ar")["password"] in arabic
    _, _, english = await browser.ask("GET", "/en-AE/login")
    assert '<html lang="en-AE" dir="ltr"' in english
    assert 'href="/ar-AE/login"' in english, "each language leads to the same page in the other"


async def test_password_alone_opens_nothing_and_the_code_does(browser):
    assert (await browser.ask("GET", "/ar-AE/account"))[:2] == (303, "/ar-AE/login")
    assert (await browser.sign_in())[:2] == (303, "/ar-AE/account")
    status, _, page = await browser.ask("GET", "/ar-AE/account")
    assert (status, LOGIN in page, "1000.00" in page) == (200, True, True)


async def test_refused_login_says_so_in_its_own_language(browser):
    status, _, page = await browser.ask("POST", "/ar-AE/login", data={"username": LOGIN, "password": "wrong"})
    assert status == 401
    assert labels("ar")["wrong"] in page


async def test_signing_out_ends_the_session_for_the_api_too(browser):
    await browser.sign_in()
    token = browser.cookie.partition("=")[2]
    assert browser.brokerage.clients.doors.account(token)
    await browser.ask("POST", "/ar-AE/logout")
    assert browser.brokerage.clients.doors.account(token) is None


async def test_deposit_in_the_page_is_the_ledgers_under_the_key_that_it_carries(browser):
    await browser.sign_in()
    form, headers = {"method": "card", "amount": "40.00"}, {"Idempotency-Key": "k1", "X-Synthetic-Tag": "t1"}
    status, receipt, _ = await browser.ask("POST", "/ar-AE/deposit", data=form, headers=headers)
    assert status == 303
    again = await browser.ask("POST", "/ar-AE/deposit", data=form, headers=headers)
    assert again[1] == receipt, "the same key is the same deposit"
    ident = receipt.rpartition("/")[2]
    row = browser.brokerage.clients.bank.one("select key, tag, amount from payments where id = ?", ident)
    assert tuple(row) == ("k1", "t1", 4000)
    _, _, history = await browser.ask("GET", "/ar-AE/history")
    assert ident in history
    assert labels("ar")["deposit"] in history


async def test_amount_that_is_refused_is_said_and_booked_nowhere(browser):
    await browser.sign_in()
    status, _, page = await browser.ask("POST", "/ar-AE/deposit", data={"method": "card", "amount": "0.01"})
    assert (status, 'role="alert"' in page) == (422, True)
    assert browser.brokerage.clients.bank.all("select 1 from payments") == []


async def test_price_moves_while_the_market_is_open(browser):
    await browser.sign_in()
    path = f"/ar-AE/quotes/{AE.api.instruments[0]}"
    prices = {(await browser.ask("GET", path))[2] for _ in range(3)}
    assert len(prices) == 3


async def test_what_nobody_has_is_an_error_page(browser):
    assert (await browser.ask("GET", "/ar-AE/nothing"))[0] == 404
    assert (await browser.ask("GET", "/fr-FR/account"))[0] == 404
    await browser.sign_in()
    assert (await browser.ask("GET", "/ar-AE/instruments/NOPE"))[0] == 404
    assert (await browser.ask("GET", "/ar-AE/deposit/pay_0"))[0] == 404
