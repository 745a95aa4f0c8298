"""A runner that has IPv4 alone is no reason to roll a release back, and a dead IPv6 address of ours is."""

from __future__ import annotations

import pytest

from postdeploy.verdict import State
from postdeploy.web.replies import NO_ROUTE, Fault, Link, Reply, Sweep
from tests.web.build import HOST, RELEASE, judged, reply, sweep
from tests.web.public import at, not_well, small
from tests.web.public import judged as judged_all

VERSION = "/version"
V4, V6 = "203.0.113.10", "2001:db8:cafe::10"
GOOD = reply(VERSION, {"version": RELEASE}, link=Link(address=V4))


def dead(address: str, error: str = "refused", host: str = HOST, probe: str = "version") -> Reply:
    link = Link(address=address)
    return reply(VERSION, host=host, probe=probe, about=address, link=link, fault=Fault.CONNECT, error=error)


def control(address: str, fault: Fault | None = None) -> Reply:
    return reply("/", host="control.example", probe="control", link=Link(address=address), fault=fault)


@pytest.mark.parametrize(
    ("control_says", "error", "state"),
    [
        ((control(V4), control(V6)), "refused", State.FAILED),
        ((control(V4), control(V6)), f"{NO_ROUTE}: Network is unreachable", State.FAILED),
        ((control(V4), control(V6, Fault.CONNECT)), "refused", State.UNVERIFIED),
        ((control(V4), control(V6, Fault.TIME_OUT)), "refused", State.UNVERIFIED),
        ((control(V4), control(V6, Fault.CERTIFICATE)), "refused", State.FAILED),
        ((control(V4),), "refused", State.FAILED),
        ((control(V4),), f"{NO_ROUTE}: Network is unreachable", State.UNVERIFIED),
        ((), "refused", State.FAILED),
        ((), f"{NO_ROUTE}: Network is unreachable", State.UNVERIFIED),
    ],
)
def test_control_host_or_our_own_machine_tells_whose_ipv6_it_is(control_says, error, state):
    judgement = judged("version", GOOD, dead(V6, error), *control_says)
    assert judgement.state is state
    if state is State.UNVERIFIED:
        assert "nobody can be reached by IPv6 from here" in judgement.seen
        assert "web.families" in judgement.cause


def test_what_fails_by_the_family_that_works_is_the_products():
    found = judged("version", dead(V4), control(V4), control(V6, Fault.CONNECT))
    assert found.state is State.FAILED


def test_offline_is_who_hears_from_the_control_host_by_neither_family():
    assert sweep(control(V4, Fault.CONNECT), control(V6, Fault.CONNECT)).is_offline
    assert not sweep(control(V4, Fault.CONNECT), control(V6)).is_offline


@pytest.fixture(scope="module")
def lame() -> Sweep:
    """A sweep by a runner without IPv6 that says so of itself, in an environment with both."""
    return at(ipv4_alone(), "runner-without-ipv6")


def ipv4_alone():
    whole = small()
    return whole.model_copy(update={"web": whole.web.model_copy(update={"families": ("ipv4",)})})


def test_family_that_the_runner_is_declared_not_to_have_is_looked_up_and_not_asked(lame):
    assert not_well(judged_all(lame, ipv4_alone())) == {}
    assert not [each for each in lame.replies if each.link.family == "IPv6"]
    assert {each.kind for each in lame.answers} == {"A", "AAAA"}
    assert {each.link.family for each in lame.replies if each.probe == "control"} == {"IPv4"}
    said = judged_all(lame, ipv4_alone())["endpoints.version.release"][HOST].seen
    assert "IPv6 is not asked (web.families)" in said


def test_old_protocols_are_offered_at_every_address():
    offered = at(small()).handshakes
    assert len({each.address for each in offered if each.host == HOST}) == 2
