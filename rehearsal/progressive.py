"""Deployments that are delivered step by step: an Argo Rollout that took its pods over, a Flagger Canary's primary."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from postdeploy.environment import Component
from rehearsal.builders import make
from rehearsal.kinds import Obj
from rehearsal.recount import newest_replicaset, replicasets
from rehearsal.workloads import condition, deployment_status, workload

if TYPE_CHECKING:
    from rehearsal.world import World

DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision"
ROLLOUT_REVISION = "rollout.argoproj.io/revision"


def progressive(world: World, component: Component) -> None:
    """Store a component with what delivers it."""
    if component.progressive == "canary":
        _canary(world, component)
    else:
        _rollout(world, component)


def _rollout(world: World, component: Component) -> None:
    """A blue-green Rollout that refers to the Deployment for its template, and has scaled it down."""
    workload(world, component)
    owner = world.get("Deployment", component.name, component.namespace)
    newest, past = newest_replicaset(world, owner), replicasets(world, owner)
    code, number = newest["metadata"]["labels"]["pod-template-hash"], owner["metadata"]["annotations"]
    refers = {"apiVersion": "apps/v1", "kind": "Deployment", "name": component.name}
    steps = {"activeService": component.name, "previewService": f"{component.name}-preview"}
    spec: Obj = {"replicas": component.replicas, "workloadRef": refers, "selector": owner["spec"]["selector"]}
    spec["strategy"] = {"blueGreen": steps | {"scaleDownDelaySeconds": 600}}
    made = make(world, "Rollout", component.name, component.namespace, world.born_at, spec=spec)
    made["metadata"] |= {"generation": 12, "annotations": {ROLLOUT_REVISION: number[DEPLOYMENT_REVISION]}}
    made["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"] = "40"
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    made["status"] = dict.fromkeys(counts, component.replicas) | {"observedGeneration": "12", "phase": "Healthy"}
    made["status"] |= {"workloadObservedGeneration": "40", "currentPodHash": code, "stableRS": code}
    made["status"] |= {"blueGreen": {"activeSelector": code, "previewSelector": code}, "selector": "app"}
    since = world.rollout_at + timedelta(seconds=40)
    made["status"]["conditions"] = [
        condition("Available", "True", "AvailableReason", "Rollout has minimum availability", since),
        condition("Progressing", "True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed.", since),
    ]
    world.put(made)
    for each in past:
        _hand_over(world, each, made)
    _scale_down(world, owner)


def _hand_over(world: World, replicaset: Obj, rollout: Obj) -> None:
    refers = replicaset["metadata"]["ownerReferences"][0]
    refers |= {"apiVersion": rollout["apiVersion"], "kind": "Rollout", "uid": rollout["metadata"]["uid"]}
    notes = replicaset["metadata"]["annotations"]
    notes[ROLLOUT_REVISION] = notes.pop(DEPLOYMENT_REVISION)
    world.put(replicaset)


def _scale_down(world: World, owner: Obj) -> None:
    owner["spec"]["replicas"] = 0
    deployment_status(owner, since=world.rollout_at)
    world.put(owner)


def _canary(world: World, component: Component) -> None:
    """A Canary that succeeded: Flagger made a primary of its target, which it then scaled to zero."""
    workload(world, component.model_copy(update={"name": f"{component.name}-primary"}))
    workload(world, component.model_copy(update={"replicas": 0}))
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": component.name}
    spec = {"targetRef": target, "analysis": {"interval": "30s", "threshold": 5, "iterations": 10}}
    made = make(world, "Canary", component.name, component.namespace, world.born_at, spec=spec)
    made["metadata"]["generation"] = 3
    applied = world.chance.suffix(10, "canary", component.name, world.release)
    made["status"] = {"phase": "Succeeded", "canaryWeight": 0, "failedChecks": 0}
    made["status"] |= {"lastAppliedSpec": applied, "lastPromotedSpec": applied}
    said = "Canary analysis completed successfully, promotion finished."
    made["status"]["conditions"] = [condition("Promoted", "True", "Succeeded", said, world.rollout_at)]
    world.put(made)
