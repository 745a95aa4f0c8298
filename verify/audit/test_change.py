"""Whether the deployment was allowed, and whether what says so can be believed."""

from __future__ import annotations

import pytest


@pytest.mark.check(
    "audit.identity.token", over="controlled", owner="release", controls=["SOX-ITGC-CM", "RTS-17.1", "SEC-17a-4"]
)
def test_the_job_is_who_it_says(controlled, change):
    """GitLab's signed token says who runs this job, for this environment, project and commit."""
    identity = change.identity()
    assert identity.holds, identity.why


@pytest.mark.check(
    "audit.approval.independent",
    over="controlled",
    owner="release",
    controls=["RTS-17.1b", "SOX-ITGC-CM", "MAS-TRM-7.6", "DORA-9.4e"],
)
def test_the_approver_is_not_the_deployer(controlled, change):
    """Somebody else than who deployed the release has approved it."""
    independent = change.independent()
    assert independent.holds, independent.why


@pytest.mark.check(
    "audit.approval.before", over="controlled", owner="release", controls=["DORA-9.4e", "SOX-ITGC-CM", "MAS-TRM-7.5"]
)
def test_the_approval_came_first(controlled, change):
    """The release was approved before it was deployed, and for this commit."""
    before = change.before()
    assert before.holds, before.why


@pytest.mark.check(
    "audit.ticket.present", over="controlled", owner="release", controls=["RTS-17.1d", "SOX-ITGC-CM", "MAS-TRM-7.5"]
)
def test_a_ticket_belongs_to_it(controlled, change):
    """A change ticket belongs to the deployment."""
    ticket = change.ticket()
    assert ticket.holds, ticket.why


@pytest.mark.check("audit.suite.clean", over="controlled", owner="quality", controls=["SOX-ITGC-CM", "FCA-SYSC-15A.6"])
def test_the_checks_are_those_of_a_commit(controlled, change):
    """The checks that judge are those of a commit, unaltered."""
    suite = change.suite()
    assert suite.holds, suite.why


@pytest.mark.check("audit.clock.skew", over="controlled", owner="platform", controls=["SEC-17a-4", "MIFID-565-72.1"])
def test_the_clock_agrees_with_others(controlled, change):
    """The runner's clock agrees with several others, so that the times in this record mean something."""
    clock = change.clock()
    assert clock.holds, clock.why
