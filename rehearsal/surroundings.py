"""What a release stands on and is reached through: nodes, namespaces, services, autoscalers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postdeploy.environment import Component
from rehearsal.builders import labels_of, make, port_of
from rehearsal.kinds import Obj
from rehearsal.workloads import condition

if TYPE_CHECKING:
    from rehearsal.world import World

MARK = {"postdeploy/rehearsal": "true"}


def namespaces(world: World) -> None:
    """Store the namespaces; kube-system has the declared uid, and says that this is a rehearsal."""
    cluster = world.environment.cluster
    names = {"default", "kube-system", world.environment.flux.namespace, *world.environment.namespaces}
    for name in sorted(names):
        made = make(world, "Namespace", name, None, world.born_at, labels={"kubernetes.io/metadata.name": name})
        if name == "kube-system":
            made["metadata"]["uid"] = cluster.kube_system_uid or made["metadata"]["uid"]
            made["metadata"]["labels"] |= MARK
        world.put(made | {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})


def nodes(world: World) -> None:
    """Store as many nodes as the DaemonSets are declared for."""
    parts = world.environment.components.values()
    count = max([each.replicas for each in parts if each.kind == "DaemonSet"], default=4)
    pool = world.chance.suffix(8, "pool")
    for number in range(count):
        name = f"gke-{world.environment.name}-main-{pool}-{world.chance.suffix(4, 'node', number)}"
        labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}"}
        made = make(world, "Node", name, None, world.born_at, labels=labels, spec={"providerID": f"rehearsal://{name}"})
        info = {"kubeletVersion": "v1.32.4", "osImage": "Container-Optimized OS", "kernelVersion": "6.6.72"}
        info |= {"containerRuntimeVersion": "containerd://1.7.27", "architecture": "amd64", "operatingSystem": "linux"}
        ready = condition("Ready", "True", "KubeletReady", "kubelet is posting ready status", world.born_at)
        room = {"cpu": "8", "memory": "32Gi", "pods": "110"}
        addresses = [{"type": "InternalIP", "address": f"10.4.0.{number + 2}"}]
        made["status"] = {"conditions": [ready], "nodeInfo": info, "capacity": room, "allocatable": room}
        made["status"]["addresses"] = addresses
        world.put(made)


def services(world: World) -> None:
    """Store a Service and its EndpointSlice for every component that listens."""
    for component in world.environment.components.values():
        port = port_of(component)
        if component.kind in ("Deployment", "StatefulSet") and port:
            _service(world, component, port)


def _service(world: World, component: Component, port: int) -> None:
    space, labels = component.namespace, labels_of(component)
    draw = world.chance.draw("service", component.name)
    address = "None" if component.kind == "StatefulSet" else f"10.96.{draw.randint(0, 255)}.{draw.randint(2, 254)}"
    ports = [{"name": "http", "port": port, "targetPort": "http", "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ports": ports, "selector": labels}
    made = make(
        world, "Service", component.name, space, world.born_at, labels=labels, spec=spec, status={"loadBalancer": {}}
    )
    world.put(made)
    name = f"{component.name}-{world.chance.suffix(5, 'slice', component.name)}"
    labels = labels | {"kubernetes.io/service-name": component.name}
    piece = make(world, "EndpointSlice", name, space, world.born_at, labels=labels, owner=made, addressType="IPv4")
    world.put(piece | {"endpoints": [], "ports": [{"name": "http", "port": port, "protocol": "TCP"}]})
    refresh_endpoints(world, component)


def refresh_endpoints(world: World, component: Component) -> None:
    """Let a component's EndpointSlice, where it has one, list its pods as they are."""
    wanted = {"kubernetes.io/service-name": component.name}
    for piece in world.all("EndpointSlice", component.namespace):
        if wanted.items() <= piece["metadata"]["labels"].items():
            pods = world.pods_of(component.name, leftovers=True)
            piece["endpoints"] = [endpoint(each) for each in pods if each["status"]["phase"] == "Running"]
            world.put(piece)


def endpoint(pod: Obj) -> Obj:
    """A pod as its EndpointSlice lists it."""
    refers = {key: pod["metadata"][key] for key in ("name", "namespace", "uid")} | {"kind": "Pod"}
    serving = any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])
    leaving = "deletionTimestamp" in pod["metadata"]
    state = {"ready": serving and not leaving, "serving": serving, "terminating": leaving}
    found = {"addresses": [pod["status"]["podIP"]], "conditions": state, "targetRef": refers}
    return found | {"nodeName": pod["spec"]["nodeName"]}


def scaling(world: World) -> None:
    """Store an autoscaler and a disruption budget for every replicated public Deployment."""
    for component in world.environment.components.values():
        if component.autoscaled or (component.kind == "Deployment" and component.replicas > 1 and port_of(component)):
            _scaling(world, component)


def _scaling(world: World, component: Component) -> None:
    count, since = component.replicas, world.previous_at
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": component.name}
    if component.progressive == "rollout":
        target |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
    }
    spec = {"scaleTargetRef": target, "minReplicas": count, "maxReplicas": 3 * count, "metrics": [metric]}
    seen = {"name": "cpu", "current": {"averageUtilization": 38, "averageValue": "38m"}}
    status: Obj = {"currentReplicas": count, "desiredReplicas": count}
    status["currentMetrics"] = [{"type": "Resource", "resource": seen}]
    status["conditions"] = [
        condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size", since),
        condition("ScalingActive", "True", "ValidMetricFound", "the HPA was able to calculate a replica count", since),
        condition("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the range", since),
    ]
    space, name = component.namespace, component.name
    world.put(make(world, "HorizontalPodAutoscaler", name, space, world.born_at, spec=spec, status=status))
    rule = {"maxUnavailable": 1, "selector": {"matchLabels": labels_of(component)}}
    counts = {"currentHealthy": count, "desiredHealthy": count - 1, "expectedPods": count, "disruptionsAllowed": 1}
    made = make(world, "PodDisruptionBudget", name, space, world.born_at, spec=rule, status=counts)
    made["metadata"]["generation"] = 1
    made["status"]["observedGeneration"] = 1
    world.put(made)
