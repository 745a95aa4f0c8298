"""Deployments, StatefulSets and DaemonSets with everything they own, rolled out and healthy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postdeploy.environment import Component
from rehearsal.builders import earlier, labels_of, make, stamp, tag_of, template
from rehearsal.kinds import Obj
from rehearsal.pods import pod

if TYPE_CHECKING:
    from rehearsal.world import World


def revisions(world: World, component: Component) -> list[tuple[str, datetime]]:
    """Tags this component has carried and since when, oldest first; a pinned one only had its settings changed."""
    if component.tag:
        past = [(component.tag, world.previous_at)]
        # A Deployment's revisions are named by their template, and a change of settings alone is not rehearsed there.
        return past if component.kind == "Deployment" else [(component.tag, world.born_at), *past]
    draw = world.chance.draw("revisions", component.name)
    past = [(earlier(world.release, 2), world.previous_at - timedelta(days=draw.randint(5, 12)))]
    past.append((earlier(world.release, 1), world.previous_at))
    current = world.rollout_at + timedelta(seconds=draw.randint(0, 45))
    return [*past[draw.randint(0, 1) :], (tag_of(component, world.release), current)]


def meshed(world: World, component: Component) -> bool:
    """Whether the mesh injects its proxy into this component's pods."""
    return component.kind == "Deployment" and (
        component.name == "crm-web" or world.chance.draw("mesh", component.name).random() < 0.3
    )


def workload(world: World, component: Component) -> None:
    """Store a component's workload with its revisions and its pods."""
    {"Deployment": deployment, "StatefulSet": statefulset, "DaemonSet": daemonset}[component.kind](world, component)


def deployment(world: World, component: Component) -> None:
    """Store a Deployment with its ReplicaSets, and the pods of the newest."""
    past = revisions(world, component)
    number = world.chance.draw("revision", component.name).randint(len(past), 60)
    owner = _owner(world, component, past[-1][0])
    owner["metadata"]["annotations"] |= {"deployment.kubernetes.io/revision": str(number)}
    owner["metadata"]["generation"] = number + 3
    strategy: Obj = {"type": "Recreate"}
    if component.update_strategy != "Recreate":
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    owner["spec"] |= {"replicas": component.replicas, "strategy": strategy, "revisionHistoryLimit": 10}
    owner["spec"]["progressDeadlineSeconds"] = 600
    deployment_status(owner, since=past[-1][1] + timedelta(seconds=40))
    world.put(owner)
    for age, (tag, since) in enumerate(reversed(past)):
        made = replicaset(world, component, owner, tag, since, 0 if age else component.replicas, number - age)
        if not age:
            replica_pods(world, component, made, component.replicas, since)


