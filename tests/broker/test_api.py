"""The account at the brokerage: one login, no hammering, and a verdict for everything the API may answer."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
from pydantic import SecretStr

from postdeploy.broker.api import LoginRefused, Trader
from postdeploy.broker.models import Instrument, LoginAnswer, Session
from postdeploy.broker.recording import Fault
from postdeploy.deadline import Deadline
from postdeploy.verdict import ProductDown, State, Unverified, Verdict, verdict_of

HOST = "api.alpha.example"
TOKEN = "tok-3f9a61c2d0"
PASSWORD = "correct horse battery"


def listed(*symbols: str, halted: tuple[str, ...] = ()) -> dict:
    return {"instruments": [{"symbol": each, "name": each, "tradable": each not in halted} for each in symbols]}


def test_a_healthy_brokerage_passes_every_claim(api, brokerage, declared):
    assert api.logs_in().state is State.PASSED
    assert api.refuses_strangers().state is State.PASSED
    offer = Trader(api, api.login()).is_offered(declared.instruments)
    assert (offer.state, offer.seen) == (State.PASSED, "all of them among 3 listed")


def test_login_sends_what_was_agreed(api, brokerage):
    api.login()
    request = brokerage["login"].calls.last.request
    assert json.loads(request.content) == {"username": "synthetic-uk", "password": PASSWORD}
    assert request.headers["X-Synthetic-Test"] == "run-1"
    assert request.headers["Host"] == HOST
    assert "Authorization" not in request.headers


def test_an_account_logs_in_once_a_run_however_often_it_is_asked(api, brokerage):
    assert api.login() is api.login()
    api.logs_in()
    assert brokerage["login"].call_count == 1


@pytest.mark.parametrize("status", [400, 401, 403, 423, 429, 302, 204])
def test_a_refused_login_is_never_tried_again(api, brokerage, status):
    """An account that is hammered gets locked, and the next run fails too."""
    brokerage["login"].respond(status, json={"error": "wrong credentials"})
    for _ in range(2):
        with pytest.raises(LoginRefused, match="the test account cannot log in"):
            api.login()
    judged = api.logs_in()
    assert judged.state is State.FAILED
    assert f"status {status}" in judged.seen
    assert judged.cause
    assert brokerage["login"].call_count == 1


def test_a_refusal_is_the_products_failure():
    assert verdict_of(LoginRefused("why")) is Verdict.FAILED


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_the_api_is_product_down_and_never_tried_again(api, brokerage, status):
    brokerage["login"].respond(status, html="<h1>Bad gateway</h1>")
    with pytest.raises(ProductDown, match=f"status {status} '<h1>Bad gateway"):
        api.login()
    assert brokerage["login"].call_count == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"token": "", "expires_in": 900}, "the token is empty"),
        ({"token": "  ", "expires_in": 900}, "the token is empty"),
        ({"token": TOKEN, "expires_in": 0}, "expires in 0 s"),
        ({"token": TOKEN, "expires_in": -5}, "expires in -5 s"),
        ({"token": TOKEN}, "missing required field `expires_in`"),
        ({"token": TOKEN, "expires_in": None}, "Expected `float`, got `null`"),
        ({"token": TOKEN, "expires_in": "900"}, "Expected `float`, got `str`"),
        ({"token": 12345, "expires_in": 900}, "Expected `str`, got `int`"),
        ({"accessToken": TOKEN, "expires_in": 900}, "missing required field `token`"),
        ([], "Expected `object`, got `array`"),
        (None, "Expected `object`, got `null`"),
    ],
)
def test_a_session_needs_a_token_and_an_expiry(api, brokerage, body, said):
    brokerage["login"].respond(content=json.dumps(body))
    judged = api.logs_in()
    assert judged.state is State.FAILED
    assert said in judged.seen
    with pytest.raises(LoginRefused):
        api.login()


@pytest.mark.parametrize(("content", "said"), [(b"", "an empty body"), (b"<html>", "'<html>'"), (b"\xff{", "{")])
def test_a_login_page_is_no_session(api, brokerage, content, said):
    brokerage["login"].respond(content=content)
    judged = api.logs_in()
    assert judged.state is State.FAILED
    assert said in judged.seen


def test_a_server_that_compresses_unasked_is_understood(api, brokerage):
    granted = gzip.compress(json.dumps({"token": TOKEN, "expires_in": 900}).encode())
    brokerage["login"].respond(content=granted, headers={"Content-Encoding": "gzip"})
    assert api.logs_in().state is State.PASSED


def test_only_a_connection_that_never_came_about_is_tried_again(api, brokerage):
    granted = httpx.Response(200, json={"token": TOKEN, "expires_in": 900})
    brokerage["login"].mock(side_effect=[httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), granted])
    assert api.logs_in().holds
    assert [each.outcome for each in api.looks("logs_in")] == [Verdict.FAILED, Verdict.FAILED, Verdict.PASSED]
    assert str(Fault.CONNECT) in api.looks("logs_in")[0].reason


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError])
def test_a_login_that_may_have_arrived_is_not_sent_again(api, brokerage, error):
    brokerage["login"].mock(side_effect=error("gone"))
    with pytest.raises(ProductDown):
        api.login()
    assert brokerage["login"].call_count == 1


def test_an_api_that_accepts_no_connection_is_down_after_three_looks(api, brokerage):
    brokerage["login"].mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(ProductDown, match=f"{HOST} accepts no connection: refused"):
        api.login()
    assert api.logs_in().state is State.FAILED
    assert len(api.looks("logs_in")) == 3
    assert api.looks("is_offered") == ()


def test_strangers_are_answered_401_and_nothing_else(api, brokerage):
    brokerage["anonymous"].respond(200, json=listed("EURUSD"))
    judged = api.refuses_strangers()
    assert judged.state is State.FAILED
    assert judged.seen == "without a token: status 200, not 401"
    brokerage["anonymous"].respond(403, json={"detail": "no"})
    assert api.refuses_strangers().seen == "without a token: status 403 'no', not 401"
    brokerage["anonymous"].respond(502)
    assert api.refuses_strangers().state is State.FAILED


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, json=listed("EURUSD")), "not offered: XAUUSD (1 are listed)"),
        (httpx.Response(200, json=listed("EURUSD", "XAUUSD", halted=("EURUSD",))), "not tradable: EURUSD"),
        (
            httpx.Response(200, json=listed("EURUSD", halted=("EURUSD",))),
            "not offered: XAUUSD; not tradable: EURUSD",
        ),
        (httpx.Response(200, json={"instruments": []}), "not offered: EURUSD, XAUUSD (0 are listed)"),
        (
            httpx.Response(200, json={"instruments": [{"symbol": "EURUSD", "tradeable": True, "name": "x"}]}),
            "missing required field `tradable` - at `$.instruments[0]`",
        ),
        (httpx.Response(200, json={"items": []}), "missing required field `instruments`"),
        (httpx.Response(200, text="maintenance"), "no JSON but 'maintenance'"),
        (httpx.Response(401, json={"error": "log in first"}), "status 401 'log in first'"),
        (httpx.Response(503, json={"message": "busy"}), "status 503 'busy'"),
    ],
)
def test_what_a_client_is_offered(api, brokerage, declared, answer, said):
    brokerage["instruments"].mock(return_value=answer)
    judged = Trader(api, api.login()).is_offered(declared.instruments)
    assert judged.state is State.FAILED
    assert said in judged.seen
    assert f"GET https://{HOST}/api/v1/instruments" in judged.where


def test_looks_behind_the_offer_are_told(api, brokerage, declared):
    brokerage["instruments"].mock(
        side_effect=[httpx.ConnectError("refused"), httpx.Response(200, json=listed("EURUSD", "XAUUSD"))]
    )
    trader = Trader(api, api.login())
    assert trader.is_offered(declared.instruments).holds
    assert len(trader.looks("is_offered", declared.instruments)) == 2


def test_nothing_is_sent_once_the_time_is_spent(open_api, brokerage):
    with open_api(deadline=Deadline(0)) as api, pytest.raises(Unverified, match="time was spent"):
        api.login()
    assert brokerage["login"].call_count == 0


def test_no_value_shows_a_secret(api, brokerage):
    session = api.login()
    trader = Trader(api, session)
    shown = f"{api!r} {session!r} {session} {trader!r} {LoginAnswer(TOKEN, 900)!r} {api.logs_in()!r}"
    assert TOKEN not in shown
    assert PASSWORD not in shown
    assert "synthetic-uk" in repr(session)


def test_values_are_frozen():
    with pytest.raises(AttributeError):
        Session("a", SecretStr("b"), 1).account = "c"
    with pytest.raises(AttributeError):
        Instrument("EURUSD", "x", True).tradable = False
