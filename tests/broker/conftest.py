"""The API of a made-up environment, answered by respx, with nothing that waits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr

from postdeploy.broker import session
from postdeploy.broker.recording import Recording
from postdeploy.environment import Api

HOST = "api.alpha.example"
PASSWORD = "correct horse battery"
TOKEN = "tok-3f9a61c2d0"


@pytest.fixture
def declared() -> Api:
    return Api(host=HOST, account="synthetic-uk", instruments=("EURUSD", "XAUUSD"))


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def open_api(declared, recording):
    """The API over the (mocked) network; its pauses take no time."""

    @contextmanager
    def open_api(**how):
        with session.connect(declared, SecretStr(PASSWORD), recording, {"X-Synthetic-Test": "run-1"}, **how) as api:
            api.line = replace(api.line, rest=lambda seconds: None)
            yield api

    return open_api


@pytest.fixture
def api(open_api):
    with open_api() as api:
        yield api


@pytest.fixture
def brokerage(respx_mock):
    """A healthy brokerage; a test bends the route it is about."""
    routes = {
        "login": respx_mock.post(f"https://{HOST}/api/v1/login", name="login"),
        "instruments": respx_mock.get(
            f"https://{HOST}/api/v1/instruments", headers={"Authorization": f"Bearer {TOKEN}"}, name="instruments"
        ),
        "anonymous": respx_mock.get(f"https://{HOST}/api/v1/instruments", name="anonymous"),
    }
    routes["login"].respond(json={"token": TOKEN, "token_type": "Bearer", "expires_in": 900})
    routes["instruments"].respond(json=listed("EURUSD", "XAUUSD", "BRENT"))
    routes["anonymous"].respond(401, json={"error": "log in first"})
    respx_mock._assert_all_called = False
    return routes


def listed(*symbols: str, halted: tuple[str, ...] = ()) -> dict:
    return {"instruments": [{"symbol": each, "name": each, "tradable": each not in halted} for each in symbols]}
