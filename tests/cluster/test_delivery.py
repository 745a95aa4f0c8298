"""Flux, Argo Rollouts and Flagger: ready is not enough, what was attempted must be what serves."""

from __future__ import annotations

import pytest

from postdeploy.cluster import flux, progressive
from postdeploy.cluster.objects import read
from postdeploy.verdict import State
from tests.cluster.build import NOW, condition, merge

READY = condition("Ready", reason="ReconciliationSucceeded")
GOING = {"deletionTimestamp": NOW}


def judged(kind, *conditions, spec=None, meta=None, **status):
    raw = {
        "kind": kind,
        "metadata": meta or {},
        "spec": spec or {},
        "status": {"conditions": list(conditions)} | status,
    }
    return flux.flux(read(kind, raw))


@pytest.mark.parametrize("kind", ["GitRepository", "OCIRepository", "Kustomization", "HelmRelease", "ImagePolicy"])
@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([READY], State.PASSED),
        ([], State.PENDING),
        ([condition("Ready", "Unknown", "Progressing")], State.PENDING),
        ([condition("Ready", "False", "DependencyNotReady")], State.PENDING),
        ([condition("Ready", "False", "BuildFailed")], State.FAILED),
        ([condition("Reconciling"), READY], State.PENDING),
        ([condition("Stalled"), condition("Ready", "False", "Progressing")], State.FAILED),
        ([condition("Healthy")], State.PENDING),
    ],
)
def test_conditions_of_flux(kind, conditions, state):
    assert judged(kind, *conditions).state is state


def test_suspended_object_is_not_healthy_however_ready():
    assert judged("Kustomization", READY, spec={"suspend": True}).state is State.FAILED


def test_object_that_is_being_deleted_fails():
    assert judged("Kustomization", READY, meta=GOING).doomed


def test_generation_must_have_been_seen_by_object_and_condition():
    assert judged("GitRepository", READY, meta={"generation": 2}, observedGeneration=1).state is State.PENDING
    old = READY | {"observedGeneration": 1}
    assert judged("GitRepository", old, meta={"generation": 2}).state is State.PENDING
    assert judged("GitRepository", old, meta={"generation": 1}, observedGeneration=1).state is State.PASSED


@pytest.mark.parametrize(
    ("broken", "state"),
    [
        (condition("FetchFailed"), State.FAILED),
        (condition("StorageOperationFailed"), State.FAILED),
        (condition("SourceVerified", "False"), State.FAILED),
        (condition("ArtifactOutdated"), State.PENDING),
        (condition("SourceVerified"), State.PASSED),
    ],
)
def test_source_that_keeps_an_old_artifact_is_not_ready(broken, state):
    assert judged("GitRepository", READY, broken).state is state


def test_source_names_the_revision_it_has():
    assert "main@sha1:abc" in judged("GitRepository", READY, artifact={"revision": "main@sha1:abc"}).seen


def test_oci_helm_repository_has_no_status():
    assert judged("HelmRepository", spec={"type": "oci"}).state is State.PASSED
    assert judged("HelmRepository").state is State.PENDING


def test_kustomization_without_wait_is_applied_only():
    assert "applied only" in judged("Kustomization", READY).seen
    assert "applied only" not in judged("Kustomization", READY, spec={"wait": True}).seen


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"lastAppliedRevision": "main@sha1:a", "lastAttemptedRevision": "main@sha1:a"}, State.PASSED),
        ({"lastAppliedRevision": "main@sha1:a", "lastAttemptedRevision": "main@sha1:b"}, State.PENDING),
    ],
)
def test_kustomization_must_have_applied_what_it_attempted(status, state):
    assert judged("Kustomization", READY, **status).state is state


def test_kustomization_with_unhealthy_objects_fails():
    assert judged("Kustomization", READY, condition("Healthy", "False", "HealthCheckFailed")).state is State.FAILED


