"""The brokerage answers as the contract says, and each fault of it changes one answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from rehearsal.doors import ATTEMPTS_BEFORE_LOCK, one_time
from tests.rehearsal.judged import ENVIRONMENT, RELEASE, Rehearsal

pytestmark = pytest.mark.anyio
API = ENVIRONMENT.api


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Client:
    """One brokerage, asked in this process."""

    def __init__(self, rehearsal: Rehearsal, http: TestClient) -> None:
        self.brokerage = rehearsal.brokerage
        self.http = http

    async def get(self, path: str, host: str = API.host, token: str = "") -> tuple[int, str]:
        headers = {"Host": host} | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self.http.get(path, headers=headers) as reply:
            return reply.status, await reply.text()

    async def json(self, path: str, host: str = API.host, token: str = ""):
        headers = {"Host": host} | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self.http.get(path, headers=headers) as reply:
            return reply.status, await reply.json()

    async def login(self, password: str = "correct horse", username: str = API.account):
        """Both factors; where the password is refused, what that was answered with."""
        status, said = await self.post("/api/v1/login", {"username": username, "password": password})
        if status != 200 or "challenge" not in said:
            return status, said
        return await self.code(said["challenge"], username)

    async def code(self, challenge: str, username: str = API.account):
        doors = self.brokerage.clients.doors
        used = doors.bank.one("select step from codes where login = ?", username)
        step = max(int(time.time()) // 30, used["step"] + 1 if used else 0)
        otp = one_time(doors.credentials[username].totp, step)
        return await self.post("/api/v1/login/code", {"challenge": challenge, "otp": otp})

    async def post(self, path: str, body, token: str = "", key: str = ""):
        headers = {"Host": API.host} | ({"Authorization": f"Bearer {token}"} if token else {})
        headers |= {"Idempotency-Key": key} if key else {}
        async with self.http.post(path, json=body, headers=headers) as reply:
            return reply.status, await reply.json()


@pytest.fixture
async def client(request) -> AsyncIterator[Client]:
    """A client of a brokerage with the faults that `broken` names, healthy without."""
    rehearsal = Rehearsal(*getattr(request, "param", ()))
    async with TestClient(TestServer(rehearsal.brokerage.app())) as http:
        yield Client(rehearsal, http)


def broken(*names: str):
    return pytest.mark.parametrize("client", [names], indirect=True, ids=["+".join(names)])


@pytest.mark.parametrize("host", ENVIRONMENT.hosts)
async def test_every_declared_host_is_healthy_on_the_release(client, host):
    status, health = await client.json("/health", host)
    assert (status, health["status"]) == (200, "ok")
    status, version = await client.json("/version", f"{host}:8443")
    assert (status, version["version"]) == (200, RELEASE)


async def test_unknown_host_is_not_found(client):
    status, _ = await client.get("/health", "somebody-else.example")
    assert status == 404


async def test_token_opens_the_declared_instruments(client):
    status, session = await client.login()
    assert (status, session["expires_in"]) == (200, 900), session
    status, listed = await client.json("/api/v1/instruments", token=session["token"])
    assert status == 200
    assert set(API.instruments) <= {each["symbol"] for each in listed["instruments"] if each["tradable"]}


@pytest.mark.parametrize("token", ["", "made-up"])
async def test_instruments_need_a_token_that_was_issued(client, token):
    status, _ = await client.get("/api/v1/instruments", token=token)
    assert status == 401


async def test_body_that_is_no_login_is_a_bad_request(client):
    async with client.http.post("/api/v1/login", data=b"[]", headers={"Host": API.host}) as reply:
        assert reply.status == 400


async def test_wrong_passwords_lock_the_account_even_for_the_right_one(client):
    statuses = [(await client.login("wrong"))[0] for _ in range(ATTEMPTS_BEFORE_LOCK)]
    assert statuses == [401] * ATTEMPTS_BEFORE_LOCK
    assert (await client.login())[0] == 423


async def test_granted_login_forgives_the_wrong_ones_before(client):
    for _ in range(ATTEMPTS_BEFORE_LOCK - 1):
        await client.login("wrong")
    assert (await client.login())[0] == 200
    assert (await client.login("wrong"))[0] == 401


async def test_code_is_good_once(client):
    doors = client.brokerage.clients.doors
    otp = one_time(doors.credentials[API.account].totp, int(time.time()) // 30)
    statuses = []
    for _ in range(2):
        _, said = await client.post("/api/v1/login", {"username": API.account, "password": "correct horse"})
        body = {"challenge": said["challenge"], "otp": otp}
        statuses.append((await client.post("/api/v1/login/code", body))[0])
    assert statuses == [200, 401]
    assert doors.failed(API.account) == 1


async def test_stranger_is_refused(client):
    assert (await client.login(username="nobody@northgate.example"))[0] == 401


@broken("login-refused")
async def test_login_refused_refuses_the_right_password_and_never_locks(client):
    assert [(await client.login())[0] for _ in range(ATTEMPTS_BEFORE_LOCK + 1)] == [401] * (ATTEMPTS_BEFORE_LOCK + 1)


@broken("login-without-token")
async def test_login_without_token_is_granted_and_useless(client):
    status, session = await client.login()
    assert (status, session["token"]) == (200, "")


@broken("anonymous-instruments")
async def test_anonymous_instruments_are_shown_to_everyone(client):
    status, _ = await client.get("/api/v1/instruments")
    assert status == 200


@broken("instrument-missing")
async def test_one_declared_instrument_is_missing(client):
    _, session = await client.login()
    _, listed = await client.json("/api/v1/instruments", token=session["token"])
    assert len(set(API.instruments) - {each["symbol"] for each in listed["instruments"]}) == 1


@broken("instrument-not-tradable")
async def test_one_declared_instrument_cannot_be_traded(client):
    _, session = await client.login()
    _, listed = await client.json("/api/v1/instruments", token=session["token"])
    halted = {each["symbol"] for each in listed["instruments"] if not each["tradable"]}
    assert len(halted) == 1
    assert halted < set(API.instruments)


@broken("wrong-passwords-before")
async def test_three_wrong_passwords_before_do_not_lock(client):
    assert (await client.login())[0] == 200
