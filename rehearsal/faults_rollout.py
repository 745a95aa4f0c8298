"""Faults of rollouts: what stops a Deployment, a StatefulSet or a DaemonSet from being wholly on the new revision."""

from __future__ import annotations

import copy
from datetime import timedelta

from postdeploy.environment import Component
from rehearsal.builders import make, stamp
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.podlogs import write
from rehearsal.pods import terminating
from rehearsal.recount import newest_replicaset, owned, set_condition
from rehearsal.scene import Scene
from rehearsal.wounds import status_of, unready

COMPLETE = "infra.rollout.complete"


@fault(COMPLETE)
def progress_deadline(scene: Scene) -> None:
    """New pods never became ready, and the Deployment gave up at its progress deadline."""
    component = scene.victim(at_least=2)
    owner = scene.owner(component)
    for pod in scene.half_way(component):
        never_answers(scene, pod, component.name)
    owner["spec"]["progressDeadlineSeconds"] = 180
    scene.recount(component)
    name = newest_replicaset(scene.world, owner)["metadata"]["name"]
    said = f'ReplicaSet "{name}" has timed out progressing.'
    set_condition(owner, "Progressing", "False", "ProgressDeadlineExceeded", said, scene.ago(45))
    scene.world.put(owner)


@fault(COMPLETE)
def replica_quota(scene: Scene) -> None:
    """The namespace's quota is used up, so the new revision gets no pod while the old one serves on."""
    component = scene.victim(at_least=2)
    owner = scene.owner(component)
    newest = newest_replicaset(scene.world, owner)
    for pod in scene.half_way(component):
        scene.world.remove(pod)
    scene.revive(component, component.replicas)
    scene.recount(component)
    asked = "requested: limits.memory=1Gi, used: limits.memory=128Gi, limited: limits.memory=128Gi"
    said = f'pods "{newest["metadata"]["name"]}-x" is forbidden: exceeded quota: compute, {asked}'
    for each in (owner, newest):
        set_condition(each, "ReplicaFailure", "True", "FailedCreate", said, scene.ago(90))
        scene.world.put(each)
    scene.world.note(newest, "FailedCreate", f"Error creating: {said}", warning=True, count=14, ago_s=25)


