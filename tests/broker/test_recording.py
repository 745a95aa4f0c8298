"""What is kept of the exchanges: no secret, the same shape, the same bytes each time."""

from __future__ import annotations

import gzip
import json
import subprocess

import pytest

from postdeploy.broker.curl import curl, outcome
from postdeploy.broker.recording import Exchange, Fault, Recording, Sight, load, redacted, save
from postdeploy.redact import MASK, Redactor
from tests.broker.making import AT, HOST, answer

TOKEN = "tok-3f9a61c2d0"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"password": "x", "user": "y"}, {"password": MASK, "user": "y"}),
        ({"token": "", "otp": 123456, "pin": 1.5}, {"token": "", "otp": 0, "pin": 0.0}),
        ({"challenge": "c", "otp": "123456"}, {"challenge": "c", "otp": MASK}),
        ({"secret": {"a": ["b", None, True]}}, {"secret": {"a": [MASK, None, True]}}),
        ({"token_type": "Bearer", "expires_in": 900}, {"token_type": "Bearer", "expires_in": 900}),
        ({"note": f"your token is {TOKEN}!"}, {"note": f"your token is {MASK}!"}),
        ([1, 2.5, None, False, "EURUSD"], [1, 2.5, None, False, "EURUSD"]),
    ],
)
def test_redaction_keeps_the_shape(value, kept):
    assert redacted(value, Redactor([TOKEN])) == kept
    assert redacted(kept, Redactor([TOKEN])) == kept


def test_saved_recording_is_the_same_bytes_each_time():
    recording = Recording([answer({"a": 1})], {"login": Sight(steps={"code": [0]}, facts={"key": "k"})})
    assert save(recording) == save(load(save(recording)))
    assert json.loads(gzip.decompress(save(recording)))["sights"]["login"]["facts"] == {"key": "k"}


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", gzip.compress(b"[]", mtime=0), gzip.compress(b"x" * 99, mtime=0)[:-9]],
    ids=["empty", "nonsense", "another shape", "cut off"],
)
def test_what_is_not_a_recording_is_refused_with_one_kind_of_error(data):
    with pytest.raises(ValueError, match="not a recording"):
        load(data)


@pytest.mark.parametrize(
    ("how", "unclear"),
    [
        ({"fault": Fault.CONNECT}, False),
        ({"fault": Fault.CERTIFICATE}, False),
        ({"fault": Fault.TIME_OUT}, True),
        ({"fault": Fault.CUT_OFF}, True),
        ({"status": 500}, True),
        ({"status": 408}, True),
        ({"status": 422}, False),
        ({"status": 201}, False),
    ],
)
def test_only_what_may_have_been_carried_out_is_unclear(how, unclear):
    known = {"at": AT, "duration_s": 0.1, "method": "POST", "path": "/x", "authorised": True}
    assert Exchange(**known | how).is_unclear is unclear


def test_curl_can_be_pasted_and_holds_no_secret():
    made = answer({}, 201, "/api/v1/deposits?a=1&b=it's", idempotency_key="k1", request={"note": "it's", "otp": MASK})
    command = curl(made, HOST).replace("curl -sS", "printf '%s\\n'")
    said = subprocess.run(["sh", "-c", command], env={"TOKEN": "T"}, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        f"https://{HOST}/api/v1/deposits?a=1&b=it's",
        *("--oauth2-bearer", "T", "-H", "Idempotency-Key: k1", "-H", "Content-Type: application/json"),
        *("--data", '{"note": "it\'s", "otp": "[redacted]"}'),
    ]


def test_outcome_in_words():
    assert outcome(answer({}, 201)) == "201 after 100 ms"
    assert outcome(answer(None, 0, fault=Fault.TIME_OUT, error="slow")) == "did not answer in time: slow after 100 ms"