def replicaset(
    world: World, component: Component, owner: Obj, tag: str, since: datetime, replicas: int, number: int
) -> Obj:
    """One revision of a Deployment, stored."""
    code = world.chance.suffix(9, "template", component.name, tag)
    name = f"{component.name}-{code}"
    labels = labels_of(component) | {"pod-template-hash": code}
    body = template(world, component, tag)
    body["metadata"]["labels"] |= {"pod-template-hash": code}
    spec = {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": body}
    counts = {"replicas": replicas, "observedGeneration": 1 if replicas else 2}
    if replicas:
        counts |= dict.fromkeys(("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), replicas)
    space = component.namespace
    made = make(world, "ReplicaSet", name, space, since, labels=labels, owner=owner, spec=spec, status=counts)
    made["metadata"]["generation"] = counts["observedGeneration"]
    made["metadata"]["annotations"] = {
        "deployment.kubernetes.io/revision": str(number),
        "deployment.kubernetes.io/desired-replicas": str(component.replicas),
    }
    return world.put(made)


def replica_pods(world: World, component: Component, owner: Obj, replicas: int, since: datetime) -> list[Obj]:
    """Ready pods of a ReplicaSet, stored."""
    made = []
    for number in range(replicas):
        name = f"{owner['metadata']['name']}-{world.chance.suffix(5, owner['metadata']['uid'], number)}"
        created = since + timedelta(seconds=2 * number)
        each = pod(world, name, owner["spec"]["template"], owner, created, mesh=meshed(world, component))
        made.append(world.put(each))
    return made


def deployment_status(owner: Obj, *, since: datetime) -> Obj:
    """Let a Deployment say that its rollout is complete."""
    replicas = owner["spec"]["replicas"]
    owner["status"] = {"observedGeneration": owner["metadata"]["generation"]}
    if replicas:
        owner["status"] |= dict.fromkeys(
            ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas
        )
    name = f"ReplicaSet of {owner['metadata']['name']}"
    owner["status"]["conditions"] = [
        condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", since),
        condition("Progressing", "True", "NewReplicaSetAvailable", f"{name} has successfully progressed.", since),
    ]
    return owner


def condition(name: str, status: str, reason: str, message: str, since: datetime) -> Obj:
    """One condition, as controllers write it."""
    found = {"type": name, "status": status, "reason": reason, "message": message}
    return found | {"lastTransitionTime": stamp(since), "lastUpdateTime": stamp(since)}


def statefulset(world: World, component: Component) -> None:
    """Store a StatefulSet with its revisions, its pods in their order and their volumes."""
    past = revisions(world, component)
    owner = _owner(world, component, past[-1][0])
    owner["metadata"]["generation"] = len(past)
    rules: Obj = {"type": component.update_strategy}
    if component.update_strategy == "RollingUpdate":
        rules["rollingUpdate"] = {"partition": 0}
    owner["spec"] |= {"replicas": component.replicas, "serviceName": component.name, "updateStrategy": rules}
    owner["spec"] |= {"podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10}
    claim = {"metadata": {"name": "data"}, "spec": _claim("20Gi")}
    owner["spec"]["volumeClaimTemplates"] = [claim]
    names = _revisions(world, component, owner, past)
    owner["status"] = _stateful_counts(component, owner, names)
    world.put(owner)
    for number in range(component.replicas):
        # The controller replaces the highest ordinal first.
        since = past[-1][1] + timedelta(seconds=25 * (component.replicas - number))
        _stateful_pod(world, component, owner, number, since)


def _stateful_counts(component: Component, owner: Obj, names: list[str]) -> Obj:
    counts: Obj = {"observedGeneration": owner["metadata"]["generation"], "collisionCount": 0}
    counts |= dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), component.replicas)
    # With OnDelete the controller never moves currentRevision on (kubernetes#73492).
    on_delete = component.update_strategy == "OnDelete"
    counts |= {"currentRevision": names[0] if on_delete else names[-1], "updateRevision": names[-1]}
    return counts | ({} if on_delete else {"currentReplicas": component.replicas})


def _stateful_pod(world: World, component: Component, owner: Obj, number: int, since: datetime) -> None:
    name, space = f"{component.name}-{number}", component.namespace
    labels = {"controller-revision-hash": owner["status"]["updateRevision"], "statefulset.kubernetes.io/pod-name": name}
    made = pod(world, name, owner["spec"]["template"], owner, since, labels=labels)
    made["spec"]["volumes"].append({"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}})
    world.put(made)
    volume = make(world, "PersistentVolumeClaim", f"data-{name}", space, world.born_at, labels=labels_of(component))
    volume["spec"] = _claim("20Gi") | {"volumeName": f"pvc-{volume['metadata']['uid']}"}
    room = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "20Gi"}}
    world.put(volume | {"status": room})


def daemonset(world: World, component: Component) -> None:
    """Store a DaemonSet with its revisions, and a pod on every node."""
    past = revisions(world, component)
    owner = _owner(world, component, past[-1][0])
    owner["metadata"]["generation"] = len(past)
    owner["spec"]["updateStrategy"] = {"type": component.update_strategy}
    names = _revisions(world, component, owner, past)
    nodes = [each["metadata"]["name"] for each in world.all("Node")]
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberReady")
    owner["status"] = dict.fromkeys((*fields, "numberAvailable"), len(nodes)) | {"numberMisscheduled": 0}
    owner["status"]["observedGeneration"] = owner["metadata"]["generation"]
    world.put(owner)
    for node in nodes:
        name = f"{component.name}-{world.chance.suffix(5, component.name, node)}"
        code = names[-1].rpartition("-")[2]
        labels = {"controller-revision-hash": code}
        made = pod(world, name, owner["spec"]["template"], owner, past[-1][1], labels=labels)
        made["spec"]["nodeName"] = node
        world.put(made)


def _owner(world: World, component: Component, tag: str) -> Obj:
    release = component.group or component.name
    labels = labels_of(component) | {"helm.toolkit.fluxcd.io/name": release}
    spec = {"selector": {"matchLabels": labels_of(component)}, "template": template(world, component, tag)}
    made = make(world, component.kind, component.name, component.namespace, world.born_at, labels=labels, spec=spec)
    made["metadata"]["annotations"] = {"meta.helm.sh/release-name": release}
    return made


def _revisions(world: World, component: Component, owner: Obj, past: list[tuple[str, datetime]]) -> list[str]:
    names = []
    for number, (tag, since) in enumerate(past, 1):
        code = world.chance.suffix(10, "revision", component.name, tag, number)
        name = f"{component.name}-{code}"
        label = code if component.kind == "DaemonSet" else name
        labels = labels_of(component) | {"controller-revision-hash": label}
        data = {"spec": {"template": template(world, component, tag)}}
        space = component.namespace
        made = make(world, "ControllerRevision", name, space, since, labels=labels, owner=owner, data=data)
        world.put(made | {"revision": number})
        names.append(name)
    return names


def _claim(size: str) -> Obj:
    asked = {"resources": {"requests": {"storage": size}}, "storageClassName": "premium-rwo"}
    return {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", **asked}