@fault(COMPLETE)
def paused_rollout(scene: Scene) -> None:
    """Somebody paused the Deployment in the middle of the rollout and left it so."""
    component = scene.victim(at_least=2)
    scene.half_way(component)
    owner = scene.recount(component)
    owner["spec"]["paused"] = True
    owner["metadata"]["generation"] += 1
    owner["status"]["observedGeneration"] = owner["metadata"]["generation"]
    set_condition(owner, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", scene.ago(120))
    scene.world.put(owner)


@fault("infra.rollout.scale")
def scaled_to_zero(scene: Scene) -> None:
    """The Deployment was scaled to zero and nobody meant it: green counters, no pods."""
    component = scene.victim()
    owner = scene.owner(component)
    for pod in scene.pods(component):
        scene.world.remove(pod)
    newest_replicaset(scene.world, owner)["spec"]["replicas"] = 0
    owner["spec"]["replicas"] = 0
    owner["metadata"]["generation"] += 1
    owner["status"]["observedGeneration"] = owner["metadata"]["generation"]
    scene.recount(component)
    scene.world.note(owner, "ScalingReplicaSet", f"Scaled down replica set {component.name} to 0", ago_s=70)


@fault(COMPLETE)
def surge_left(scene: Scene) -> None:
    """All new pods are ready, and one ReplicaSet of the old revision was never scaled down."""
    component = scene.victim(at_least=2)
    scene.revive(component, 1)
    scene.recount(component)


@fault("infra.rollout.old-pods")
def old_pods_terminating(scene: Scene) -> None:
    """The counters are settled, and old pods hang in Terminating on a node that answers no more."""
    component = scene.victim(at_least=2)
    old = scene.revive(component, 2)
    replicaset = next(e for e in scene.world.all("ReplicaSet") if e["metadata"]["uid"] == _controller(old[0]))
    replicaset["spec"]["replicas"] = 0
    for pod in old:
        scene.world.put(terminating(pod, scene.ago(150)))
        said = "error killing pod: failed to kill container: context deadline exceeded"
        scene.world.note(pod, "FailedKillPod", said, warning=True, count=5, ago_s=20)
    owner = scene.recount(component)
    if scene.draw.random() < 0.5:  # new API servers count them, older ones do not
        owner["status"]["terminatingReplicas"] = len(old)
        scene.world.put(owner)


@fault(COMPLETE)
def generation_lag(scene: Scene) -> None:
    """The controller has not looked at the latest change: every counter is of the generation before."""
    owner = scene.owner(scene.victim())
    owner["metadata"]["generation"] += 1
    scene.world.put(owner)


@fault("infra.pods.ready")
def statefulset_partition_left(scene: Scene) -> None:
    """A staged StatefulSet update was never finished: its partition still holds a pod on the old revision."""
    component = _rolling_statefulset(scene)
    owner = scene.owner(component)
    old = older_revision(scene, component)
    owner["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 1
    owner["status"]["currentRevision"] = old
    _put_on(scene, component, [f"{component.name}-0"], old)


@fault(COMPLETE)
def statefulset_ondelete_stale(scene: Scene) -> None:
    """A StatefulSet that waits for its pods to be deleted by hand still runs some of the old revision."""
    component = next(each for each in scene.components("StatefulSet") if each.update_strategy == "OnDelete")
    old = older_revision(scene, component)
    scene.owner(component)["status"]["currentRevision"] = old
    _put_on(scene, component, [pod["metadata"]["name"] for pod in scene.pods(component)[:-1]], old)


@fault(COMPLETE)
def daemonset_ondelete_stale(scene: Scene) -> None:
    """A DaemonSet was switched to OnDelete, so pods of the old revision stay on some nodes."""
    component = scene.victim("DaemonSet")
    owner = scene.owner(component)
    owner["spec"]["updateStrategy"] = {"type": "OnDelete"}
    old = older_revision(scene, component)
    names = [pod["metadata"]["name"] for pod in scene.pods(component)]
    _put_on(scene, component, scene.draw.sample(names, k=max(len(names) // 2, 1)), old)


def never_answers(scene: Scene, pod: Obj, container: str) -> None:
    """A container that runs, never restarts, and never passes its readiness probe."""
    status_of(pod, container)["ready"] = False
    scene.world.put(unready(pod, scene.ago(200)))
    said = f"Readiness probe failed: dial tcp {pod['status']['podIP']}:8000: connect: connection refused"
    scene.world.note(pod, "Unhealthy", said, warning=True, count=41, ago_s=6)
    lines = (
        f"{stamp(scene.ago(199))} INFO crm.boot starting",
        f"{stamp(scene.ago(197))} INFO crm.boot waiting for feature flags at flags.internal:8443",
        f"{stamp(scene.ago(67))} WARNING crm.boot flags.internal:8443 did not answer after 130 s, trying again",
    )
    write(scene.world, pod, container, *lines)


def _controller(pod: Obj) -> str:
    return str(pod["metadata"]["ownerReferences"][0]["uid"])


def _rolling_statefulset(scene: Scene) -> Component:
    found = [e for e in scene.components("StatefulSet", at_least=2) if e.update_strategy == "RollingUpdate"]
    return scene.draw.choice(sorted(found, key=lambda each: each.name))


def older_revision(scene: Scene, component: Component) -> str:
    """Store a revision before the newest one that differs by its configuration only; returns its name."""
    world = scene.world
    newest = max(owned(world, "ControllerRevision", scene.owner(component)), key=lambda each: int(each["revision"]))
    name = f"{component.name}-{world.chance.suffix(10, 'older', component.name)}"
    code = name.rpartition("-")[2]
    labels = newest["metadata"]["labels"] | {
        "controller-revision-hash": code if component.kind == "DaemonSet" else name
    }
    since = world.previous_at - timedelta(days=30)
    owner = scene.owner(component)
    made = make(world, "ControllerRevision", name, component.namespace, since, labels=labels, owner=owner)
    made["data"] = copy.deepcopy(newest["data"])
    made["data"]["spec"]["template"]["metadata"]["annotations"] = {"checksum/config": "0" * 64}
    world.put(made | {"revision": int(newest["revision"])})
    newest["revision"] += 1
    world.put(newest)
    return name


def _put_on(scene: Scene, component: Component, names: list[str], revision: str) -> None:
    code = revision.rpartition("-")[2] if component.kind == "DaemonSet" else revision
    for pod in scene.pods(component):
        if pod["metadata"]["name"] in names:
            pod["metadata"]["labels"]["controller-revision-hash"] = code
            pod["metadata"]["creationTimestamp"] = stamp(scene.world.previous_at - timedelta(days=29))
            scene.world.put(pod)
    scene.recount(component)
