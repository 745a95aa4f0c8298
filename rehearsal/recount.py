"""What the controllers of Kubernetes write into a workload's status, counted from its pods as they are."""

from __future__ import annotations

import math
from datetime import datetime

from rehearsal.builders import stamp
from rehearsal.kinds import Obj
from rehearsal.world import OVER, World


def recount(world: World, owner: Obj, since: datetime) -> Obj:
    """Count a workload's pods and store what its controller would say of them."""
    counting = {"Deployment": _deployment, "StatefulSet": _statefulset, "DaemonSet": _daemonset}[owner["kind"]]
    counting(world, owner, since)
    return world.put(owner)


def owned(world: World, kind: str, owner: Obj) -> list[Obj]:
    """Objects of a kind whose controller is this one, by uid."""
    uid = owner["metadata"]["uid"]
    found = world.all(kind, owner["metadata"]["namespace"])
    return [each for each in found if any(r["uid"] == uid for r in each["metadata"].get("ownerReferences", ()))]


def replicasets(world: World, deployment: Obj) -> list[Obj]:
    """Every revision of a Deployment that is kept."""
    return owned(world, "ReplicaSet", deployment)


def newest_replicaset(world: World, deployment: Obj) -> Obj:
    """The ReplicaSet of the Deployment's current revision."""
    wanted = deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    return next(
        each
        for each in replicasets(world, deployment)
        if each["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == wanted
    )


def share(deployment: Obj, field: str, *, up: bool) -> int:
    """`maxSurge` or `maxUnavailable` in pods; Kubernetes rounds the first up and the second down."""
    percent = int(deployment["spec"]["strategy"]["rollingUpdate"][field].rstrip("%"))
    exact = int(deployment["spec"]["replicas"]) * percent / 100
    return math.ceil(exact) if up else math.floor(exact)


def is_ready(pod: Obj) -> bool:
    """Whether the pod says Ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def is_counted(pod: Obj) -> bool:
    """Whether controllers count the pod: neither over nor terminating."""
    return pod["status"]["phase"] not in OVER and "deletionTimestamp" not in pod["metadata"]


def set_condition(owner: Obj, name: str, status: str, reason: str, message: str, since: datetime) -> None:
    """Give a workload or a Job a condition; one of the same type is replaced."""
    kept = [each for each in owner["status"].get("conditions", ()) if each["type"] != name]
    made = {"type": name, "status": status, "reason": reason, "message": message}
    made |= {"lastTransitionTime": stamp(since), "lastUpdateTime": stamp(since)}
    owner["status"]["conditions"] = [*kept, made]


def _replicaset(world: World, replicaset: Obj) -> tuple[int, int]:
    pods = [each for each in owned(world, "Pod", replicaset) if is_counted(each)]
    ready = sum(map(is_ready, pods))
    status = {"replicas": len(pods), "observedGeneration": replicaset["metadata"]["generation"]}
    status |= _present(fullyLabeledReplicas=len(pods), readyReplicas=ready, availableReplicas=ready)
    kept = {key: value for key, value in replicaset["status"].items() if key == "conditions"}
    replicaset["status"] = status | kept
    world.put(replicaset)
    return len(pods), ready


def _deployment(world: World, owner: Obj, since: datetime) -> None:
    newest = newest_replicaset(world, owner)
    counts = {each["metadata"]["uid"]: _replicaset(world, each) for each in replicasets(world, owner)}
    all_pods, ready = (sum(column) for column in zip(*counts.values(), strict=True))
    updated = counts[newest["metadata"]["uid"]][0]
    wanted = owner["spec"]["replicas"]
    kept = {key: owner["status"][key] for key in ("observedGeneration", "conditions")}
    owner["status"] = kept | _present(
        replicas=all_pods,
        updatedReplicas=updated,
        readyReplicas=ready,
        availableReplicas=ready,
        unavailableReplicas=max(max(all_pods, wanted) - ready, 0),
    )
    _say_available(owner, ready, since)
    name = newest["metadata"]["name"]
    if all_pods == updated == ready == wanted:
        said = f'ReplicaSet "{name}" has successfully progressed.'
        set_condition(owner, "Progressing", "True", "NewReplicaSetAvailable", said, since)
    else:
        set_condition(owner, "Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', since)


def _say_available(owner: Obj, ready: int, since: datetime) -> None:
    recreate = owner["spec"]["strategy"]["type"] == "Recreate"
    floor = owner["spec"]["replicas"] - (0 if recreate else share(owner, "maxUnavailable", up=False))
    if ready >= floor:
        said = "Deployment has minimum availability."
        set_condition(owner, "Available", "True", "MinimumReplicasAvailable", said, since)
    else:
        said = "Deployment does not have minimum availability."
        set_condition(owner, "Available", "False", "MinimumReplicasUnavailable", said, since)


def _statefulset(world: World, owner: Obj, since: datetime) -> None:
    pods = [each for each in owned(world, "Pod", owner) if is_counted(each)]
    ready = sum(map(is_ready, pods))
    hashes = [each["metadata"]["labels"]["controller-revision-hash"] for each in pods]
    status = owner["status"]
    status |= {"replicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
    status |= {"updatedReplicas": hashes.count(status["updateRevision"])}
    status |= {"currentReplicas": hashes.count(status["currentRevision"])}


def _daemonset(world: World, owner: Obj, since: datetime) -> None:
    pods = [each for each in owned(world, "Pod", owner) if is_counted(each)]
    newest = max(owned(world, "ControllerRevision", owner), key=lambda each: int(each["revision"]))
    code = newest["metadata"]["labels"]["controller-revision-hash"]
    ready = sum(map(is_ready, pods))
    wanted = owner["status"]["desiredNumberScheduled"]
    updated = sum(each["metadata"]["labels"]["controller-revision-hash"] == code for each in pods)
    owner["status"] |= {"currentNumberScheduled": len(pods), "updatedNumberScheduled": updated, "numberReady": ready}
    owner["status"] |= {"numberAvailable": ready}
    owner["status"].pop("numberUnavailable", None)
    owner["status"] |= _present(numberUnavailable=wanted - ready)


def _present(**counts: int) -> Obj:
    """Counters without the zeros, which the API leaves out."""
    return {key: value for key, value in counts.items() if value}
