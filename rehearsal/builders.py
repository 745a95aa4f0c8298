"""Makers of single objects: metadata, events, and the pod template of a component."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from postdeploy.environment import Component
from rehearsal.canaries import MARK
from rehearsal.kinds import BY_NAME, Obj
from rehearsal.manifests import digest_of, index

if TYPE_CHECKING:
    from rehearsal.world import World

SECRET = f"{MARK}!dont-keep-me"
"""Stands in every pod's plain-text environment: whoever saves it has kept what must be dropped."""

PROXY = "europe-docker.pkg.dev/northgate-prod/mirror/nginx:1.28.0"
"""Runs beside the web front, pinned: a container of the template that is no part of the release."""

NOT_SERVING = ("celery", "beat", "worker", "agent", "script")


def stamp(moment: datetime) -> str:
    """A time as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(image: str, tag: str) -> str:
    """The digest that a tag of an image resolves to: the same in every environment and for every seed."""
    return digest_of(index(image, tag))


def earlier(release: str, steps: int) -> str:
    """A release of some steps before, for what an old revision still carries."""
    found = re.fullmatch(r"(v?\d+)\.(\d+)\.(\d+)", release)
    if not found:
        return f"{release}-before{steps}"
    year, week, patch = found[1], int(found[2]), int(found[3])
    return f"{year}.{week}.{patch - steps}" if patch >= steps else f"{year}.{max(week - steps, 1)}.{steps}"


def tag_of(component: Component, release: str) -> str:
    """The tag that a component should carry."""
    return component.tag or release


def labels_of(component: Component) -> dict[str, str]:
    """The labels by which a workload selects its pods."""
    return {"app.kubernetes.io/name": component.name, "app.kubernetes.io/instance": component.group or component.name}


def make(
    world: World,
    kind: str,
    name: str,
    namespace: str | None,
    created: datetime,
    *,
    labels: dict[str, str] | None = None,
    owner: Obj | None = None,
    **parts: Any,
) -> Obj:
    """An object with complete metadata; an owner is named by uid as its controller."""
    meta: Obj = {"name": name, "uid": world.chance.uid(kind, namespace, name, world.release)}
    meta |= {"creationTimestamp": stamp(created), "labels": dict(labels or {})}
    if namespace is not None:
        meta["namespace"] = namespace
    if owner is not None:
        refers = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
        refers |= {"uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
        meta["ownerReferences"] = [refers]
    return {"apiVersion": BY_NAME[kind].api_version, "kind": kind, "metadata": meta, **parts}


def event(world: World, about: Obj, reason: str, message: str, *, warning: bool, count: int, ago_s: float) -> Obj:
    """An Event as the kubelet and the controllers write it."""
    meta = about["metadata"]
    namespace = meta.get("namespace", "default")
    last = world.now - timedelta(seconds=ago_s)
    name = f"{meta['name']}.{world.chance.draw('event', meta['uid'], reason, message).getrandbits(60):016x}"
    involved = {"apiVersion": about["apiVersion"], "kind": about["kind"], "namespace": namespace}
    involved |= {"name": meta["name"], "uid": meta["uid"]}
    made = make(world, "Event", name, namespace, last, involvedObject=involved, reason=reason, message=message)
    made |= {"type": "Warning" if warning else "Normal", "count": count, "source": {"component": "kubelet"}}
    made |= {"firstTimestamp": stamp(last - timedelta(seconds=20 * (count - 1))), "lastTimestamp": stamp(last)}
    return made | {"eventTime": None, "reportingComponent": "kubelet", "reportingInstance": ""}


def port_of(component: Component) -> int | None:
    """The port a component serves on, none where it only works through queues."""
    known = {"search": 9200, "redis": 6379, "postgres": 5432, "migrate": 0}
    for word, port in known.items():
        if word in component.name or word in component.image:
            return port or None
    return None if any(word in component.name for word in NOT_SERVING) else 8000


def template(world: World, component: Component, tag: str, *, restart: str = "Always") -> Obj:
    """The pod template of a component at a tag, as its chart renders it."""
    image = f"{component.image}:{tag}"
    main = _container(component, component.name, image, _command(component))
    port = port_of(component)
    if port:
        main["ports"] = [{"name": "http", "containerPort": port, "protocol": "TCP"}]
        main["readinessProbe"] = {"tcpSocket": {"port": "http"}, "periodSeconds": 5, "failureThreshold": 3}
    spec: Obj = {"containers": [main], "restartPolicy": restart, "terminationGracePeriodSeconds": 30}
    spec |= {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "securityContext": {}}
    spec |= {"serviceAccountName": component.group or component.name}
    if component.name == "crm-web":
        spec["containers"].append(_container(component, "nginx", PROXY, []))
    if component.group and component.kind == "Deployment":
        wait = _container(component, "wait-for-db", image, ["python", "manage.py", "wait_for_db"])
        spec["initContainers"] = [wait]
    notes = {"checksum/config": hashlib.sha256(f"{component.name}{tag}".encode()).hexdigest()}
    notes["kubectl.kubernetes.io/default-container"] = component.name
    return {"metadata": {"labels": labels_of(component), "annotations": notes}, "spec": spec}


def _command(component: Component) -> list[str]:
    words = component.name.split("-")
    if "celery" in words:
        return ["celery", "-A", "crm", "worker", "-Q", words[-1]]
    if "beat" in words:
        return ["celery", "-A", "crm", "beat"]
    if component.kind == "Job":
        return ["python", "manage.py", "migrate", "--noinput"]
    if component.group == "crm-script":
        return ["crm-script", "run", *words[2:]]
    return ["gunicorn", "crm.wsgi", "--bind", ":8000"] if component.group else []


def _container(component: Component, name: str, image: str, command: list[str]) -> Obj:
    made: Obj = {"name": name, "image": image, "imagePullPolicy": "IfNotPresent"}
    if command:
        made["command"] = command
    made["env"] = [
        {"name": "DB_PASSWORD", "value": SECRET},
        {"name": "DJANGO_SETTINGS_MODULE", "value": "crm.settings.production"},
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
    ]
    made["resources"] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    return made | {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
