"""The columns that `kubectl get` prints, worked out by the server as a real one does."""

from __future__ import annotations

from rehearsal import cells
from rehearsal.kinds import Obj

NAME: tuple[str, int, cells.Cell] = ("Name", 0, cells.at("metadata.name"))
AGE: tuple[str, int, cells.Cell] = ("Age", 0, lambda obj: cells.age(obj["metadata"]["creationTimestamp"]))
WORKLOAD_WIDE: list[tuple[str, int, cells.Cell]] = [
    ("Containers", 1, cells.containers("name")),
    ("Images", 1, cells.containers("image")),
    ("Selector", 1, cells.selector()),
]
READY: list[tuple[str, int, cells.Cell]] = [
    ("Ready", 0, lambda obj: cells.ready_condition(obj)["status"]),
    ("Status", 0, lambda obj: cells.ready_condition(obj)["message"]),
]
COLUMNS: dict[str, list[tuple[str, int, cells.Cell]]] = {
    "Pod": [
        NAME,
        ("Ready", 0, cells.ready),
        ("Status", 0, cells.pod_status),
        ("Restarts", 0, cells.restarts),
        AGE,
        ("IP", 1, cells.at("status.podIP")),
        ("Node", 1, cells.at("spec.nodeName")),
        ("Nominated Node", 1, cells.at("status.nominatedNodeName")),
        ("Readiness Gates", 1, cells.readiness_gates),
    ],
    "Deployment": [
        NAME,
        ("Ready", 0, cells.ready_replicas),
        ("Up-to-date", 0, cells.count("status.updatedReplicas")),
        ("Available", 0, cells.count("status.availableReplicas")),
        AGE,
        *WORKLOAD_WIDE,
    ],
    "ReplicaSet": [
        NAME,
        ("Desired", 0, cells.count("spec.replicas")),
        ("Current", 0, cells.count("status.replicas")),
        ("Ready", 0, cells.count("status.readyReplicas")),
        AGE,
        *WORKLOAD_WIDE,
    ],
    "StatefulSet": [NAME, ("Ready", 0, cells.ready_replicas), AGE, *WORKLOAD_WIDE[:2]],
    "DaemonSet": [
        NAME,
        ("Desired", 0, cells.count("status.desiredNumberScheduled")),
        ("Current", 0, cells.count("status.currentNumberScheduled")),
        ("Ready", 0, cells.count("status.numberReady")),
        ("Up-to-date", 0, cells.count("status.updatedNumberScheduled")),
        ("Available", 0, cells.count("status.numberAvailable")),
        AGE,
        *WORKLOAD_WIDE,
    ],
    "Job": [
        NAME,
        ("Status", 0, cells.job_outcome),
        ("Completions", 0, lambda o: f"{cells.count('status.succeeded')(o)}/{cells.count('spec.completions')(o)}"),
        AGE,
        *WORKLOAD_WIDE,
    ],
    "CronJob": [
        NAME,
        ("Schedule", 0, cells.at("spec.schedule")),
        ("Suspend", 0, lambda obj: str(obj["spec"].get("suspend", False))),
        ("Active", 0, lambda obj: len(obj["status"].get("active", []))),
        ("Last Schedule", 0, lambda obj: cells.age(obj["status"].get("lastScheduleTime"))),
        AGE,
        ("Images", 1, cells.containers("image", "spec.jobTemplate.spec.template.spec")),
    ],
    "Service": [
        NAME,
        ("Type", 0, cells.at("spec.type")),
        ("Cluster-IP", 0, cells.at("spec.clusterIP")),
        ("External-IP", 0, lambda obj: "<none>"),
        ("Port(s)", 0, cells.ports),
        AGE,
        ("Selector", 1, cells.selector("spec.selector")),
    ],
    "Node": [
        NAME,
        ("Status", 0, cells.node_status),
        ("Version", 0, cells.at("status.nodeInfo.kubeletVersion")),
        AGE,
        ("OS-Image", 1, cells.at("status.nodeInfo.osImage")),
    ],
    "Namespace": [NAME, ("Status", 0, cells.at("status.phase")), AGE],
    "Event": [
        ("Last Seen", 0, lambda obj: cells.age(obj.get("lastTimestamp") or obj.get("eventTime"))),
        ("Type", 0, cells.at("type")),
        ("Reason", 0, cells.at("reason")),
        ("Object", 0, lambda o: f"{o['involvedObject']['kind'].lower()}/{o['involvedObject']['name']}"),
        ("Message", 0, cells.at("message")),
        ("Count", 1, cells.at("count")),
    ],
    "PersistentVolumeClaim": [
        NAME,
        ("Status", 0, cells.at("status.phase")),
        ("Volume", 0, cells.at("spec.volumeName", "")),
        ("Capacity", 0, cells.at("status.capacity.storage", "")),
        ("Access Modes", 0, cells.access_modes),
        ("StorageClass", 0, cells.at("spec.storageClassName", "")),
        AGE,
        ("VolumeMode", 1, cells.at("spec.volumeMode")),
    ],
    "HorizontalPodAutoscaler": [
        NAME,
        ("Reference", 0, lambda o: "{kind}/{name}".format(**o["spec"]["scaleTargetRef"])),
        ("Targets", 0, cells.targets),
        ("MinPods", 0, cells.at("spec.minReplicas")),
        ("MaxPods", 0, cells.at("spec.maxReplicas")),
        ("Replicas", 0, cells.at("status.currentReplicas")),
        AGE,
    ],
    "PodDisruptionBudget": [
        NAME,
        ("Min Available", 0, cells.at("spec.minAvailable", "N/A")),
        ("Max Unavailable", 0, cells.at("spec.maxUnavailable", "N/A")),
        ("Allowed Disruptions", 0, cells.count("status.disruptionsAllowed")),
        AGE,
    ],
    "EndpointSlice": [
        NAME,
        ("AddressType", 0, cells.at("addressType")),
        ("Ports", 0, lambda obj: cells.few([str(each.get("port", "*")) for each in obj.get("ports") or ()])),
        ("Endpoints", 0, lambda obj: cells.few([a for e in obj.get("endpoints") or () for a in e["addresses"]])),
        AGE,
    ],
    "Ingress": [
        NAME,
        ("Class", 0, cells.at("spec.ingressClassName")),
        ("Hosts", 0, lambda obj: cells.few([each.get("host", "*") for each in obj["spec"].get("rules", ())], "*")),
        ("Address", 0, cells.addresses),
        ("Ports", 0, lambda obj: "80, 443" if obj["spec"].get("tls") else "80"),
        AGE,
    ],
    "StorageClass": [
        NAME,
        ("Provisioner", 0, cells.at("provisioner")),
        ("ReclaimPolicy", 0, cells.at("reclaimPolicy")),
        ("VolumeBindingMode", 0, cells.at("volumeBindingMode")),
        ("AllowVolumeExpansion", 0, lambda obj: str(obj.get("allowVolumeExpansion", False)).lower()),
        AGE,
    ],
    "Gateway": [
        NAME,
        ("Class", 0, cells.at("spec.gatewayClassName")),
        ("Address", 0, lambda obj: cells.few([each["value"] for each in cells.at("status.addresses", [])(obj)], "")),
        ("Programmed", 0, cells.programmed),
        AGE,
    ],
    "HTTPRoute": [NAME, ("Hostnames", 0, cells.at("spec.hostnames")), AGE],
    "GitRepository": [NAME, AGE, *READY],
    "Kustomization": [NAME, AGE, *READY],
    "HelmRelease": [NAME, AGE, *READY],
}


def columns(kind: str) -> list[Obj]:
    """The column definitions of a kind."""
    found = COLUMNS.get(kind, [NAME, AGE])
    return [
        {
            "name": name,
            "type": "string",
            "format": "name" if name == "Name" else "",
            "description": "",
            "priority": wide,
        }
        for name, wide, _ in found
    ]


def row(kind: str, obj: Obj, include: str) -> Obj:
    """One row, with as much of its object as was asked for."""
    part: Obj | None = obj
    if include == "None":
        part = None
    elif include != "Object":
        part = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return {"cells": [cell(obj) for _, _, cell in COLUMNS.get(kind, [NAME, AGE])], "object": part}


def table(kind: str, rows: list[Obj], metadata: Obj) -> Obj:
    """Rows under the column definitions of their kind."""
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return head | {"columnDefinitions": columns(kind), "rows": rows}
