"""Many pods that write much: their objects, and what they have written, with as many errors as are asked for."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from postdeploy.cluster.objects import Snapshot, decode
from postdeploy.environment import Component, Environment, load

RELEASE = "v2026.47.1"
NAME = "uk-prod"
NAMESPACE = "crm"
TAKEN = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
BEGAN = TAKEN - timedelta(minutes=10)
PODS_EACH = 50
NODES = 60
BODIES = 8
"""Different logs; pods share them, which nothing on the reader's side can know."""
KINDS = 40
"""Different errors."""
REPO = "registry.example/crm/crm"

Obj = dict[str, Any]


def environment(pods: int) -> Environment:
    """A declared environment with so many pods, and no backend."""
    parts = {}
    for number in range(-(-pods // PODS_EACH)):
        name = f"part-{number:03}"
        parts[name] = Component(
            name=name,
            kind="Deployment",
            namespace=NAMESPACE,
            image=REPO,
            group="crm",
            replicas=min(PODS_EACH, pods - number * PODS_EACH),
            owner="crm",
        )
    small = load(NAME)
    logs = small.logs.model_copy(update={"loki": None, "ready": {}})
    return small.model_copy(update={"components": parts, "logs": logs, "log_suppressions": ()})


def pods_of(environment: Environment) -> list[Obj]:
    """Every pod, running since the rollout began."""
    return [_pod(each, number) for each in environment.components.values() for number in range(each.replicas)]


def snapshot(environment: Environment) -> Snapshot:
    """What a look at such a cluster would have seen."""
    listed: dict[str, list[Any]] = {"Deployment": [], "ReplicaSet": [], "Pod": []}
    for each in environment.components.values():
        listed["Deployment"].append(_object("Deployment", each.name, replicas=each.replicas))
        listed["ReplicaSet"].append(_object("ReplicaSet", f"{each.name}-1", ("Deployment", each.name)))
    listed["Pod"] = pods_of(environment)
    read = {kind: tuple(decode(kind, msgspec.json.encode(each)) for each in found) for kind, found in listed.items()}
    return Snapshot(
        environment=environment.name,
        release=RELEASE,
        taken=TAKEN,
        deployments=read["Deployment"],
        replicasets=read["ReplicaSet"],
        pods=read["Pod"],
    )


def bodies(size: int, share: float) -> list[bytes]:
    """Logs of so many bytes, of whose lines so many are errors."""
    draw = random.Random(size)
    return [_body(draw, size, share) for _ in range(BODIES)]


def _body(draw: random.Random, size: int, share: float) -> bytes:
    lines, length, at = [], 0, 0
    while length < size:
        at += 1
        stamp = (BEGAN + timedelta(seconds=5) + timedelta(milliseconds=at * 500_000 // (size // 120))).isoformat()
        text = _error(draw, at) if draw.random() < share else _info(draw, at)
        lines.append(f"{stamp[:19]}.{at % 1_000_000_000:09d}Z {text}\n".encode())
        length += len(lines[-1])
    return b"".join(lines)


def _info(draw: random.Random, at: int) -> str:
    path = f"/api/v1/orders/{draw.randrange(10**6)}"
    return f"[2026-11-20 10:00:{at % 60:02d} +0000] [7] [INFO] GET {path} status=200 errors=0 duration={at % 977}ms"


def _error(draw: random.Random, at: int) -> str:
    kind = draw.randrange(KINDS)
    request = uuid.UUID(int=draw.getrandbits(128))
    what = f"apps.{'abcdefghij'[kind % 10]}.views: {'posting' * (kind // 10 + 1)}"
    return f"[2026-11-20 10:00:{at % 60:02d} +0000] [7] [ERROR] {what} of {request} for user {at % 9973} failed"


def _object(kind: str, name: str, owner: tuple[str, str] | None = None, **spec: Any) -> Obj:
    meta: Obj = {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}", "creationTimestamp": _stamp(BEGAN)}
    meta["annotations"] = {"deployment.kubernetes.io/revision": "1"}
    if owner:
        reference = {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1]}
        meta["ownerReferences"] = [reference | {"uid": f"uid-{owner[1]}", "controller": True}]
    template = {"spec": {"containers": [{"name": "app", "image": f"{REPO}:{RELEASE}"}]}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": {"template": template, **spec}}


def _pod(component: Component, number: int) -> Obj:
    made = _object("Pod", f"{component.name}-1-{number:03}", ("ReplicaSet", f"{component.name}-1"))
    container = {"name": "app", "image": f"{REPO}:{RELEASE}"}
    status = {
        "name": "app",
        "ready": True,
        "restartCount": 0,
        "containerID": f"containerd://{made['metadata']['name']}",
    }
    status["state"] = {"running": {"startedAt": _stamp(BEGAN + timedelta(seconds=3))}}
    spec = {"containers": [container], "nodeName": f"node-{number % NODES}"}
    return made | {"apiVersion": "v1", "spec": spec, "status": {"phase": "Running", "containerStatuses": [status]}}


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
