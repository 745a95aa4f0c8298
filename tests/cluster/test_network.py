"""Services, endpoints, autoscalers, budgets, claims and definitions: each state and the trap beside it."""

from __future__ import annotations

import json

import pytest

from postdeploy.cluster import network
from postdeploy.cluster.objects import read
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import condition, seen

GOING = {"deletionTimestamp": build.NOW}


def service(selected=None, old=(), **more):
    raw = build.merge({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}}, more)
    return network.service(read("Service", raw), selected, frozenset(old))


READY = seen(build.pod())


@pytest.mark.parametrize(
    ("ruling", "state"),
    [
        (service([READY]), State.PASSED),
        (service([READY], old=["uid-web-2-a"]), State.FAILED),
        (service([]), State.FAILED),
        (service([seen(build.pod(status={"phase": "Succeeded"}))]), State.FAILED),
        (service([seen(build.unready(build.ran(ready=False)))]), State.PENDING),
        (service(), State.UNVERIFIED),
        (service(spec={"selector": None}), State.PASSED),
        (service(spec={"type": "ExternalName"}), State.PASSED),
        (service(spec={"type": "LoadBalancer"}), State.PENDING),
        (
            service(spec={"type": "LoadBalancer"}, status={"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}),
            State.PASSED,
        ),
        (service(metadata=GOING), State.FAILED),
    ],
)
def test_service(ruling, state):
    assert ruling.state is state


def endpoints(*found, old=(), known=(), slices=None):
    raw = slices or [{"metadata": {"name": "web-x"}, "endpoints": list(found)}]
    return network.endpoint_slices([read("EndpointSlice", each) for each in raw], frozenset(old), frozenset(known))


def address(uid="a", **conditions):
    return {"addresses": ["10.0.0.1"], "conditions": conditions, "targetRef": {"uid": uid}}


@pytest.mark.parametrize(
    ("ruling", "state"),
    [
        (endpoints(address()), State.PASSED),
        (endpoints({"addresses": ["10.0.0.1"]}), State.PASSED),
        (endpoints(), State.FAILED),
        (endpoints(address(ready=False)), State.PENDING),
        (endpoints(address(ready=False, serving=True, terminating=True)), State.FAILED),
        (endpoints(address(), address("b"), old=["b"]), State.FAILED),
        (endpoints(address(), known=["b"]), State.PENDING),
        (endpoints(address(), known=["a"]), State.PASSED),
    ],
)
def test_endpoint_slice(ruling, state):
    assert ruling.state is state


def test_slices_of_a_service_are_summed_and_an_address_in_two_counts_once():
    ruling = endpoints(
        slices=[{"endpoints": [address()]}, {"endpoints": None}, {"endpoints": [address(), address("b")]}]
    )
    assert "2 of 2" in ruling.seen


def autoscaler(*conditions, **more):
    return network.autoscaler(read("HorizontalPodAutoscaler", {"status": {"conditions": list(conditions)}} | more))


ABLE, ACTIVE = condition("AbleToScale"), condition("ScalingActive")


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([ABLE, condition("ScalingActive")], State.PASSED),
        ([ABLE, condition("ScalingActive", "False", "FailedGetPodsMetric")], State.FAILED),
        ([ABLE, condition("ScalingActive", "False", "ScalingDisabled")], State.PASSED),
        ([condition("AbleToScale", "False", "FailedGetScale")], State.FAILED),
        ([condition("ScalingActive")], State.PENDING),
        ([], State.PENDING),
        ([ABLE], State.PENDING),
        ([ABLE, condition("ScalingActive", "Unknown")], State.PENDING),
        ([condition("AbleToScale", "Unknown"), ACTIVE], State.PENDING),
        ([ABLE, ACTIVE, condition("ScalingLimited", "True", "TooManyReplicas")], State.DEGRADED),
        ([ABLE, ACTIVE, condition("ScalingLimited", "True", "TooFewReplicas")], State.PASSED),
    ],
)
def test_every_condition_of_an_autoscaler_counts(conditions, state):
    assert autoscaler(*conditions).state is state


@pytest.mark.parametrize(("text", "state"), [(json.dumps([ABLE, ACTIVE]), State.PASSED), ("[broken", State.PENDING)])
def test_autoscaling_v1_keeps_its_conditions_in_an_annotation(text, state):
    annotations = {"autoscaling.alpha.kubernetes.io/conditions": text}
    assert autoscaler(metadata={"annotations": annotations}).state is state


def test_autoscaler_that_is_being_deleted_fails():
    assert autoscaler(ABLE, metadata=GOING).state is State.FAILED


def budget(*conditions, meta=None, **status):
    counts = {
        "observedGeneration": 1,
        "currentHealthy": 2,
        "desiredHealthy": 1,
        "expectedPods": 2,
        "disruptionsAllowed": 1,
    }
    raw = {"metadata": {"generation": 1} | (meta or {}), "status": counts | status | {"conditions": list(conditions)}}
    return network.budget(read("PodDisruptionBudget", raw))


@pytest.mark.parametrize(
    ("ruling", "state"),
    [
        (budget(), State.PASSED),
        (budget(condition("DisruptionAllowed", "False", "SyncFailed")), State.FAILED),
        (
            budget(condition("DisruptionAllowed", "False", "InsufficientPods"), desiredHealthy=2, disruptionsAllowed=0),
            State.DEGRADED,
        ),
        (budget(currentHealthy=0), State.PENDING),
        (budget(expectedPods=0, currentHealthy=0), State.FAILED),
        (budget(expectedPods=0, currentHealthy=0, desiredHealthy=0, disruptionsAllowed=0), State.FAILED),
        (budget(observedGeneration=0), State.PENDING),
        (budget(meta=GOING), State.FAILED),
    ],
)
def test_budget(ruling, state):
    assert ruling.state is state


def claim(phase="Bound", waits=False, meta=None, **status):
    raw = {"metadata": meta or {}, "status": {"phase": phase} | status}
    return network.volume_claim(read("PersistentVolumeClaim", raw), waits_for_consumer=waits)


@pytest.mark.parametrize(
    ("ruling", "state"),
    [
        (claim(), State.PASSED),
        (claim("Lost"), State.FAILED),
        (claim("Pending"), State.PENDING),
        (claim("Pending", waits=True), State.DEGRADED),
        (claim(meta=GOING), State.FAILED),
    ],
)
def test_volume_claim(ruling, state):
    assert ruling.state is state


def test_resizing_is_said():
    assert "FileSystemResizePending" in claim(conditions=[condition("FileSystemResizePending")]).seen


def definition(*conditions, meta=None, versions=()):
    raw = {"metadata": meta or {}, "spec": {"versions": list(versions)}, "status": {"conditions": list(conditions)}}
    return network.definition(read("CustomResourceDefinition", raw))


NAMES, UP = condition("NamesAccepted"), condition("Established")


@pytest.mark.parametrize(
    ("ruling", "state"),
    [
        (definition(NAMES, UP), State.PASSED),
        (definition(NAMES, UP, versions=[{"name": "v1", "served": True, "storage": True}]), State.PASSED),
        (definition(NAMES, UP, versions=[{"name": "v1", "served": False, "storage": True}]), State.FAILED),
        (definition(condition("NamesAccepted", "False", "MultipleNamesAccepted")), State.FAILED),
        (definition(NAMES), State.PENDING),
        (definition(), State.PENDING),
        (definition(NAMES, UP, meta=GOING), State.FAILED),
    ],
)
def test_definition(ruling, state):
    assert ruling.state is state
