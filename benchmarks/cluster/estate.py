"""A production environment blown up to thousands of pods, all of it healthy, as the lists an API server sends."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from postdeploy.environment import Environment, load
from rehearsal.kinds import Kind, Obj
from rehearsal.selectors import by_fields
from rehearsal.world import World

RELEASE = "v2026.47.1"
NAME = "uk-prod"
PAGE = 500
PODS_EACH = 50
SETTINGS = 20
"""Environment variables of an application."""
KEYED = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Lists whose items are managed one by one, by this key."""
PATTERN = "crm-admin"
"""What every added Deployment is like: behind a Service, autoscaled."""


def environment(pods: int) -> Environment:
    """The declared environment with as many Deployments more as bring it to so many pods."""
    small = load(NAME)
    pattern = small.components[PATTERN]
    missing = pods - sum(each.replicas for each in small.components.values() if each.kind not in ("CronJob", "Job"))
    names = [f"crm-part-{number:03}" for number in range(-(-missing // PODS_EACH))]
    added = {name: pattern.model_copy(update={"name": name, "service": name, "replicas": PODS_EACH}) for name in names}
    return small.model_copy(update={"components": small.components | added})


class Estate:
    """The lists of one environment, each page encoded once."""

    def __init__(self, pods: int) -> None:
        self.world = World.build(environment(pods), RELEASE, seed=1)
        self.page: Callable[[Kind, str | None, str, int, int], bytes] = cache(self._page)
        self._items: Callable[[Kind, str | None, str], list[msgspec.Raw]] = cache(self._encoded)
        self._one: dict[str, msgspec.Raw] = {}

    def _page(self, kind: Kind, namespace: str | None, selector: str, start: int, limit: int) -> bytes:
        """The bytes of one page, `start` being its continue token."""
        items = self._items(kind, namespace, selector)
        end = start + limit if limit else len(items)
        meta: Obj = {"resourceVersion": str(self.world.version)}
        if (left := len(items) - end) > 0:
            meta |= {"continue": str(end)} | ({} if selector else {"remainingItemCount": left})
        head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": meta}
        return msgspec.json.encode(head | {"items": items[start:end]})

    def _encoded(self, kind: Kind, namespace: str | None, selector: str) -> list[msgspec.Raw]:
        wanted = by_fields(selector)
        return [self._encode(each) for each in self.world.all(kind.name, namespace) if wanted(each)]

    def _encode(self, obj: Obj) -> msgspec.Raw:
        """One object as in the list of its kind: without kind and apiVersion, and with who set which field."""
        uid = obj["metadata"]["uid"]
        if uid not in self._one:
            real = obj | {"spec": _as_real(obj["spec"])} if obj["kind"] == "Pod" else obj
            plain = {key: each for key, each in real.items() if key not in ("kind", "apiVersion")}
            managed = {"metadata": obj["metadata"] | {"managedFields": _managed(real)}}
            self._one[uid] = msgspec.Raw(msgspec.json.encode(plain | managed))
        return self._one[uid]


def _managed(obj: Obj) -> list[Obj]:
    """The entries of metadata.managedFields: one of whoever applied the object, one of what keeps its status."""
    head: Obj = {"operation": "Update", "apiVersion": obj["apiVersion"], "fieldsType": "FieldsV1"}
    head["time"] = obj["metadata"].get("creationTimestamp")
    applied = {key: each for key, each in obj.items() if key not in ("kind", "apiVersion", "status")}
    entries = [{"manager": "kube-controller-manager", **head, "fieldsV1": _fields(applied)}]
    if "status" in obj:
        entries.append({"manager": "kubelet", **head, "fieldsV1": {"f:status": _fields(obj["status"])}})
        entries[-1]["subresource"] = "status"
    return entries


def _fields(value: Any, name: str = "") -> Obj:
    """The set of fields of a value, as server-side apply writes it down; most lists are one field."""
    if isinstance(value, dict):
        return {f"f:{key}": _fields(each, key) for key, each in value.items()}
    if isinstance(value, list) and (key := KEYED.get(name)):
        return {f'k:{{"{key}":"{each.get(key)}"}}': {".": {}, **_fields(each)} for each in value}
    return {}


def _as_real(spec: Obj) -> Obj:
    """A pod's spec with what admission, defaults and a Django application's settings put into every real one."""
    app, *others = spec["containers"]
    probe = {"httpGet": {"path": "/live", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10}
    settings = [{"name": f"CRM_SETTING_{number:02}", "value": "x" * 24} for number in range(SETTINGS)]
    app = app | {"env": [*app.get("env", ()), *settings], "livenessProbe": probe, "startupProbe": probe}
    app["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    lost = [{"key": f"node.kubernetes.io/{each}", "operator": "Exists"} for each in ("not-ready", "unreachable")]
    tolerations = [each | {"effect": "NoExecute", "tolerationSeconds": 300} for each in lost]
    more = {"tolerations": tolerations, "enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority"}
    return spec | {"containers": [app, *others], "serviceAccount": spec.get("serviceAccountName"), "priority": 0} | more
