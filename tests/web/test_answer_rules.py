"""What turns status, pages, health and versions red, and what is odd but healthy; each with a literal reply."""

from __future__ import annotations

import pytest

from postdeploy.verdict import State
from postdeploy.web.replies import Fault
from tests.web.build import API, HOST, LOGIN, RELEASE, WINDOW, judged, reply, varied

HEALTH, DEEP, VERSION = "/health", "/health/deep", "/version"
PAGE = '<html><form data-testid="login-form"></form></html>'
FRONT = '<html><a data-testid="login-link"></a></html>'


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (reply(HEALTH, {"status": "ok"}), State.PASSED, "200 in 0.00 s"),
        (reply(HEALTH, {"status": "ok"}, headers={"content-type": "application/health+json"}), State.PASSED, "200"),
        (reply(HEALTH, {"status": "degraded", "checks": {"kyc": "slow"}}), State.DEGRADED, "degraded"),
        (reply(HEALTH, {"status": "failing"}), State.FAILED, "'failing'"),
        (reply(HEALTH, {"status": "OK"}), State.FAILED, "'OK'"),
        (reply(HEALTH, {"status": True}), State.FAILED, "without a health status"),
        (reply(HEALTH, ["ok"]), State.FAILED, "without a health status"),
        (reply(HEALTH, {}, status=204), State.FAILED, "204 No Content at /health, not 200"),
        (reply(HEALTH, {}, status=599), State.FAILED, "599 at /health, not 200"),
        (reply(HEALTH, "<h1>We will be back shortly</h1>"), State.FAILED, "text/html instead of JSON"),
        (reply(HEALTH, fault=Fault.CONNECT, error="refused"), State.UNVERIFIED, "none of 1 hosts answers"),
        (reply(HEALTH, fault=Fault.CERTIFICATE, error="expired"), State.FAILED, "fails the TLS handshake: expired"),
        (reply(HEALTH, fault=Fault.NOT_LOOKED, error="spent"), State.UNVERIFIED, "was not looked at: spent"),
    ],
)
def test_health_is_what_the_host_says_and_nothing_before_it(found, state, said):
    judgement = judged("health", found)
    assert judgement.state is state
    assert said in judgement.seen


def test_ailing_dependency_is_named_where_one_looks():
    judgement = judged("health", reply(HEALTH, {"status": "degraded", "checks": {"kyc": {"status": "down"}}}))
    assert "kyc: down" in judgement.where


@pytest.mark.parametrize("fault", [Fault.CONNECT, Fault.TIME_OUT, Fault.CUT_OFF, Fault.RESOLVE])
def test_control_host_tells_our_fault_from_the_products(fault):
    gone = reply(HEALTH, fault=fault, error="because")
    silent = reply("/", host="control.example", probe="control", fault=Fault.CONNECT)
    there = reply("/", host="control.example", probe="control", status=204)
    assert judged("health", gone, silent).state is State.UNVERIFIED
    assert "control.example does not accept connections too" in judged("health", gone, silent).seen
    assert judged("health", gone, there).state is State.FAILED


def test_503_passes_in_a_declared_window_and_never_outside():
    away = reply(HEALTH, "<h1>Maintenance</h1>", status=503)
    assert judged("health", away, moment=WINDOW).state is State.NOT_APPLICABLE
    assert judged("health", away).state is State.FAILED
    assert judged("health", away, moment=WINDOW, environment=varied(maintenance=())).state is State.FAILED
    assert judged("health", reply(HEALTH, {}, status=500), moment=WINDOW).state is State.FAILED


def listed(**ailing: str):
    from tests.web.build import ENVIRONMENT

    checks = dict.fromkeys(ENVIRONMENT.web.dependencies, "ok") | ailing
    return {"status": "ok", "checks": {name: {"status": word, "latency_ms": 1.0} for name, word in checks.items()}}


@pytest.mark.parametrize(
    ("body", "state", "said"),
    [
        (listed(), State.PASSED, "all 16 of them"),
        (listed(kyc="down"), State.DEGRADED, "kyc says 'down', which is declared to mean degraded"),
        (listed(database="down"), State.FAILED, "database says 'down'"),
        (listed(horoscope="down"), State.DEGRADED, "nobody declared what that means"),
        (listed(horoscope="ok"), State.PASSED, ""),
        ({"status": "ok", "checks": {"database": "ok"}}, State.FAILED, "is not listed"),
        ({"status": "ok"}, State.FAILED, "without a list of checks"),
    ],
)
def test_integration_that_fails_means_what_is_declared_for_it(body, state, said):
    judgement = judged("deep", reply(DEEP, body, host=API), host=API)
    assert judgement.state is state
    assert said in judgement.seen


