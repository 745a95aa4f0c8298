"""A made-up namespace of healthy Deployments, each pod as long as a real one (about 3.7 KB)."""

from __future__ import annotations

from typing import Any

RELEASE = "v2026.47.1"
NAMESPACE = "crm"
IMAGE = "europe-docker.example/northgate/crm"
PODS_EACH = 50
BORN = "2026-11-20T09:00:00Z"


def component(number: int) -> str:
    """The name of one Deployment."""
    return f"crm-part-{number:03}"


def bodies(deployments: int) -> dict[str, list[dict[str, Any]]]:
    """Items by list path."""
    here = range(deployments)
    base = f"/apis/apps/v1/namespaces/{NAMESPACE}"
    return {
        f"{base}/deployments": [_deployment(number) for number in here],
        f"{base}/replicasets": [_replicaset(number) for number in here],
        f"/api/v1/namespaces/{NAMESPACE}/pods": [_pod(number, each) for number in here for each in range(PODS_EACH)],
    }


def _meta(name: str, number: int, owner: tuple[str, str] | None = None) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-{name}",
        "resourceVersion": "1000",
        "generation": 4,
        "creationTimestamp": BORN,
        "labels": {"app": component(number), "pod-template-hash": "abc123", "app.kubernetes.io/version": RELEASE},
        "annotations": {"deployment.kubernetes.io/revision": "4", "checksum/config": "e3b0c44298fc1c14" * 4},
        "managedFields": [
            {
                "manager": "kustomize-controller",
                "operation": "Apply",
                "apiVersion": "v1",
                "time": BORN,
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:metadata": {f"f:field-{each}": {".": {}, "f:value": {}} for each in range(20)}},
            }
        ],
    }
    if owner:
        kind, owner_name = owner
        meta["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": kind, "name": owner_name, "uid": f"uid-{owner_name}", "controller": True}
        ]
    return meta


def _template(number: int) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/ready", "port": 8000}, "periodSeconds": 5, "failureThreshold": 3}
    variables = [{"name": f"SETTING_{each}", "value": "x" * 24} for each in range(20)]
    container = {
        "name": "app",
        "image": f"{IMAGE}:{RELEASE}",
        "env": variables,
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
    }
    labels = {"app": component(number), "pod-template-hash": "abc123"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container], "serviceAccountName": "crm"}}


def _deployment(number: int) -> dict[str, Any]:
    spec = {
        "replicas": PODS_EACH,
        "selector": {"matchLabels": {"app": component(number)}},
        "template": _template(number),
    }
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), PODS_EACH)
    conditions = [{"type": each, "status": "True", "reason": "Fine"} for each in ("Available", "Progressing")]
    status = {"observedGeneration": 4, "conditions": conditions, **counts}
    return {"metadata": _meta(component(number), number), "spec": spec, "status": status}


def _replicaset(number: int) -> dict[str, Any]:
    meta = _meta(f"{component(number)}-abc123", number, ("Deployment", component(number)))
    spec = {
        "replicas": PODS_EACH,
        "selector": {"matchLabels": {"app": component(number)}},
        "template": _template(number),
    }
    counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), PODS_EACH)
    return {"metadata": meta, "spec": spec, "status": {"observedGeneration": 4, **counts}}


def _pod(number: int, each: int) -> dict[str, Any]:
    meta = _meta(f"{component(number)}-abc123-{each:05}", number, ("ReplicaSet", f"{component(number)}-abc123"))
    conditions = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    running = {
        "name": "app",
        "image": f"{IMAGE}:{RELEASE}",
        "imageID": f"{IMAGE}@sha256:{'ab' * 32}",
        "containerID": f"containerd://{'cd' * 32}",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": BORN}},
        "lastState": {},
    }
    status = {
        "phase": "Running",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": BORN} for kind in conditions],
        "containerStatuses": [running],
        "startTime": BORN,
        "podIP": "10.0.0.1",
    }
    return {"metadata": meta, "spec": _template(number)["spec"] | {"nodeName": f"node-{each % 12}"}, "status": status}
