"""Faults of traffic: every pod is well, and the Service sends it elsewhere, or to nobody."""

from __future__ import annotations

import copy

from postdeploy.environment import Component
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.pods import not_ready, terminating
from rehearsal.recount import newest_replicaset
from rehearsal.scene import Scene, repull, retag, twin
from rehearsal.surroundings import endpoint

ENDPOINTS = "infra.traffic.endpoints"
NEG_READY = "cloud.google.com/load-balancer-neg-ready"


def served(scene: Scene) -> Component:
    """A Deployment that a Service sends traffic to."""
    found = [each for each in scene.components("Deployment", at_least=2) if each.service]
    return scene.draw.choice(sorted(found, key=lambda each: each.name))


def service_of(scene: Scene, component: Component) -> Obj:
    """The Service in front of a component."""
    return scene.world.get("Service", str(component.service), component.namespace)


def slice_of(scene: Scene, component: Component) -> Obj:
    """The EndpointSlice of that Service."""
    wanted = ("kubernetes.io/service-name", component.service)
    found = scene.world.all("EndpointSlice", component.namespace)
    return next(each for each in found if wanted in each["metadata"]["labels"].items())


@fault(ENDPOINTS)
def service_on_old_pods(scene: Scene) -> None:
    """The new Deployment is complete beside the old one, and the Service was never switched over to it."""
    component = served(scene)
    pods = _old_colour(scene, component)
    service = service_of(scene, component)
    service["spec"]["selector"] = dict(pods[0]["metadata"]["labels"])
    service["spec"]["selector"].pop("pod-template-hash", None)
    scene.world.put(service)
    listed = slice_of(scene, component)
    listed["endpoints"] = [endpoint(each) for each in pods]
    scene.world.put(listed)


@fault("infra.release.live")
def worker_left_behind(scene: Scene) -> None:
    """A workload was renamed and the old one never pruned: it is healthy, and goes on with the code of before."""
    _old_colour(scene, scene.victim())


def _old_colour(scene: Scene, component: Component) -> list[Obj]:
    """The release before as a Deployment of its own: its pods, ready."""
    owner = scene.owner(component)
    deployment = _blue(scene, component, owner, None)
    replicaset = _blue(scene, component, newest_replicaset(scene.world, owner), deployment)
    pods = [_blue(scene, component, each, replicaset) for each in scene.pods(component)]
    for pod in pods:
        retag(pod["spec"], component.image, scene.previous)
        repull(pod, component.image)
    return pods


def _blue(scene: Scene, component: Component, obj: Obj, owner: Obj | None) -> Obj:
    """A copy of an object under another name, with labels and an owner of its own."""
    made = copy.deepcopy(obj)
    meta = made["metadata"]
    meta["name"] = meta["name"].replace(component.name, f"{component.name}-blue", 1)
    meta["uid"] = scene.world.chance.uid("blue", meta["name"])
    label = {"app.kubernetes.io/name": f"{component.name}-blue"}
    meta["labels"] |= label
    if owner is not None:
        meta["ownerReferences"][0] |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    if "template" in made["spec"]:
        made["spec"]["selector"]["matchLabels"] |= label
        made["spec"]["template"]["metadata"]["labels"] |= label
        retag(made["spec"]["template"]["spec"], component.image, scene.previous)
    return scene.world.put(made)


@fault(ENDPOINTS)
def endpoints_empty(scene: Scene) -> None:
    """A label was renamed in the chart: the Service selects nothing, and nobody is behind it."""
    component = served(scene)
    service = service_of(scene, component)
    service["spec"]["selector"] = {"app": component.name}
    scene.world.put(service)
    listed = slice_of(scene, component)
    listed |= {"endpoints": None, "ports": None}  # what the API writes for an empty slice
    scene.world.put(listed)


@fault(ENDPOINTS)
def port_of_no_container(scene: Scene) -> None:
    """The targetPort names a port that no container has: endpoints are ready, and take traffic on none."""
    component = served(scene)
    service = service_of(scene, component)
    service["spec"]["ports"][0]["targetPort"] = "web"
    scene.world.put(service)
    scene.world.put(slice_of(scene, component) | {"ports": None})


@fault(ENDPOINTS)
def endpoint_terminating(scene: Scene) -> None:
    """A pod is on its way out, and its endpoint still takes traffic."""
    component = served(scene)
    going = terminating(twin(scene.pods(component)[0], scene.world, "gone0"), scene.ago(20))
    scene.world.put(going)
    listed = slice_of(scene, component)
    entry = endpoint(going)
    entry["conditions"] = {"ready": True, "serving": True, "terminating": True}
    listed["endpoints"].append(entry)
    scene.world.put(listed)


@fault(ENDPOINTS)
def orphan_pod_in_selector(scene: Scene) -> None:
    """A ReplicaSet was deleted without its pods: old code lives on, and the Service selects it too."""
    component = served(scene)
    old = scene.revive(component, 1)
    replicaset = old[0]["metadata"]["ownerReferences"][0]["name"]
    scene.recount(component)
    scene.world.remove(scene.world.get("ReplicaSet", replicaset, component.namespace))
    scene.recount(component)


@fault(ENDPOINTS)
def endpoints_left_behind(scene: Scene) -> None:
    """The endpoint controller hangs: the slice lists pods that are long gone, and none of the new ones."""
    component = served(scene)
    listed = slice_of(scene, component)
    for number, each in enumerate(listed["endpoints"]):
        each["targetRef"] |= {"uid": scene.world.chance.uid("gone", component.name, number)}
    scene.world.put(listed)


@fault(ENDPOINTS)
def service_deleted(scene: Scene) -> None:
    """A prune took the Service away; its pods are well, and nothing reaches them."""
    component = served(scene)
    scene.world.remove(slice_of(scene, component))
    scene.world.remove(service_of(scene, component))


@fault(ENDPOINTS)
def neg_not_ready(scene: Scene) -> None:
    """The containers are ready, and the cloud's load balancer does not see the pods."""
    component = served(scene)
    for pod in scene.pods(component):
        gated(scene, pod, "False")
        for each in pod["status"]["conditions"]:
            if each["type"] == "Ready":
                said = f'the status of pod readiness gate "{NEG_READY}" is not "True", but False'
                each |= {"status": "False", "reason": "ReadinessGatesNotReady", "message": said}
    scene.recount(component)


def gated(scene: Scene, pod: Obj, status: str) -> None:
    """Let a pod wait for the load balancer, which has said this of it."""
    pod["spec"]["readinessGates"] = [{"conditionType": NEG_READY}]
    ready = next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")
    pod["status"]["conditions"].append(ready | {"type": NEG_READY, "status": status, "reason": "LoadBalancerNegReady"})
    scene.world.put(pod)


@fault(ENDPOINTS)
def endpoint_of_unready_pod(scene: Scene) -> None:
    """A pod has lost its readiness, and its endpoint still takes traffic."""
    component = served(scene)
    scene.world.put(not_ready(scene.pods(component)[0]))


@fault(ENDPOINTS, "unverified")
def endpointslices_forbidden(scene: Scene) -> None:
    """The verifier may not list EndpointSlices."""
    scene.world.settings.forbidden.add("endpointslices")
