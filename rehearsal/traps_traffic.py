"""Services, endpoints and what stands around them that look odd and are not."""

from __future__ import annotations

import copy

from rehearsal.builders import make, stamp
from rehearsal.entry import trap
from rehearsal.faults_around import pick
from rehearsal.faults_traffic import gated, served, service_of, slice_of
from rehearsal.pods import terminating
from rehearsal.recount import newest_replicaset, set_condition
from rehearsal.scene import Scene, twin
from rehearsal.surroundings import endpoint

ENDPOINTS = "infra.traffic.endpoints"


@trap(ENDPOINTS)
def endpoint_conditions_absent(scene: Scene) -> None:
    """An older control plane leaves the conditions of endpoints out, or null: absent means ready."""
    for number, each in enumerate(scene.world.all("EndpointSlice")):
        for entry in each["endpoints"] or ():
            entry["conditions"] = {"ready": None, "serving": None, "terminating": None} if number % 2 else {}
        scene.world.put(each)


@trap(ENDPOINTS)
def split_slices(scene: Scene) -> None:
    """Every Service has three slices: two address families, and one that lists some pods a second time."""
    for each in scene.world.all("EndpointSlice"):
        found = each["endpoints"] or []
        again = (("again", "IPv4", found[:1]), ("v6", "IPv6", found))
        for name, family, listed in again:
            made = copy.deepcopy(each)
            made["metadata"]["name"] += f"-{name}"
            made["metadata"]["uid"] = scene.world.chance.uid("slice", made["metadata"]["name"])
            made |= {"addressType": family, "endpoints": copy.deepcopy(listed)}
            scene.world.put(made)
        # A full slice is rebalanced: what was moved away may stay empty for a while.
        empty = copy.deepcopy(each)
        empty["metadata"] |= {"name": f"{each['metadata']['name']}-full"}
        empty["metadata"]["uid"] = scene.world.chance.uid("slice", empty["metadata"]["name"])
        scene.world.put(empty | {"endpoints": None})


@trap(ENDPOINTS)
def externalname_service(scene: Scene) -> None:
    """A Service has become an alias of a name outside: it selects nothing and has no endpoints."""
    component = next(each for each in scene.components("StatefulSet") if each.service)
    service = service_of(scene, component)
    service["spec"] = {"type": "ExternalName", "externalName": "search.shared.example", "ports": []}
    scene.world.put(service)
    scene.world.remove(slice_of(scene, component))


@trap(ENDPOINTS)
def headless_service(scene: Scene) -> None:
    """A headless Service publishes its pods before they are ready, and lists one that is on its way out."""
    component = served(scene)
    service = service_of(scene, component)
    service["spec"] |= {"clusterIP": "None", "clusterIPs": ["None"], "publishNotReadyAddresses": True}
    scene.world.put(service)
    listed = slice_of(scene, component)
    going = terminating(twin(scene.pods(component)[0], scene.world, "early"), scene.ago(4))
    scene.world.put(going)
    entry = endpoint(going)
    entry["conditions"] = {"ready": True, "serving": True, "terminating": True}
    listed["endpoints"].append(entry)
    scene.world.put(listed)


@trap(ENDPOINTS)
def endpoint_draining(scene: Scene) -> None:
    """A pod was evicted for its node's upgrade: it still serves what it began, and gets nothing new."""
    component = served(scene)
    scene.world.put(terminating(twin(scene.pods(component)[0], scene.world, "drn00"), scene.ago(6)))
    scene.recount(component)


@trap(ENDPOINTS)
def neg_ready(scene: Scene) -> None:
    """Pods wait for the cloud's load balancer, which sees every one of them."""
    for pod in scene.pods(served(scene)):
        gated(scene, pod, "True")


@trap("infra.traffic.autoscaler")
def hpa_metrics_missing_first_minute(scene: Scene) -> None:
    """The last pods are a minute old, and nothing has measured them yet."""
    component = served(scene)
    newest = newest_replicaset(scene.world, scene.owner(component))
    newest["metadata"]["creationTimestamp"] = stamp(scene.ago(70))
    scene.world.put(newest)
    for pod in scene.pods(component):
        pod["metadata"]["creationTimestamp"] = stamp(scene.ago(60))
        scene.world.put(pod)
    scaler = scene.world.get("HorizontalPodAutoscaler", component.name, component.namespace)
    said = "the HPA was unable to compute the replica count: did not receive metrics for targeted pods"
    set_condition(scaler, "ScalingActive", "False", "FailedGetResourceMetric", said, scene.ago(50))
    scene.world.put(scaler)
    scene.world.note(scaler, "FailedGetResourceMetric", said, warning=True, count=3, ago_s=12)


@trap("infra.traffic.autoscaler")
def hpa_just_scaled(scene: Scene) -> None:
    """The autoscaler has just asked for two more pods, and they are not there yet."""
    scaler = pick(scene, "HorizontalPodAutoscaler")
    scaler["status"] |= {"lastScaleTime": stamp(scene.ago(15))}
    scaler["status"]["desiredReplicas"] += 2
    scene.world.put(scaler)


@trap("infra.traffic.disruption")
def pdb_insufficient_for_a_moment(scene: Scene) -> None:
    """A node is being drained: the budget counts one pod less than it wants, and allows nothing meanwhile."""
    budget = pick(scene, "PodDisruptionBudget")
    status = budget["status"]
    status |= {"currentHealthy": status["desiredHealthy"] - 1, "disruptionsAllowed": 0}
    set_condition(budget, "DisruptionAllowed", "False", "InsufficientPods", "", scene.ago(5))
    scene.world.put(budget)


@trap("infra.traffic.volumes")
def wait_for_first_consumer(scene: Scene) -> None:
    """A claim is pending because its class waits for the first pod that uses it, and none does yet."""
    namespace = scene.components("StatefulSet")[0].namespace
    made = make(scene.world, "PersistentVolumeClaim", "restore-scratch", namespace, scene.ago(5000))
    made["spec"] = {"storageClassName": "standard-rwo", "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"}
    scene.world.put(made | {"status": {"phase": "Pending"}})


@trap("infra.traffic.entry")
def ingress_by_name(scene: Scene) -> None:
    """An Ingress names its backend's port, answers under a host name, and sends one path to a bucket."""
    ingress = pick(scene, "Ingress")
    bucket = {"resource": {"apiGroup": "storage.example", "kind": "Bucket", "name": "static"}}
    for rule in ingress["spec"]["rules"]:
        path = copy.deepcopy(rule["http"]["paths"][0])
        path["backend"]["service"]["port"] = {"name": "http"}
        rule["http"]["paths"] = [path, {"path": "/static", "pathType": "Prefix", "backend": bucket}]
    ingress["status"]["loadBalancer"]["ingress"] = [{"hostname": "lb-7.northgate.example"}]
    scene.world.put(ingress)