def test_deep_health_with_a_503_is_judged_by_its_words():
    found = reply(DEEP, listed(kyc="down"), status=503, host=API)
    assert judged("deep", found, host=API).state is State.DEGRADED
    assert f"at {DEEP}" not in judged("code", found, host=API).why


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (reply(body=PAGE), State.PASSED, ""),
        (reply(body=f"{PAGE} We carry out SCHEDULED MAINTENANCE"), State.FAILED, "the maintenance page"),
        (reply(body=PAGE, headers={"content-type": "application/json"}), State.FAILED, "instead of text/html"),
        (reply(body=f"<title>502 Bad Gateway</title>{PAGE}"), State.FAILED, "an error page of a CDN"),
        (reply(body=FRONT), State.FAILED, "its marker 'data-testid=\"login-form\"' is absent"),
        (reply(body=FRONT, cut=True), State.FAILED, "not in the first 64 KiB"),
        (reply(body=PAGE, size=0), State.FAILED, "an empty page"),
        (reply(body=PAGE, garbled=True), State.DEGRADED, "not valid UTF-8"),
        (reply(body=PAGE, status=500), State.UNVERIFIED, "no endpoint answers with its declared status"),
    ],
)
def test_page_is_the_products_own(found, state, said):
    judgement = judged("genuine", found)
    assert judgement.state is state
    assert said in judgement.seen


def test_page_that_any_unknown_path_gets_is_no_endpoint():
    same = {"body": {"app": 1}, "sha256": "5a5a", "host": API}
    stranger = reply("/postdeploy-no-such-page", probe="missing", **same)
    status = reply("/api/v1/status", **same)
    assert "the very page that a path nobody has gets" in judged("genuine", status, stranger, host=API).seen
    assert judged("genuine", status, host=API).state is State.PASSED


@pytest.mark.parametrize(
    ("body", "state", "said"),
    [
        ({"version": RELEASE}, State.PASSED, "1 times"),
        ({"tag": RELEASE}, State.PASSED, ""),
        ({"version": f"{RELEASE}1"}, State.FAILED, f"it says {RELEASE}1"),
        ({"version": 7}, State.FAILED, "without a version"),
    ],
)
def test_version_is_the_release_to_the_letter(body, state, said):
    judgement = judged("version", reply(VERSION, body))
    assert judgement.state is state
    assert said in judgement.seen


def test_one_address_on_another_release_is_enough_and_named():
    good = reply(VERSION, {"version": RELEASE})
    old = reply(VERSION, {"version": "v2026.47.0"}, probe="version", about="2001:db8::1", headers={"age": "90"})
    judgement = judged("version", good, good, old)
    assert judgement.state is State.FAILED
    assert judgement.seen == "it says v2026.47.0 at 2001:db8::1 (from a cache, 90 s old)"
    assert judged("version", good, reply(VERSION, {}, 404, probe="version")).state is State.FAILED


BUILT = '<html><meta name="build" content="b1"></html>'


@pytest.mark.parametrize(
    ("pages", "state", "said"),
    [
        ([BUILT, BUILT], State.PASSED, "2 of them name b1"),
        ([BUILT, BUILT.replace("b1", "b0")], State.FAILED, "is of build b0, /version names b1"),
        ([BUILT, "<html></html>"], State.FAILED, "names no build"),
    ],
)
def test_pages_are_of_the_build_that_the_version_names(pages, state, said):
    replies = [reply(path, body) for path, body in zip(("/en-GB/", LOGIN), pages, strict=True)]
    judgement = judged("build", reply(VERSION, {"version": RELEASE, "build": "b1"}), *replies)
    assert judgement.state is state
    assert said in judgement.seen


def test_build_cannot_be_judged_without_one_or_without_pages():
    assert judged("build", reply(VERSION, {"version": RELEASE})).state is State.UNVERIFIED
    version = reply(VERSION, {"version": RELEASE, "build": "b1"})
    assert judged("build", version, reply("/en-GB/", BUILT), reply(status=500)).state is State.UNVERIFIED
    assert judged("build", version, host=API).state is State.NOT_APPLICABLE


def test_gravest_finding_is_told_first_and_the_others_below():
    replies = [reply(HEALTH, {}, status=404), reply(VERSION, {}, status=500)]
    judgement = judged("code", *replies)
    assert judgement.state is State.FAILED
    assert "(and 3 more)" in judgement.seen
    assert "500 Internal Server Error at /version" in judgement.where
    assert f"GET https://{HOST}/health" in judgement.where
    assert "owner: platform" in judgement.where
