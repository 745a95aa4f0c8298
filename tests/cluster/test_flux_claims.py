"""Flux: at the release's revision, not merely Ready; every rule of it broken once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from postdeploy.cluster.flux_claims import FluxClaims
from postdeploy.cluster.objects import Gap
from postdeploy.cluster.progressive_claims import ProgressiveClaims
from postdeploy.environment import Environment
from postdeploy.options import expected_commit
from postdeploy.verdict import Judgement, State, Unverified
from tests.cluster.build import OLD, RELEASE, Obj, component, condition, deployment, meta, seen
from tests.cluster.flux_build import (
    BEFORE,
    COMMIT,
    NEW,
    delivered,
    flux_environment,
    helm_release,
    image_policy,
    kustomization,
    source,
)

ENVIRONMENT = flux_environment()
FORBIDDEN = "403 Forbidden: no"


def claims(*raw: Obj, environment: Environment = ENVIRONMENT, **more: Any) -> FluxClaims:
    return FluxClaims(delivered(*raw, **more), environment, RELEASE)


def not_ready(reason: str, message: str = "it says why") -> Obj:
    return {"status": {"conditions": [condition("Ready", "False", reason, message)]}}


def conditions(*more: Obj) -> Obj:
    return {"status": {"conditions": [condition("Ready"), *more]}}


SUSPENDED = {"spec": {"suspend": True}}


def test_all_of_flux_at_the_release_passes():
    whole = claims(source(), kustomization(), helm_release(), image_policy())
    judged = [*whole.of_delivery().values(), whole.image_policy("crm")]
    assert {each.state for each in judged} == {State.PASSED}
    assert list(whole.of_delivery()) == ["GitRepository crm-release", "Kustomization crm", "HelmRelease crm"]


@pytest.mark.parametrize(
    ("raw", "state", "doomed", "text"),
    [
        (source(BEFORE), State.PENDING, False, f"at {BEFORE}, expected {RELEASE}@sha1:…"),
        (source(BEFORE, **SUSPENDED), State.FAILED, True, "suspended"),
        (source(**SUSPENDED), State.FAILED, False, "suspended"),
        (source(BEFORE, **not_ready("GitOperationFailed")), State.FAILED, False, "GitOperationFailed"),
        (source(**conditions(condition("FetchFailed"))), State.FAILED, False, "its artifact is old"),
        (source(**conditions(condition("SourceVerified", "False"))), State.FAILED, False, "signature"),
        (source(**conditions(condition("Stalled"))), State.FAILED, True, "gave up"),
        (source(metadata={"generation": 4}), State.PENDING, False, "generation 3 of 4"),
        (source(status={"artifact": None}), State.PENDING, False, "no artifact"),
        (source("refs/tags/" + NEW), State.PASSED, False, NEW),
        (source(f"{RELEASE}0@sha1:{COMMIT}"), State.PENDING, False, "expected"),
        (source(f"{RELEASE}@sha256:{'a' * 64}"), State.PENDING, False, "expected"),
    ],
)
def test_source(raw, state, doomed, text):
    found = claims(raw).source()
    assert (found.state, found.doomed) == (state, doomed)
    assert text in found.seen


@pytest.mark.parametrize(
    ("raw", "state", "doomed", "text"),
    [
        (kustomization(BEFORE), State.PENDING, False, "status.lastAppliedRevision"),
        (kustomization(BEFORE, **SUSPENDED), State.FAILED, True, "suspended (spec.suspend): Ready speaks of"),
        (kustomization(**SUSPENDED), State.FAILED, False, "suspended"),
        (kustomization(BEFORE, **not_ready("BuildFailed")), State.FAILED, False, "BuildFailed"),
        (kustomization(BEFORE, **not_ready("DependencyNotReady")), State.PENDING, False, "DependencyNotReady"),
        (kustomization(**conditions(condition("Healthy", "False"))), State.FAILED, False, "Healthy=False"),
        (kustomization(status={"lastAttemptedRevision": BEFORE}), State.PENDING, False, "attempted"),
        (kustomization(status={"lastAppliedRevision": None}), State.PENDING, False, "applied nothing"),
        (kustomization(f"{RELEASE}@sha1:{'d' * 40}"), State.PENDING, False, "its source is at"),
        (kustomization(spec={"wait": False}), State.PASSED, False, "applied only"),
        (kustomization(spec={"wait": True}), State.PASSED, False, f"at {NEW}"),
    ],
)
def test_kustomization(raw, state, doomed, text):
    found = claims(source(), raw).kustomization("crm")
    assert (found.state, found.doomed) == (state, doomed)
    assert text in found.seen


ROLLED_BACK = condition("Remediated", "True", "RollbackSucceeded", "rolled back to v6")


@pytest.mark.parametrize(
    ("raw", "state", "doomed", "text"),
    [
        (helm_release(OLD), State.PENDING, False, f"at {OLD}, expected {RELEASE}"),
        (helm_release(OLD, **conditions(ROLLED_BACK)), State.FAILED, True, "rolled back"),
        (helm_release(OLD, **SUSPENDED), State.FAILED, True, "suspended"),
        (helm_release(OLD, **not_ready("UpgradeFailed")), State.FAILED, False, "UpgradeFailed"),
        (helm_release(status={"lastAttemptedRevision": "9.9.9"}), State.FAILED, False, "9.9.9 was attempted"),
        (helm_release(status={"history": []}), State.PENDING, False, "no Helm release"),
        (helm_release(**conditions(condition("Drifted"))), State.FAILED, False, "differs from the chart"),
        (helm_release(f"{OLD}-hotfix1"), State.PENDING, False, "expected v2026.47.1"),
        (helm_release(f"{RELEASE}-5"), State.PASSED, False, "at v2026.47.1-5"),
        (helm_release("0.9.3"), State.PASSED, False, "at 0.9.3"),
        (helm_release("2.19.1"), State.PASSED, False, "2.19.1"),
    ],
)
def test_helm_release(raw, state, doomed, text):
    found = claims(raw).helm_release("crm")
    assert (found.state, found.doomed) == (state, doomed)
    assert text in found.seen


def test_a_chart_of_a_pinned_component_is_not_another_release():
    pinned = flux_environment(component(tag="v2019.1.0"))
    assert claims(helm_release("v2019.1.0"), environment=pinned).helm_release("crm").state is State.PASSED
    assert claims(helm_release("v2019.1.0")).helm_release("crm").state is State.PENDING


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (image_policy(OLD), State.PENDING),
        (image_policy(status={"latestRef": None}), State.PENDING),
        (image_policy(status={"latestRef": None, "latestImage": f"r.example:5000/crm:{RELEASE}"}), State.PASSED),
        (image_policy(status={"latestRef": None, "latestImage": f"r.example/crm:{RELEASE}@sha256:ab"}), State.PASSED),
        (image_policy(**SUSPENDED), State.FAILED),
    ],
)
def test_image_policy(raw, state):
    assert claims(raw).image_policy("crm").state is state


def test_a_failure_says_every_condition_since_the_reason_is_often_not_in_ready():
    stalled = condition("Stalled", "True", "RetriesExceeded", "webhook denied the request")
    raw = helm_release(OLD, status={"conditions": [condition("Ready", "False", "X"), stalled], "failures": 4})
    found = claims(raw).helm_release("crm")
    assert found.doomed
    assert "webhook denied the request" in found.where
    assert "4 failures in a row" in found.where


# --- the commit -------------------------------------------------------------------------------------------------------

BRANCH = flux_environment(revision="main@sha1:{commit}")
ON_BRANCH = f"main@sha1:{COMMIT}"


@pytest.mark.parametrize(
    ("commit", "state"), [("", State.UNVERIFIED), (COMMIT[:8], State.PASSED), ("d" * 40, State.PENDING)]
)
def test_a_branch_names_no_release_until_somebody_says_the_commit(commit, state):
    found = claims(source(ON_BRANCH), environment=BRANCH, commit=commit).source()
    assert found.state is state
    assert ("RELEASE_COMMIT" in found.cause) is (state is State.UNVERIFIED)


def test_a_kustomization_follows_its_source_also_where_the_commit_is_unknown():
    whole = (source(ON_BRANCH), kustomization(ON_BRANCH))
    assert claims(*whole, environment=BRANCH).kustomization("crm").state is State.PASSED
    behind = (source(ON_BRANCH), kustomization(f"main@sha1:{'b' * 40}"))
    assert claims(*behind, environment=BRANCH).kustomization("crm").state is State.PENDING


@pytest.mark.parametrize(
    ("variables", "names_release", "commit"),
    [
        ({}, False, ""),
        ({"RELEASE_COMMIT": " ABCDEF1 "}, True, "abcdef1"),
        ({"CI_COMMIT_TAG": RELEASE, "CI_COMMIT_SHA": COMMIT}, False, COMMIT),
        ({"CI_COMMIT_TAG": RELEASE, "CI_COMMIT_SHA": COMMIT}, True, ""),
        ({"CI_COMMIT_TAG": "v1", "CI_COMMIT_SHA": COMMIT}, False, ""),
        ({"CI_COMMIT_SHA": COMMIT}, False, ""),
    ],
)
def test_only_a_commit_that_is_the_releases_is_compared(variables, names_release, commit):
    assert expected_commit(variables, RELEASE, names_release=names_release) == commit


def test_a_commit_that_is_none_is_refused():
    with pytest.raises(Unverified, match="no commit"):
        expected_commit({"RELEASE_COMMIT": "main"}, RELEASE, names_release=True)


# --- what could not be seen -------------------------------------------------------------------------------------------


def test_what_is_declared_and_not_there_failed():
    found = claims(source()).kustomization("crm")
    assert (found.state, found.doomed) == (State.FAILED, False)
    assert "not found among the kustomizations of namespace flux-system" in found.seen


@pytest.mark.parametrize("namespace", ["flux-system", ""])
def test_what_may_not_be_read_is_unverified(namespace):
    gaps = (Gap("kustomizations", namespace, FORBIDDEN),)
    assert claims(gaps=gaps).kustomization("crm").state is State.UNVERIFIED
    assert claims(kustomization(BEFORE, **SUSPENDED), gaps=gaps).kustomization("crm").state is State.FAILED
    assert claims(source(), gaps=gaps).source().state is State.PASSED


def test_an_observation_without_flux_proves_nothing():
    old = replace(delivered(), flux=None)
    judged = FluxClaims(old, flux_environment(controllers=("source-controller",)), RELEASE)
    assert {each.state for each in judged.of_delivery().values()} == {State.UNVERIFIED}
    assert judged.controllers().state is State.UNVERIFIED


# --- the controllers --------------------------------------------------------------------------------------------------

BOTH = flux_environment(controllers=("helm-controller", "source-controller"))


def controllers(*raw: Obj, gaps: tuple[Gap, ...] = (), environment: Environment = BOTH) -> Judgement:
    found = replace(delivered(gaps=gaps), flux_controllers=tuple(seen(each) for each in raw))
    return FluxClaims(found, environment, RELEASE).controllers()


HELM, SOURCE = deployment("helm-controller"), deployment("source-controller")
FINISHED = [condition("Available", "False"), condition("Progressing", reason="NewReplicaSetAvailable")]
DOWN = deployment("helm-controller", status={"availableReplicas": 0, "readyReplicas": 0, "conditions": FINISHED})


@pytest.mark.parametrize(
    ("raw", "state", "text"),
    [
        ((HELM, SOURCE), State.PASSED, "2 of 2"),
        ((HELM,), State.FAILED, "source-controller: not found"),
        ((DOWN, SOURCE), State.FAILED, "helm-controller: the rollout had finished, but now 0 of 3"),
        ((deployment("helm-controller", spec={"replicas": 0}), SOURCE), State.FAILED, "scaled to zero"),
        ((), State.FAILED, "and 1 more: source-controller"),
    ],
)
def test_controllers(raw, state, text):
    found = controllers(*raw)
    assert found.state is state
    assert text in found.seen


def test_controllers_that_may_not_be_read_are_unverified():
    gap = Gap("deployments", "flux-system", FORBIDDEN)
    assert controllers(gaps=(gap,)).state is State.UNVERIFIED


def test_flux_run_from_another_cluster_has_no_controllers_here():
    assert controllers(environment=flux_environment(controllers=())).state is State.NOT_APPLICABLE


# --- progressive delivery ---------------------------------------------------------------------------------------------


def rollout(**status: Any) -> Obj:
    base = {"phase": "Healthy", "currentPodHash": "new", "stableRS": "new", "observedGeneration": "5"}
    base |= {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
    return {"kind": "Rollout", "metadata": meta("web", generation=5), "spec": {"replicas": 3}, "status": base | status}


def canary(**status: Any) -> Obj:
    base = {"phase": "Succeeded", "lastAppliedSpec": "a", "lastPromotedSpec": "a"}
    return {"kind": "Canary", "metadata": meta("web", generation=5), "spec": {}, "status": base | status}


PRIMARY = deployment("web-primary")


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (rollout(), State.PASSED),
        (rollout(replicas=6), State.PASSED),
        (rollout(abort=True, phase="Degraded", stableRS="old"), State.FAILED),
        (rollout(stableRS="old"), State.PENDING),
        (rollout(blueGreen={"activeSelector": "old"}), State.PASSED),
        (rollout(phase="Paused", pauseConditions=[{"reason": "BlueGreenPause"}]), State.PENDING),
        (canary(), State.PASSED),
        (canary(phase="Initialized", lastPromotedSpec=""), State.PASSED),
        (canary(phase="Failed"), State.FAILED),
        (canary(lastPromotedSpec="b"), State.PENDING),
        (canary(phase="Progressing", canaryWeight=20), State.PENDING),
    ],
)
def test_promotion(raw, state):
    way = "rollout" if raw["kind"] == "Rollout" else "canary"
    found = ProgressiveClaims(delivered(raw, around=(PRIMARY,))).promoted(component(progressive=way))
    assert found.state is state


def test_a_canary_without_its_primary_is_not_promoted():
    found = ProgressiveClaims(delivered(canary())).promoted(component(progressive="canary"))
    assert found.state is State.PENDING


@pytest.mark.parametrize(
    ("gaps", "state"), [((), State.FAILED), ((Gap("rollouts", "crm", "not served by this cluster"),), State.UNVERIFIED)]
)
def test_a_declared_rollout_that_is_not_there(gaps, state):
    found = ProgressiveClaims(delivered(gaps=gaps)).promoted(component(progressive="rollout"))
    assert found.state is state
