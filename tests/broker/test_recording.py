"""What is kept of the exchanges: no secret, and enough for the same verdicts without a network."""

from __future__ import annotations

import gzip
import json
import socket

import httpx
import pytest

from postdeploy.broker import session
from postdeploy.broker.api import Trader
from postdeploy.broker.recording import Recording, load, redacted, save
from postdeploy.redact import MASK, Redactor
from postdeploy.verdict import ProductDown, Unverified

TOKEN = "tok-3f9a61c2d0"
PASSWORD = "correct horse battery"


def verdicts(api, declared) -> list[object]:
    """Everything the smoke checks would say."""
    said: list[object] = [api.logs_in(), api.refuses_strangers()]
    try:
        said.append(Trader(api, api.login()).is_offered(declared.instruments))
    except (AssertionError, ProductDown) as error:
        said.append((type(error), str(error)))
    return said


BENT = {
    "healthy": {},
    "refused": {"login": httpx.Response(401, json={"error": f"wrong password {PASSWORD}"})},
    "locked": {"login": httpx.Response(423, json={"detail": "locked"})},
    "empty token": {"login": httpx.Response(200, json={"token": "", "expires_in": 900})},
    "blank token": {"login": httpx.Response(200, json={"token": " ", "expires_in": 900})},
    "token is a number": {"login": httpx.Response(200, json={"token": 123456, "expires_in": 900})},
    "token is null": {"login": httpx.Response(200, json={"token": None, "expires_in": 900})},
    "token is a list": {"login": httpx.Response(200, json={"token": [TOKEN], "expires_in": 900})},
    "no expiry": {"login": httpx.Response(200, json={"token": TOKEN})},
    "login page": {"login": httpx.Response(200, text=f"<input name=password value={PASSWORD}>")},
    "null": {"login": httpx.Response(200, text="null")},
    "broken": {"login": httpx.Response(500, text="Traceback")},
    "silent": {"login": httpx.ReadTimeout("slow")},
    "cut off": {"login": httpx.ReadError("gone")},
    "unreachable": {"login": httpx.ConnectError("refused")},
    "open to all": {"anonymous": httpx.Response(200, json={"instruments": []})},
    "nothing offered": {"instruments": httpx.Response(200, json={"instruments": []})},
    "token echoed": {"instruments": httpx.Response(403, json={"error": f"token {TOKEN} unknown"})},
    "renamed": {"instruments": httpx.Response(200, json={"instruments": [{"ticker": "EURUSD"}]})},
    "flaky": {"login": [httpx.ConnectError("refused"), httpx.Response(200, json={"token": TOKEN, "expires_in": 9})]},
}


@pytest.mark.parametrize("case", BENT)
def test_a_recording_is_judged_like_the_network_and_holds_no_secret(
    case, api, brokerage, recording, declared, monkeypatch
):
    for route, answer in BENT[case].items():
        brokerage[route].mock(side_effect=answer if isinstance(answer, list) else [answer] * 3)
    lived = verdicts(api, declared)
    looks = [each.outcome for each in api.looks("logs_in")]
    kept = save(recording)
    for secret in (TOKEN, PASSWORD, "123456"):
        assert secret not in gzip.decompress(kept).decode()
        assert secret not in repr(recording)
        assert secret not in repr(lived)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a replay touched the network"))
    with session.replay(declared, load(kept)) as replayed:
        assert verdicts(replayed, declared) == lived
        assert [each.outcome for each in replayed.looks("logs_in")] == looks


def test_a_failed_handshake_is_replayed_as_one_and_not_as_a_missed_connection(declared, recording):
    import ssl

    from postdeploy.broker.recording import Fault
    from postdeploy.broker.transport import fault_of

    error = httpx.ConnectError("x")
    error.__cause__ = ssl.SSLError(1, "handshake failure")
    fault, words = fault_of(error)
    assert fault is Fault.CERTIFICATE
    recording.add(exchange_of(fault=fault, error=words), Redactor())
    with session.replay(declared, recording) as api:
        judged = api.logs_in()
        assert len(api.looks("logs_in")) == 1
    assert str(Fault.CERTIFICATE) in judged.seen


def exchange_of(**how):
    from datetime import UTC, datetime

    from postdeploy.broker.recording import Exchange

    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Exchange(at=at, duration_s=0.1, method="POST", path="/api/v1/login", authorised=False, **how)


def test_what_was_not_recorded_is_unverified(declared):
    with session.replay(declared, Recording()) as api:
        with pytest.raises(Unverified, match="holds no answer to POST /api/v1/login"):
            api.login()
        with pytest.raises(Unverified, match="GET /api/v1/instruments"):
            api.refuses_strangers()


def test_each_recorded_answer_is_given_once(declared, recording):
    recording.add(exchange_of(status=401), Redactor())
    with session.replay(declared, recording) as api:
        api.logs_in()
    assert len(recording.exchanges) == 1, "the recording itself is left as it is"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"password": "x", "user": "y"}, {"password": MASK, "user": "y"}),
        ({"token": "", "otp": 123456, "pin": 1.5}, {"token": "", "otp": 0, "pin": 0.0}),
        ({"secret": {"a": ["b", None, True]}}, {"secret": {"a": [MASK, None, True]}}),
        ({"token_type": "Bearer", "expires_in": 900}, {"token_type": "Bearer", "expires_in": 900}),
        ({"note": f"your token is {TOKEN}!"}, {"note": f"your token is {MASK}!"}),
        ([1, 2.5, None, False, "EURUSD"], [1, 2.5, None, False, "EURUSD"]),
    ],
)
def test_redaction_keeps_the_shape(value, kept):
    assert redacted(value, Redactor([TOKEN])) == kept
    assert redacted(kept, Redactor([TOKEN])) == kept


def test_the_test_accounts_name_is_no_personal_data(api, brokerage, recording, declared):
    """The auditor must see which account it was, also where it is an e-mail address."""
    api.account = "synthetic@alpha.example"
    api.login()
    assert recording.exchanges[0].request == {"username": "synthetic@alpha.example", "password": MASK}


def test_a_saved_recording_is_the_same_bytes_each_time(api, brokerage, recording, declared):
    verdicts(api, declared)
    assert save(recording) == save(load(save(recording)))
    assert json.loads(gzip.decompress(save(recording)))["exchanges"][0]["path"] == "/api/v1/login"


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", gzip.compress(b"[]", mtime=0), gzip.compress(b"x" * 99, mtime=0)[:-9]],
    ids=["empty", "nonsense", "another shape", "cut off"],
)
def test_what_is_not_a_recording_is_refused_with_one_kind_of_error(data):
    with pytest.raises(ValueError, match="not a recording"):
        load(data)
