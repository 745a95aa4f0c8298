"""Hosts, pages and cluster are one release, or the first that is not is named."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from postdeploy.identity import IdentityClaims
from postdeploy.readings import Reading
from postdeploy.verdict import State
from postdeploy.web.replies import Fault
from tests.web.build import API, ENVIRONMENT, HOST, LOGIN, RELEASE, WINDOW, reply, sweep

PAGE = '<html><meta name="build" content="{build}"></html>'


def judged(image: Reading | None = None, *, version: str = RELEASE, build: str = "b1", status: int = 200, **more):
    replies = [reply("/version", {"version": version, "build": "b1"}, status, host=host) for host in (HOST, API)]
    replies += [reply(path, PAGE.format(build=build), status) for path in ("/en-GB/", LOGIN)]
    claims = IdentityClaims(None, sweep(*replies, **more), ENVIRONMENT, RELEASE)
    claims._cluster = SimpleNamespace(tag=lambda name: image)
    return claims.one_release()


GOOD = Reading(RELEASE)


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (lambda: judged(GOOD), State.PASSED, f"the image of crm-web is {RELEASE}"),
        (lambda: judged(Reading("v0")), State.FAILED, "the image of crm-web is v0"),
        (lambda: judged(GOOD, version="v0"), State.FAILED, f"/version is v0 at {HOST}, {API}"),
        (lambda: judged(GOOD, build="b0"), State.FAILED, f"the pages' build is b0 at {HOST}"),
        (lambda: judged(Reading(blind="403")), State.UNVERIFIED, "crm-web could not be seen: 403"),
        (lambda: judged(None), State.UNVERIFIED, "it runs nothing"),
        (lambda: judged(GOOD, build=""), State.UNVERIFIED, "could not be read from"),
    ],
)
def test_whoever_disagrees_is_named(found, state, said):
    judgement = found()
    assert judgement.state is state
    assert said in judgement.seen


def test_brand_in_its_maintenance_window_says_nothing_and_is_no_contradiction():
    assert judged(GOOD, status=503, moment=WINDOW).state is State.PASSED


def test_host_that_does_not_answer_is_unverified_here_and_failed_elsewhere():
    lost = [reply("/version", host=host, fault=Fault.CONNECT) for host in (HOST, API)]
    claims = IdentityClaims(None, sweep(*lost), ENVIRONMENT, RELEASE)
    claims._cluster = SimpleNamespace(tag=lambda name: GOOD)
    assert claims.one_release().state is State.UNVERIFIED
