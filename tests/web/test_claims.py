"""What an answer says of a host; each rule with a literal sweep."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from postdeploy.evidence.results import Attempt
from postdeploy.verdict import State, Verdict
from postdeploy.web.claims import WebClaims
from postdeploy.web.replies import Fault, Reply, Sweep
from postdeploy.web.sweep import HEALTH, VERSION

HOST, OTHER = "alpha.example", "beta.example"
RELEASE = "v2026.47.1"
NOW = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
JSON = {"content-type": "application/json; charset=utf-8"}
PAGE = "<html><h1>We will be back shortly</h1></html>"


def claims(*replies: Reply) -> WebClaims:
    sweep = Sweep(environment="uk-test", run_id="r", taken=NOW, replies=replies)
    return WebClaims(sweep, SimpleNamespace(name="uk-test"), RELEASE)


def health(body: str = '{"status": "ok"}', status: int = 200, **more) -> Reply:
    return Reply(host=HOST, path=HEALTH, status=status, body=body, headers=JSON | more.pop("headers", {}), **more)


def version(body: str, status: int = 200, **headers: str) -> Reply:
    return Reply(host=HOST, path=VERSION, status=status, body=body, headers=JSON | headers)


def unanswered(fault: Fault, host: str = HOST, path: str = HEALTH) -> Reply:
    return Reply(host=host, path=path, fault=fault, error="because")


@pytest.mark.parametrize(
    ("reply", "state", "said"),
    [
        (health(), State.PASSED, "200 in 0.00 s"),
        (health(headers={"content-type": "application/health+json"}), State.PASSED, "200"),
        (health('{"status": "degraded"}'), State.DEGRADED, "degraded"),
        (health('{"status": "failing"}'), State.FAILED, "'failing'"),
        (health('{"status": "OK"}'), State.FAILED, "'OK'"),
        (health('{"status": true}'), State.FAILED, "without a health status"),
        (health('{"state": "ok"}'), State.FAILED, "without a health status"),
        (health('["ok"]'), State.FAILED, "without a health status"),
        (health("{}"), State.FAILED, "without a health status"),
        (health("ok"), State.FAILED, "'ok'"),
        (health(""), State.FAILED, "an empty body"),
        (health(status=204), State.FAILED, "204 No Content, not 200"),
        (health(status=301), State.FAILED, "301 Moved Permanently, not 200"),
        (health(PAGE, status=503), State.FAILED, "503 Service Unavailable, not 200: '<html><h1>We will be back"),
        (health(status=599), State.FAILED, "599, not 200"),
        (health(PAGE, headers={"content-type": "text/html"}), State.FAILED, "text/html instead of JSON"),
        (health(headers={"content-type": "text/jsonp"}), State.FAILED, "instead of JSON"),
    ],
)
def test_health_is_200_and_json_and_ok(reply, state, said):
    judged = claims(reply).health(HOST)
    assert judged.state is state
    assert said in judged.seen


def test_a_page_without_a_content_type_is_no_json():
    bare = Reply(host=HOST, path=HEALTH, status=200, body='{"status": "ok"}')
    assert "no content type instead of JSON" in claims(bare).health(HOST).seen


def test_a_long_body_is_quoted_in_part():
    judged = claims(health("x" * 5000)).health(HOST)
    assert len(judged.seen) < 300
    assert "…" in judged.seen


def test_health_names_the_dependencies_that_ail():
    body = '{"status": "failing", "checks": {"database": "ok", "kyc": "time-out"}}'
    judged = claims(health(body)).health(HOST)
    assert "kyc: time-out" in judged.where
    assert "database" not in judged.where


@pytest.mark.parametrize(
    ("reply", "state", "said"),
    [
        (version(f'{{"version": "{RELEASE}", "build": "c0ffee"}}'), State.PASSED, RELEASE),
        (version(f'{{"tag": "{RELEASE}"}}'), State.PASSED, RELEASE),
        (version('{"version": "v2026.46.3"}'), State.FAILED, "it says v2026.46.3"),
        (version(f'{{"version": "{RELEASE}1"}}'), State.FAILED, f"it says {RELEASE}1"),
        (version(f'{{"version": "{RELEASE.upper()}"}}'), State.FAILED, RELEASE.upper()),
        (version('{"version": "v2026.46.3"}', age="3600"), State.FAILED, "(from a cache, 3600 s old)"),
        (version('{"version": "v2026.46.3"}', age="0"), State.FAILED, "it says v2026.46.3"),
        (version('{"version": 47}'), State.FAILED, "without a version"),
        (version("null"), State.FAILED, "without a version"),
        (version("oops", status=500), State.FAILED, "500 Internal Server Error, not 200: 'oops'"),
    ],
)
def test_version_is_the_release_and_nothing_that_looks_like_it(reply, state, said):
    judged = claims(reply).version(HOST)
    assert judged.state is state
    assert said in judged.seen


def test_version_message_has_four_parts():
    reply = version('{"version": "v2026.46.3"}', **{"x-request-id": "abc"})
    why = claims(reply).version(HOST).why
    assert why.splitlines()[0] == f"{HOST} runs {RELEASE}: failed: it says v2026.46.3"
    assert f"where to look: GET https://{HOST}/version\n  x-request-id: abc" in why
    assert "usual cause: old pods still serve" in why


@pytest.mark.parametrize("fault", [each for each in Fault if each is not Fault.NOT_LOOKED])
def test_a_host_that_does_not_answer_while_others_do_has_failed(fault):
    judged = claims(unanswered(fault), Reply(host=OTHER, path=HEALTH, status=200)).health(HOST)
    assert judged.state is State.FAILED
    assert judged.seen == f"{HOST} {fault}: because"
    assert judged.cause


@pytest.mark.parametrize("fault", [Fault.RESOLVE, Fault.CONNECT])
def test_when_no_host_can_be_contacted_our_own_network_is_in_doubt(fault):
    """An offline runner must not roll a good release back."""
    judged = claims(unanswered(fault), unanswered(Fault.CONNECT, OTHER), unanswered(Fault.NOT_LOOKED, "c.example"))
    assert judged.health(HOST).state is State.UNVERIFIED
    assert "none of 3 hosts" in judged.health(HOST).seen


def test_a_certificate_or_a_silent_host_shows_that_the_network_is_there():
    judged = claims(unanswered(Fault.CONNECT), unanswered(Fault.CERTIFICATE, OTHER))
    assert judged.health(HOST).state is State.FAILED


def test_what_was_not_looked_at_is_unverified():
    judged = claims(unanswered(Fault.NOT_LOOKED))
    assert judged.health(HOST).state is State.UNVERIFIED
    assert judged.version(HOST).state is State.UNVERIFIED
    assert claims().health("nobody.example").state is State.UNVERIFIED
    assert not claims().sweep.is_offline
    assert claims().looks("health", HOST) == ()


def test_looks_tell_a_flaky_host():
    looks = (Attempt(NOW, 0.1, Verdict.FAILED, "refused"), Attempt(NOW, 0.1, Verdict.PASSED, "answered 200"))
    judged = claims(health(attempts=looks, trace="00-aa-bb-01"), version('{"version": "old"}'))
    assert judged.looks("health", HOST) == looks
    assert judged.looks("version", HOST) == ()
    failed = claims(health("{}", attempts=looks, trace="00-aa-bb-01")).health(HOST)
    assert f"GET https://{HOST}/health (2 looks)" in failed.where
    assert "traceparent: 00-aa-bb-01" in failed.where
