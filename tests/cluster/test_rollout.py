"""A workload has rolled out when its controller has seen the spec and its counters leave nothing open."""

from __future__ import annotations

from datetime import datetime

import pytest

from postdeploy.cluster.rollout import daemonset, deployment, replicaset, statefulset
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import condition, seen

NOW = datetime.fromisoformat(build.NOW)


def judged(**more):
    return deployment(seen(build.deployment(**more)), NOW)


def conditions(*found):
    return {"status": {"conditions": list(found)}}


DONE = condition("Progressing", reason="NewReplicaSetAvailable")
UNDER_WAY = condition("Progressing", reason="ReplicaSetUpdated")
LATE = condition("Progressing", "False", "ProgressDeadlineExceeded")
DOWN = condition("Available", "False", "MinimumReplicasUnavailable")
QUOTA = condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota")


def test_complete_deployment_passes():
    assert judged().state is State.PASSED


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"observedGeneration": 1}, "generation 1 of 2"),
        ({"updatedReplicas": 2}, "2 of 3 replicas updated"),
        ({"replicas": 4}, "1 of 4 replicas are still of an old revision"),
        ({"replicas": 4, "updatedReplicas": 4}, "4 replicas are up where 3 are wanted"),
        ({"availableReplicas": 2}, "2 of 3 replicas available"),
        ({"readyReplicas": 2}, "2 of 3 replicas ready"),
        ({"conditions": [DOWN, DONE]}, "Available=False"),
        ({"conditions": [LATE, condition("Available")]}, "the condition is not"),
    ],
)
def test_open_counter_is_pending(status, told):
    ruling = judged(status=status)
    assert ruling.state is State.PENDING
    assert told in ruling.seen


def test_stale_green_counters_do_not_count():
    assert judged(metadata={"generation": 3}).state is State.PENDING


def test_status_that_was_never_written_is_pending():
    assert judged(status=None).state is State.PENDING


def test_counters_without_an_observed_generation_are_believed():
    assert judged(status={"observedGeneration": None, "conditions": []}).state is State.PASSED


def test_deadline_is_final_while_something_is_open():
    ruling = judged(status={"updatedReplicas": 1, "conditions": [LATE]})
    assert (ruling.state, ruling.doomed) == (State.FAILED, True)


def test_deadline_of_pods_that_are_not_available_is_final():
    assert judged(status={"availableReplicas": 1, "conditions": [LATE]}).doomed


def test_paused_half_way_never_ends():
    ruling = judged(spec={"paused": True}, status={"updatedReplicas": 1})
    assert (ruling.state, ruling.doomed) == (State.FAILED, True)


def test_paused_after_completion_passes_and_is_said():
    ruling = judged(spec={"paused": True})
    assert ruling.state is State.PASSED
    assert "paused" in ruling.seen


def test_quota_is_final_only_after_a_while():
    young = dict(QUOTA, lastTransitionTime=build.NOW)
    assert judged(status={"updatedReplicas": 1, "conditions": [QUOTA]}).doomed
    ruling = judged(status={"updatedReplicas": 1, "conditions": [young]})
    assert (ruling.state, ruling.doomed) == (State.FAILED, False)


def test_quota_of_the_past_is_forgotten():
    assert judged(status={"conditions": [QUOTA, condition("Available"), DONE]}).state is State.PASSED


def test_pods_down_after_a_finished_rollout_fail_but_may_come_back():
    ruling = judged(status={"availableReplicas": 0, "conditions": [DOWN, DONE]})
    assert (ruling.state, ruling.doomed) == (State.FAILED, False)


def test_deleted_deployment_is_final_and_names_its_finalizers():
    ruling = judged(metadata={"deletionTimestamp": build.NOW, "finalizers": ["example/hold"]})
    assert ruling.doomed
    assert "example/hold" in ruling.seen


def stateful(**more):
    return statefulset(seen(build.statefulset(**more)))


def strategy(kind="RollingUpdate", partition=0):
    return {"updateStrategy": {"type": kind, "rollingUpdate": {"partition": partition}}}


def test_complete_statefulset_passes():
    assert stateful().state is State.PASSED


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 0},
        {"replicas": 2},
        {"replicas": 4},
        {"readyReplicas": 2},
        {"availableReplicas": 2},
        {"currentRevision": "db-1", "updatedReplicas": 2},
        {"currentRevision": "db-1"},
    ],
)
def test_open_statefulset_is_pending(status):
    assert stateful(status=status).state is State.PENDING


def test_statefulset_of_an_old_server_counts_no_available_replicas():
    assert stateful(status={"availableReplicas": None}).state is State.PASSED
    assert stateful(status={"availableReplicas": 0}).state is State.PASSED
    young = stateful(spec={"minReadySeconds": 60}, status={"availableReplicas": 0})
    assert (young.state, "availableReplicas" in young.seen) == (State.PENDING, True)


def test_partition_keeps_old_pods_on_purpose():
    status = {"currentRevision": "db-1", "updatedReplicas": 1}
    assert stateful(spec=strategy(partition=2), status=status).state is State.PASSED
    assert stateful(spec=strategy(partition=1), status=status).state is State.PENDING


def test_on_delete_with_old_pods_is_final():
    ruling = stateful(spec=strategy("OnDelete"), status={"currentRevision": "db-1", "updatedReplicas": 1})
    assert (ruling.state, ruling.doomed) == (State.FAILED, True)


def test_on_delete_never_moves_the_current_revision():
    assert stateful(spec=strategy("OnDelete"), status={"currentRevision": "db-1"}).state is State.PASSED


def test_on_delete_that_counts_nothing_is_judged_by_its_revisions():
    assert stateful(spec=strategy("OnDelete"), status={"updatedReplicas": 0}).state is State.PASSED


def daemon(**more):
    return daemonset(seen(build.daemonset(**more)))


def test_complete_daemonset_passes_and_misscheduled_pods_are_said():
    ruling = daemon(status={"numberMisscheduled": 1})
    assert ruling.state is State.PASSED
    assert "1 where none should be" in ruling.seen


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 1},
        {"updatedNumberScheduled": 1},
        {"numberReady": 1},
        {"numberAvailable": 1},
        None,
    ],
)
def test_open_daemonset_is_pending(status):
    assert daemon(status=status).state is State.PENDING


def test_daemonset_on_delete_with_old_pods_is_final():
    assert daemon(spec=strategy("OnDelete"), status={"updatedNumberScheduled": 1}).doomed


def replicas(**more):
    return replicaset(seen(build.replicaset(**more)))


def test_replicaset_of_an_old_revision_is_no_part_of_the_release():
    assert replicas(replicas=0).state is State.NOT_APPLICABLE
    assert replicas(metadata={"deletionTimestamp": build.NOW}).state is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, State.PASSED),
        ({"status": {"readyReplicas": 1}}, State.PENDING),
        ({"status": {"observedGeneration": 0}}, State.PENDING),
        ({"status": None}, State.PENDING),
        ({"replicas": 0, "status": {"replicas": 1}}, State.PENDING),
        ({"status": {"conditions": [QUOTA]}}, State.FAILED),
        ({"status": {"conditions": [condition("Other")]}}, State.PASSED),
    ],
)
def test_replicaset_states(more, state):
    assert replicas(**more).state is state
