"""Logins, sessions and identity, judged from literal answers."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from postdeploy.broker import claims_identity as claims
from postdeploy.broker.recording import Fault
from postdeploy.verdict import State
from tests.broker.making import AT, HOST, answer, seen

GRANTED = {"token": "[redacted]", "token_type": "Bearer", "expires_in": 900, "refresh_token": "[redacted]"}
ME = {"id": "SYN-1", "synthetic": True, "payments": "sandbox", "username": "syn@x.example", "currency": "GBP"}
ME |= {"country": "GB", "kyc": "verified", "RM_Name": "Ada", "RM_Phone": "1", "RM_Photo": "/a.webp"}


def served(seconds: float) -> str:
    return format_datetime((AT + timedelta(seconds=seconds)).replace(microsecond=0), usegmt=True)


@pytest.mark.parametrize(
    ("skew", "state"), [(0, "passed"), (4, "passed"), (-4, "passed"), (7, "unverified"), (-90, "unverified")]
)
def test_clocks_may_differ_by_a_few_seconds(skew, state):
    judged = claims.keeps_time(HOST, answer({}, 401, served=served(skew)))
    assert judged.state == state
    assert ("ahead" in judged.seen) == (skew > 5)
    assert ("behind" in judged.seen) == (skew < -5)


def test_slow_answer_tells_the_time_less_exactly():
    assert claims.keeps_time(HOST, replace(answer({}, 401, served=served(9)), duration_s=10.0)).holds
    assert not claims.keeps_time(HOST, replace(answer({}, 401, served=served(30)), duration_s=10.0)).holds


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_answer_without_a_date_says_nothing_of_the_time(date):
    assert claims.keeps_time(HOST, answer({}, 401, served=date)).state is State.UNVERIFIED


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (answer({"error": "wrong code"}, 401), "cannot log in: status 401 'wrong code'"),
        (answer({"detail": "locked"}, 423), "status 423 'locked'"),
        (answer(GRANTED | {"token": " "}), "the token is empty"),
        (answer(GRANTED | {"expires_in": 0}), "the token expires in 0 s"),
        (answer({k: v for k, v in GRANTED.items() if k != "token"}), "missing required field `token`"),
        (answer(GRANTED | {"expires_in": "900"}), "`expires_in`"),
        (answer("maintenance"), "no JSON but 'maintenance'"),
        (answer({}, 503), "status 503"),
        (answer(None, 0, fault=Fault.TIME_OUT, error="slow"), "did not answer in time: slow"),
    ],
)
def test_login_that_gives_no_usable_session_is_failed(code, said):
    judged = claims.grants_session(HOST, "syn", seen(password=answer({"challenge": "c", "factor": "totp"}), code=code))
    assert judged.state is State.FAILED
    assert said in judged.seen
    assert judged.cause


def test_refused_password_is_the_answer_where_it_came_to_no_code():
    judged = claims.grants_session(HOST, "syn", seen(password=answer({"error": "wrong credentials"}, 401)))
    assert "status 401 'wrong credentials'" in judged.seen


@pytest.mark.parametrize(
    ("password", "state"),
    [
        (answer({"challenge": "c", "factor": "totp"}), State.PASSED),
        (answer(GRANTED), State.FAILED),
        (answer({"challenge": "c", "factor": "sms"}), State.FAILED),
        (answer({"error": "wrong"}, 401), State.UNVERIFIED),
        (answer("gateway", 502), State.UNVERIFIED),
    ],
)
def test_the_password_alone_must_open_nothing(password, state):
    assert claims.asks_second_factor(HOST, "syn", seen(password=password)).state is state


def test_logout_is_judged_by_what_its_token_still_opens():
    for status, state in ((401, State.PASSED), (200, State.FAILED), (403, State.FAILED), (503, State.FAILED)):
        judged = claims.ends_session(HOST, "syn", seen(logout=answer({}), afterwards=answer({}, status)))
        assert judged.state is state, status
    assert (
        claims.ends_session(HOST, "syn", seen(logout=answer({}, 500), afterwards=answer({}, 401))).state is State.FAILED
    )


def test_renewal_is_judged_by_what_the_new_token_opens():
    assert claims.refreshes(HOST, "syn", seen(refresh=answer(GRANTED), renewed=answer({}))).holds
    refused = claims.refreshes(HOST, "syn", seen(refresh=answer(GRANTED), renewed=answer({"error": "no"}, 401)))
    assert "the new token is refused: status 401" in refused.seen
    assert not claims.refreshes(HOST, "syn", seen(refresh=answer({}, 401), renewed=answer({}, 401))).holds


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"synthetic": False}, "not marked synthetic"),
        ({"synthetic": "true"}, "`synthetic`"),
        ({"synthetic": 1}, "`synthetic`"),
        ({"id": "C-20419"}, "on no allow-list"),
        ({"id": "SYN-2"}, "another account of this environment"),
        ({"payments": "moon"}, "`payments`"),
    ],
)
def test_what_is_not_proven_is_unverified_and_never_failed(changed, said):
    judged = claims.is_synthetic(HOST, "SYN-1", ["SYN-1", "SYN-2"], answer(ME | changed))
    assert judged.state is State.UNVERIFIED
    assert said in judged.seen


@pytest.mark.parametrize("status", [401, 404, 500])
def test_no_answer_proves_nothing(status):
    assert claims.is_synthetic(HOST, "SYN-1", ["SYN-1"], answer({}, status)).state is State.UNVERIFIED


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["SYN-1", "SYN-2", "C-20419", "", 1, None, ["SYN-1"]]),
            "synthetic": st.sampled_from([True, False, "true", 1, None]),
            "payments": st.sampled_from(["sandbox", "live", "", None]),
        },
    ),
    st.sampled_from([200, 204, 302, 401, 500]),
)
def test_nothing_but_the_whole_right_answer_proves_an_account(said, status):
    judged = claims.is_synthetic(HOST, "SYN-1", ["SYN-1", "SYN-2"], answer(said, status))
    right = said.get("id") == "SYN-1" and said.get("synthetic") is True and said.get("payments") in ("sandbox", "live")
    assert (judged.state is State.PASSED) is (right and status == 200)
    assert judged.state in (State.PASSED, State.UNVERIFIED)


def test_proof_does_not_depend_on_the_rest_of_the_profile():
    bare = {name: ME[name] for name in ("id", "synthetic", "payments")}
    assert claims.is_synthetic(HOST, "SYN-1", ["SYN-1"], answer(bare)).holds


def test_renamed_field_is_named_with_its_new_name():
    renamed = {("Manager_Photo" if name == "RM_Photo" else name): value for name, value in ME.items()}
    judged = claims.shows_profile(HOST, "syn@x.example", answer(renamed))
    assert judged.state is State.FAILED
    assert "missing required field `RM_Photo` (there are unknown fields: `Manager_Photo`)" in judged.seen


def test_further_field_is_told_and_no_finding():
    judged = claims.shows_profile(HOST, "syn@x.example", answer(ME | {"loyalty": "none"}))
    assert (judged.state, judged.seen) == (State.PASSED, "all of them, and loyalty besides")


def test_profile_of_somebody_else_is_failed():
    assert "somebody else" in claims.shows_profile(HOST, "me@x.example", answer(ME)).seen


@pytest.mark.parametrize(
    ("own", "foreign", "state"),
    [(200, 403, "passed"), (200, 404, "passed"), (200, 200, "failed"), (404, 404, "failed"), (200, 500, "failed")],
)
def test_isolation_needs_a_path_that_works_for_ones_own(own, foreign, state):
    judged = claims.isolates(HOST, "SYN-1", "SYN-2", seen(own=answer(ME, own), foreign=answer({}, foreign)))
    assert judged.state == state


@pytest.mark.parametrize(("status", "state"), [(401, "passed"), (200, "failed"), (403, "failed"), (502, "failed")])
def test_strangers_get_401_and_nothing_else(status, state):
    assert claims.refuses_strangers(HOST, answer({}, status)).state == state
