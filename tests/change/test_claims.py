"""Who may deploy what: each rule with what turns it red, and with what is odd and right."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from postdeploy.change.objects import Approval, Said, Witness
from postdeploy.verdict import State
from tests.change.build import APPROVED, BEGAN, IDENTITY, WELL, change, claims, deployed

RULES = ("identity", "independent", "before", "ticket", "suite", "clock")
SELF = Approval(by="Dora", status="approved", at=BEGAN - timedelta(minutes=1))
LATE = Approval(by="ann", status="approved", at=BEGAN + timedelta(minutes=1))


@pytest.mark.parametrize("rule", RULES)
def test_a_change_as_it_should_be_holds(rule):
    judged = getattr(claims(), rule)()
    assert judged.state is State.PASSED, judged.why


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (deployed(approvals=(SELF,)), State.FAILED),
        (deployed(approvals=()), State.FAILED),
        (deployed(approvals=(APPROVED, Approval(by="bea", status="rejected"))), State.FAILED),
        (deployed(approvals=(SELF, APPROVED)), State.PASSED),
        (deployed(approvals=None), State.UNVERIFIED),
        (change(deployment=None), State.UNVERIFIED),
        (change(deployment=None, gitlab_unknown="502"), State.UNVERIFIED),
        (change(deployment=None, said=Said(actor="dora", approver="ann")), State.PASSED),
        (change(deployment=None, said=Said(actor="dora", approver="dora")), State.FAILED),
        (change(deployment=None, identity=None, said=Said(approver="ann")), State.UNVERIFIED),
        (deployed(by="", approvals=(SELF,)), State.FAILED),
    ],
)
def test_the_approver_is_not_the_deployer(seen, state):
    judged = claims(seen).independent()
    assert judged.state is state, judged.why


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (deployed(approvals=(LATE,)), State.FAILED),
        (deployed(approvals=(LATE, APPROVED)), State.PASSED),
        (deployed(approvals=()), State.FAILED),
        (deployed(approvals=(Approval(by="ann", status="approved"),)), State.FAILED),
        (deployed(sha="b" * 40), State.FAILED),
        (deployed(began=None), State.UNVERIFIED),
        (change(commit=""), State.UNVERIFIED),
        (change(deployment=None), State.UNVERIFIED),
    ],
)
def test_the_approval_came_first_and_for_this_commit(seen, state):
    judged = claims(seen).before()
    assert judged.state is state, judged.why


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (change(said=Said()), State.FAILED),
        (change(said=Said(ticket="see mail")), State.FAILED),
        (change(said=Said(ticket="CHG-1; DROP")), State.FAILED),
        (deployed(approvals=(msgspec.structs.replace(APPROVED, comment="CHG-77 is fine"),)), State.PASSED),
        (change(said=Said(), deployment=None, gitlab_unknown="502"), State.UNVERIFIED),
    ],
)
def test_a_ticket_belongs_to_it(seen, state):
    assert claims(seen).ticket().state is state


@pytest.mark.parametrize(
    ("difference", "state"),
    [
        ({"identity": None, "identity_wrong": "forged"}, State.FAILED),
        ({"identity": None, "identity_unknown": "none"}, State.UNVERIFIED),
        *(
            ({"identity": msgspec.structs.replace(IDENTITY, **{name: "x"})}, State.FAILED)
            for name in ("environment", "project_path", "sha", "ref_protected")
        ),
        ({"commit": ""}, State.PASSED),
    ],
)
def test_the_token_is_this_jobs(difference, state):
    assert claims(change(**difference)).identity().state is state


def test_a_token_that_nobody_asks_for_is_not_applicable():
    assert claims(change(identity=None), identity=False).identity().state is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("difference", "state"),
    [
        ({"suite_dirty": True}, State.FAILED),
        ({"suite_dirty": None}, State.UNVERIFIED),
        ({"suite_commit": "unknown"}, State.UNVERIFIED),
    ],
)
def test_the_checks_are_those_of_a_commit(difference, state):
    assert claims(change(**difference)).suite().state is state


@pytest.mark.parametrize(
    ("skews", "state"),
    [
        ((0.0, 1.9, -0.5), State.PASSED),
        ((3600.0, 0.0, 0.1), State.PASSED),
        ((5.0, 5.2, 4.9), State.DEGRADED),
        ((-31.0, -31.2, 0.0), State.FAILED),
        ((600.0, 600.0, None), State.FAILED),
        ((0.0, None, None), State.UNVERIFIED),
        ((0.0, 600.0, -600.0), State.UNVERIFIED),
        ((), State.UNVERIFIED),
    ],
)
def test_the_clock_agrees_with_several_others(skews, state):
    witnesses = tuple(Witness(name=str(number), skew_s=each) for number, each in enumerate(skews))
    judged = claims(change(witnesses=witnesses)).clock()
    assert judged.state is state, judged.why


@pytest.mark.parametrize("rule", RULES)
def test_a_failure_says_what_was_claimed_seen_and_where_to_look(rule):
    seen = msgspec.structs.replace(
        deployed(approvals=(SELF,), sha="b" * 40),
        identity=None,
        identity_wrong="forged",
        said=Said(),
        suite_dirty=True,
        witnesses=tuple(Witness(name=str(number), skew_s=99.0) for number in range(3)),
    )
    judged = getattr(claims(seen), rule)()
    assert judged.state is State.FAILED
    assert judged.seen
    assert judged.where
    assert judged.cause
    assert seen != WELL