def history(version, status="deployed"):
    return {"history": [{"chartVersion": version, "status": status}]}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (history("2.0.0") | {"lastAttemptedRevision": "2.0.0+abc"}, State.PASSED),
        (history("1.9.0") | {"lastAttemptedRevision": "2.0.0"}, State.FAILED),
        (history("2.0.0", "failed") | {"lastAttemptedRevision": "2.0.0"}, State.FAILED),
        (history("2.0.0", "superseded"), State.PENDING),
        (history("2.0.0", "pending-upgrade"), State.PENDING),
    ],
)
def test_helm_release_must_have_deployed_what_it_attempted(status, state):
    assert judged("HelmRelease", READY, **status).state is state


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([condition("Remediated", "True", "RollbackSucceeded"), READY], State.FAILED),
        ([condition("Remediated", "False", "RollbackFailed"), READY], State.PASSED),
        ([condition("Released", "False", "UpgradeFailed"), READY], State.FAILED),
        ([condition("Drifted", "True", "DriftDetected"), READY], State.FAILED),
        ([condition("TestSuccess", "False", "TestFailed"), READY], State.PASSED),
        ([condition("Released"), condition("TestSuccess"), READY], State.PASSED),
    ],
)
def test_helm_release_conditions_beside_ready(conditions, state):
    assert judged("HelmRelease", *conditions).state is state


def test_ignored_test_failure_is_said():
    assert "Helm test failed" in judged("HelmRelease", condition("TestSuccess", "False"), READY).seen


def rollout(**more):
    base = {
        "metadata": {"generation": 3},
        "spec": {"replicas": 5, "strategy": {"canary": {}}},
        "status": {
            "observedGeneration": "3",
            "phase": "Healthy",
            "currentPodHash": "new",
            "stableRS": "new",
            "replicas": 5,
            "updatedReplicas": 5,
            "availableReplicas": 5,
            "conditions": [condition("Available")],
        },
    }
    return progressive.rollout(read("Rollout", merge(base, more)))


BLUE_GREEN = {"strategy": {"canary": None, "blueGreen": {"activeService": "web"}}}
WORKLOAD = {"rollout.argoproj.io/workload-generation": "2"}


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, State.PASSED),
        ({"status": {"observedGeneration": "2"}}, State.PENDING),
        ({"status": {"observedGeneration": "6886f85bff"}}, State.PASSED),
        (
            {
                "metadata": {"annotations": WORKLOAD},
                "spec": {"workloadRef": {"name": "web"}},
                "status": {"workloadObservedGeneration": "1"},
            },
            State.PENDING,
        ),
        ({"status": {"conditions": [condition("InvalidSpec")]}}, State.FAILED),
        ({"status": {"abort": True}}, State.FAILED),
        ({"status": {"conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]}}, State.FAILED),
        ({"status": {"phase": "Degraded", "message": "analysis"}}, State.FAILED),
        ({"status": {"pauseConditions": [{"reason": "CanaryPauseStep"}]}}, State.PENDING),
        ({"spec": {"paused": True}}, State.PENDING),
        ({"status": {"phase": "Progressing"}}, State.PENDING),
        ({"status": {"stableRS": "old"}}, State.PENDING),
        ({"status": {"stableRS": None, "updatedReplicas": 2}}, State.PENDING),
        ({"status": {"availableReplicas": 4}}, State.PENDING),
        ({"status": {"conditions": [condition("Available", "False")]}}, State.PENDING),
        ({"spec": BLUE_GREEN, "status": {"blueGreen": {"activeSelector": "old"}}}, State.PENDING),
        ({"spec": BLUE_GREEN, "status": {"blueGreen": {"activeSelector": "new"}, "replicas": 10}}, State.PASSED),
        ({"status": None}, State.PENDING),
        ({"metadata": GOING}, State.FAILED),
    ],
)
def test_rollout(more, state):
    assert rollout(**more).state is state


def canary(phase, meta=None, **status):
    raw = {"metadata": meta or {}, "status": {"phase": phase, "lastAppliedSpec": "a", "lastPromotedSpec": "a"} | status}
    return progressive.canary(read("Canary", raw))


@pytest.mark.parametrize(
    ("ruling", "state"),
    [
        (canary("Succeeded"), State.PASSED),
        (canary("Initialized", lastPromotedSpec=""), State.PASSED),
        (canary("Succeeded", lastPromotedSpec="b"), State.PENDING),
        (canary("Progressing", canaryWeight=10), State.PENDING),
        (canary("Finalising"), State.PENDING),
        (canary(""), State.PENDING),
        (canary("Failed", conditions=[condition("Promoted", "False", "Failed", "rolled back")]), State.FAILED),
        (canary("Succeeded", meta=GOING), State.FAILED),
    ],
)
def test_canary(ruling, state):
    assert ruling.state is state
