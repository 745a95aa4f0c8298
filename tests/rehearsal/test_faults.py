"""Every fault of the infrastructure tier is red through the check id it names."""

from __future__ import annotations

import pytest

from postdeploy.environment import load
from postdeploy.verdict import State
from rehearsal.catalogue import FAULTS
from tests.rehearsal.judged import Rehearsal

OF_CLUSTER = [each for each in FAULTS.values() if each.tier == "infra"]
STATES = {
    "failed": {State.FAILED, State.PENDING},
    "unverified": {State.UNVERIFIED},
    "degraded": {State.DEGRADED},
}
"""What a claim may say at the end; a rollout that never converges stays pending, which a check does not accept."""


@pytest.mark.parametrize(("name", "seed"), [("uk-prod", 1), ("za-prod", 2)])
@pytest.mark.parametrize("fault", OF_CLUSTER, ids=lambda each: each.name)
def test_fault_is_red_by_the_check_it_names(fault, name, seed):
    rehearsal = Rehearsal(fault.name, seed=seed, environment=load(fault.only_in or name))
    states = {each.state for each in rehearsal.judged()[fault.catches].values()}
    wrong = states - {State.PASSED, State.NOT_APPLICABLE}
    assert wrong
    assert wrong <= STATES[fault.verdict]


@pytest.mark.parametrize("fault", [e for e in OF_CLUSTER if e.verdict == "unverified"], ids=lambda each: each.name)
def test_what_could_not_be_read_is_never_a_failure_of_the_product(fault):
    rehearsal = Rehearsal(fault.name, environment=load(fault.only_in or "uk-prod"))
    states = {each.state for judgements in rehearsal.red().values() for each in judgements.values()}
    assert states == {State.UNVERIFIED}


@pytest.mark.parametrize("fault", [e for e in OF_CLUSTER if e.verdict == "degraded"], ids=lambda each: each.name)
def test_soft_fault_is_a_finding_and_no_failure(fault):
    assert Rehearsal(fault.name).red() == {}


@pytest.mark.parametrize(
    "name", ["crash-loop", "out-of-memory", "init-crash-loop", "image-pull-not-found", "secret-missing"]
)
def test_hopeless_faults_end_the_wait_early(name):
    doomed = Rehearsal(name).red()["infra.pods.doomed"]
    assert any(each.doomed for each in doomed.values())


@pytest.mark.parametrize("name", ["crash-loop", "progress-deadline", "replica-quota", "migration-failed"])
def test_failure_says_all_four_parts(name):
    judgements = Rehearsal(name).red()[FAULTS[name].catches]
    for each in judgements.values():
        assert each.claim
        assert each.seen
        assert each.where
        assert each.cause


@pytest.mark.parametrize(
    ("name", "checks"),
    [
        ("generation-lag", {"infra.rollout.complete"}),
        ("old-pods-terminating", {"infra.rollout.old-pods"}),
        ("cronjob-suspended", {"infra.batch.cronjob"}),
        ("cronjob-resumed", {"infra.batch.cronjob"}),
        ("two-digests-one-tag", {"infra.images.digest"}),
        ("migration-failed", {"infra.batch.migration", "infra.events.warnings"}),
        ("migration-hangs", {"infra.batch.migration"}),
    ],
)
def test_narrow_fault_breaks_nothing_else(name, checks):
    assert set(Rehearsal(name).red()) - {"infra.release.live"} == checks


def test_victim_depends_on_the_seed_only():
    struck = [tuple(Rehearsal("crash-loop", seed=seed).red()["infra.pods.doomed"]) for seed in [*range(5), *range(5)]]
    assert struck[:5] == struck[5:]
    assert len(set(struck)) > 1


def test_faults_add_up():
    red = Rehearsal("crash-loop", "cronjob-suspended").red()
    assert {"infra.pods.doomed", "infra.batch.cronjob"} <= set(red)


def test_crash_loop_leaves_a_log_that_says_why():
    world = Rehearsal("crash-loop").world
    assert any("KeyError" in line for lines in world.logs.values() for line in lines)
