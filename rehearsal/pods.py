"""Pods made from a template, and the states they pass through."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rehearsal.builders import digest, make, stamp
from rehearsal.kinds import Obj

if TYPE_CHECKING:
    from random import Random

    from rehearsal.world import World

MESH = ("europe-docker.pkg.dev/istio-release/proxyv2", "1.27.3")


def pod(
    world: World,
    name: str,
    template: Obj,
    owner: Obj,
    created: datetime,
    *,
    mesh: bool = False,
    labels: Mapping[str, str] | None = None,
) -> Obj:
    """A pod of the owner that started at `created` and has been ready since shortly after; not stored yet."""
    space = owner["metadata"]["namespace"]
    all_labels = template["metadata"]["labels"] | dict(labels or {})
    spec = copy.deepcopy(template["spec"])
    made = make(world, "Pod", name, space, created, labels=all_labels, owner=owner, spec=spec, status={})
    made["metadata"]["annotations"] = dict(template["metadata"].get("annotations", {}))
    draw = world.chance.draw("pod", made["metadata"]["uid"])
    nodes = [each["metadata"]["name"] for each in world.all("Node")]
    spec["nodeName"] = draw.choice(nodes)
    if mesh:
        _inject(made)
    _token_volume(spec, draw.getrandbits(25))
    made["status"] = _status_of_ready(world, made, created, draw)
    return made


def _status_of_ready(world: World, pod: Obj, created: datetime, draw: Random) -> Obj:
    spec, since = pod["spec"], created + timedelta(seconds=draw.randint(4, 20))
    address = f"10.{draw.randint(8, 60)}.{draw.randint(0, 255)}.{draw.randint(2, 254)}"
    status: Obj = {"phase": "Running", "hostIP": f"10.4.0.{draw.randint(2, 60)}", "podIP": address}
    status |= {"podIPs": [{"ip": address}], "startTime": stamp(created), "qosClass": "Burstable"}
    names = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
    status["conditions"] = [*(_condition(each, since) for each in names), _condition("PodScheduled", created)]
    status["containerStatuses"] = [_running(world, pod, each, since) for each in spec["containers"]]
    if "initContainers" in spec:
        status["initContainerStatuses"] = [_started(world, pod, each, created) for each in spec["initContainers"]]
    return status


def not_ready(pod: Obj) -> Obj:
    """The pod runs and its first container has not become ready."""
    for each in pod["status"]["conditions"]:
        if each["type"] in ("Ready", "ContainersReady"):
            names = pod["spec"]["containers"][0]["name"]
            each |= {"status": "False", "reason": "ContainersNotReady"}
            each["message"] = f"containers with unready status: [{names}]"
    pod["status"]["containerStatuses"][0]["ready"] = False
    return pod


def terminating(pod: Obj, at: datetime) -> Obj:
    """The pod was asked to end and has not yet."""
    grace = pod["spec"]["terminationGracePeriodSeconds"]
    pod["metadata"] |= {"deletionTimestamp": stamp(at + timedelta(seconds=grace)), "deletionGracePeriodSeconds": grace}
    return pod


def ended(pod: Obj, at: datetime, exit_code: int = 0) -> Obj:
    """The pod's containers ran to their end, well or badly."""
    status = pod["status"]
    status["phase"] = "Failed" if exit_code else "Succeeded"
    for each in status["containerStatuses"]:
        started = each["state"].get("running", {}).get("startedAt", stamp(at))
        over = {"containerID": each["containerID"], "exitCode": exit_code, "startedAt": started}
        over |= {"finishedAt": stamp(at), "reason": "Error" if exit_code else "Completed"}
        each |= {"ready": False, "started": False, "state": {"terminated": over}}
    for condition in status["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady"):
            condition |= {"status": "False", "reason": "PodFailed" if exit_code else "PodCompleted"}
    return pod


def evicted(pod: Obj, at: datetime) -> Obj:
    """What an eviction leaves behind: a Failed pod without container statuses."""
    said = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 62Mi."
    pod["status"] = {"phase": "Failed", "reason": "Evicted", "message": said, "startTime": stamp(at)}
    pod["status"]["conditions"] = [
        _condition("DisruptionTarget", at) | {"reason": "TerminationByKubelet", "message": said},
        _condition("PodScheduled", at),
    ]
    return pod


def restarted(pod: Obj, times: int, at: datetime, exit_code: int = 1, reason: str = "Error") -> Obj:
    """The pod's first container died before, came back at `at`, and has been well since."""
    status = pod["status"]["containerStatuses"][0]
    over = {"containerID": status["containerID"][:-4] + "dead", "exitCode": exit_code, "reason": reason}
    over |= {"startedAt": pod["status"]["startTime"], "finishedAt": stamp(at)}
    status |= {"restartCount": times, "lastState": {"terminated": over}, "state": {"running": {"startedAt": stamp(at)}}}
    return pod


def _inject(pod: Obj) -> None:
    """A mesh's webhook adds its containers to the pod: they are in no template."""
    image = ":".join(MESH)
    proxy = {"name": "istio-proxy", "image": image, "restartPolicy": "Always", "args": ["proxy", "sidecar"]}
    init = {"name": "istio-init", "image": image, "args": ["istio-iptables"]}
    plain = pod["spec"].get("initContainers", [])
    pod["spec"]["initContainers"] = [init | {"resources": {}}, proxy | {"resources": {}}, *plain]
    pod["metadata"]["annotations"]["sidecar.istio.io/status"] = '{"initContainers":["istio-init","istio-proxy"]}'


def _token_volume(spec: Obj, number: int) -> None:
    name = f"kube-api-access-{number:05x}"[:21]
    sources = [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]
    spec["volumes"] = [{"name": name, "projected": {"defaultMode": 420, "sources": sources}}]
    for each in [*spec["containers"], *spec.get("initContainers", [])]:
        path = "/var/run/secrets/kubernetes.io/serviceaccount"
        each["volumeMounts"] = [{"name": name, "readOnly": True, "mountPath": path}]


def _condition(name: str, since: datetime) -> Obj:
    return {"type": name, "status": "True", "lastProbeTime": None, "lastTransitionTime": stamp(since)}


def _status(world: World, pod: Obj, container: Obj) -> Obj:
    image, _, tag = container["image"].rpartition(":")
    number = world.chance.draw("container", pod["metadata"]["uid"], container["name"]).getrandbits(256)
    found = {"name": container["name"], "image": container["image"], "imageID": f"{image}@{digest(image, tag)}"}
    return found | {"containerID": f"containerd://{number:064x}", "lastState": {}, "restartCount": 0}


def _running(world: World, pod: Obj, container: Obj, since: datetime) -> Obj:
    lives = {"ready": True, "started": True, "state": {"running": {"startedAt": stamp(since)}}}
    return _status(world, pod, container) | lives


def _started(world: World, pod: Obj, container: Obj, created: datetime) -> Obj:
    if container.get("restartPolicy") == "Always":
        return _running(world, pod, container, created + timedelta(seconds=2))
    found = _status(world, pod, container)
    over = {"containerID": found["containerID"], "exitCode": 0, "reason": "Completed"}
    over |= {"startedAt": stamp(created + timedelta(seconds=1)), "finishedAt": stamp(created + timedelta(seconds=3))}
    return found | {"ready": True, "started": False, "state": {"terminated": over}}
