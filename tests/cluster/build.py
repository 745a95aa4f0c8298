"""Small literal Kubernetes objects for tests of the judges; every helper says one healthy thing, tests break it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.objects import Gap, LogExcerpt, Snapshot, decode
from postdeploy.environment import Component, Environment

NOW = "2026-11-20T10:00:00Z"
EARLIER = "2026-11-20T09:50:00Z"
LONG_AGO = "2026-11-01T00:00:00Z"
RELEASE = "v2026.47.1"
OLD = "v2026.46.3"
REPO = "registry.example/crm/crm"
SCRIPT = "registry.example/crm/crm-script"
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
Obj = dict[str, Any]


def merge(base: Obj, more: Mapping[str, Any]) -> Obj:
    """Maps merge, everything else replaces; None removes."""
    result = dict(base)
    for key, value in more.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def meta(name: str, uid: str = "", owner: tuple[str, str] | None = None, **more: Any) -> Obj:
    """Metadata; `owner` is kind and uid of the controller."""
    found: Obj = {"name": name, "namespace": "crm", "uid": uid or f"uid-{name}", "creationTimestamp": EARLIER}
    if owner:
        kind, owner_uid = owner
        name_ = owner_uid.removeprefix("uid-")
        found["ownerReferences"] = [{"kind": kind, "uid": owner_uid, "name": name_, "controller": True}]
    return merge(found, more)


def condition(kind: str, status: str = "True", reason: str = "", message: str = "", since: str = EARLIER) -> Obj:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}


def containers(image: str = f"{REPO}:{RELEASE}", name: str = "web", **more: Any) -> list[Obj]:
    return [{"name": name, "image": image, **more}]


def template(image: str = f"{REPO}:{RELEASE}", **spec: Any) -> Obj:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers(image)} | spec}


def deployment(name: str = "web", **more: Any) -> Obj:
    """Three of three, done."""
    counts = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
    conditions = [condition("Available"), condition("Progressing", reason="NewReplicaSetAvailable")]
    base = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name, generation=2, annotations={"deployment.kubernetes.io/revision": "2"}),
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template()},
        "status": {"observedGeneration": 2, "conditions": conditions} | counts,
    }
    return merge(base, more)


def replicaset(name: str = "web-2", revision: str = "2", owner: str = "uid-web", replicas: int = 3, **more: Any) -> Obj:
    counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), replicas)
    annotations = {"deployment.kubernetes.io/revision": revision}
    base = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta(name, owner=("Deployment", owner), generation=1, annotations=annotations),
        "spec": {"replicas": replicas, "template": template()},
        "status": {"observedGeneration": 1} | counts,
    }
    return merge(base, more)


def ran(name: str = "web", **more: Any) -> Obj:
    """A container status: running and ready."""
    base = {
        "name": name,
        "imageID": f"{REPO}@{DIGEST}",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": EARLIER}},
    }
    return base | more


def waiting(reason: str, message: str = "", name: str = "web", **more: Any) -> Obj:
    state = {"waiting": {"reason": reason, "message": message}}
    return ran(name, ready=False, started=False, imageID="", state=state) | more


def ended(code: int, reason: str = "Error") -> Obj:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": EARLIER, "finishedAt": EARLIER}}


def pod(name: str = "web-2-a", owner: tuple[str, str] | None = ("ReplicaSet", "uid-web-2"), **more: Any) -> Obj:
    """Running and ready."""
    conditions = [condition("PodScheduled"), condition("Initialized"), condition("ContainersReady"), condition("Ready")]
    base = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, owner=owner, labels={"app": "web"}),
        "spec": {"containers": containers(), "restartPolicy": "Always", "nodeName": "node-1"},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [ran()]},
    }
    return merge(base, more)


def unready(*statuses: Obj, name: str = "web-2-a", phase: str = "Running", **more: Any) -> Obj:
    """A pod that is not ready, with these container statuses."""
    conditions = [condition("PodScheduled"), condition("Ready", "False", "ContainersNotReady")]
    status = {"phase": phase, "conditions": conditions, "containerStatuses": list(statuses)}
    return merge(pod(name), {"status": status} | more)


def statefulset(name: str = "db", **more: Any) -> Obj:
    counts = {"replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "updatedReplicas": 3, "currentReplicas": 3}
    base = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta(name, generation=1),
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": template(),
        },
        "status": {"observedGeneration": 1, "currentRevision": f"{name}-2", "updateRevision": f"{name}-2"} | counts,
    }
    return merge(base, more)


def member(ordinal: int, revision: str = "db-2", of: str = "db", **more: Any) -> Obj:
    """A pod of a StatefulSet."""
    labels = {"app": of, "controller-revision-hash": revision}
    found = pod(f"{of}-{ordinal}", ("StatefulSet", f"uid-{of}"), metadata={"labels": labels})
    return merge(found, more)


def daemonset(name: str = "agent", **more: Any) -> Obj:
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled")
    counts = dict.fromkeys((*fields, "numberReady", "numberAvailable"), 2)
    base = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta(name, generation=2, annotations={"deprecated.daemonset.template.generation": "2"}),
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "updateStrategy": {"type": "RollingUpdate"},
            "template": template(),
        },
        "status": {"observedGeneration": 2} | counts,
    }
    return merge(base, more)


def job(name: str = "migrate", image: str = f"{REPO}:{RELEASE}", done: bool = True, **more: Any) -> Obj:
    complete = [condition("SuccessCriteriaMet"), condition("Complete")]
    base = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(name),
        "spec": {"backoffLimit": 3, "template": template(image, restartPolicy="Never")},
        "status": {"succeeded": 1, "conditions": complete} if done else {"active": 1, "conditions": []},
    }
    return merge(base, more)


def cronjob(name: str = "nightly", image: str = f"{SCRIPT}:{RELEASE}", **more: Any) -> Obj:
    base = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta(name),
        "spec": {"schedule": "0 2 * * *", "jobTemplate": {"spec": {"template": template(image)}}},
        "status": {"lastScheduleTime": EARLIER, "lastSuccessfulTime": NOW},
    }
    return merge(base, more)


def event(about: str, reason: str, message: str = "", kind: str = "Pod", **more: Any) -> Obj:
    base = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta(f"{about}.{reason}"),
        "type": "Warning",
        "reason": reason,
        "message": message,
        "involvedObject": {"kind": kind, "namespace": "crm", "name": about, "uid": f"uid-{about}"},
        "lastTimestamp": EARLIER,
        "count": 1,
    }
    return merge(base, more)


def whole(kind: str = "Deployment", **more: Any) -> list[Obj]:
    """A healthy workload with everything it owns."""
    if kind == "StatefulSet":
        return [statefulset(**more), *(member(number) for number in range(3))]
    if kind == "DaemonSet":
        labels = {"app": "agent", "pod-template-generation": "2"}
        owner = ("DaemonSet", "uid-agent")
        return [daemonset(**more), *(pod(f"agent-{each}", owner, metadata={"labels": labels}) for each in "ab")]
    return [deployment(**more), replicaset(), *(pod(f"web-2-{each}") for each in "abc")]


def seen(raw: Obj) -> Any:
    """One object as the judges see it."""
    return decode(raw["kind"], msgspec.json.encode(raw))


def component(kind: str = "Deployment", name: str = "web", **more: Any) -> Component:
    return Component(
        **{"name": name, "kind": kind, "namespace": "crm", "image": REPO, "replicas": 3, "owner": "platform"} | more
    )


ACCOUNTS = {role: {"login": f"{role}-uk", "id": f"SYN-{role}"} for role in ("trader", "other", "visitor")}


def environment(*components: Component, **more: Any) -> Environment:
    return Environment.model_validate(
        {
            "name": "uk-prod",
            "regulator": "FCA",
            "legal_entity": "Northgate Ltd",
            "country": "GB",
            "currency": "GBP",
            "cluster": {"context": "gke-uk"},
            "flux": {"namespace": "flux-system", "source": "crm", "revision": "main@sha1:{commit}"},
            "components": {each.name: each.model_dump(exclude={"name"}) for each in components},
            "brands": {"northgate": {"host": "trade.northgate.example"}},
            "api": {"host": "api.northgate.example", "accounts": ACCOUNTS, "instruments": ["EURUSD"]},
            "deposits": {},
        }
        | more
    )


FIELDS = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "ReplicaSet": "replicasets",
    "Pod": "pods",
    "Job": "jobs",
    "CronJob": "cronjobs",
    "Event": "events",
    "Service": "services",
    "EndpointSlice": "endpointslices",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "StorageClass": "storageclasses",
    "Ingress": "ingresses",
    "Gateway": "gateways",
    "HTTPRoute": "httproutes",
}


def snapshot(*raw: Obj, gaps: tuple[Gap, ...] = (), excerpts: tuple[LogExcerpt, ...] = ()) -> Snapshot:
    lists: dict[str, list[Any]] = {}
    for each in raw:
        lists.setdefault(FIELDS[each["kind"]], []).append(seen(each))
    return Snapshot(
        environment="uk-prod",
        release=RELEASE,
        taken=datetime.fromisoformat(NOW).astimezone(UTC),
        gaps=gaps,
        excerpts=excerpts,
        **{field: tuple(found) for field, found in lists.items()},
    )


def claims(
    *raw: Obj,
    over: tuple[Component, ...] = (),
    gaps: tuple[Gap, ...] = (),
    excerpts: tuple[LogExcerpt, ...] = (),
    digests: Mapping[str, frozenset[str]] | None = None,
    **more: Any,
) -> ClusterClaims:
    """The claims over these objects, of an environment with these components (default: the Deployment `web`)."""
    observed = snapshot(*raw, gaps=gaps, excerpts=excerpts)
    return ClusterClaims(observed, environment(*(over or (component(),)), **more), RELEASE, digests)
