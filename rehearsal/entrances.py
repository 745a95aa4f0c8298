"""The way in from outside: an Ingress or a Gateway's route for every component that is declared public."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from postdeploy.environment import Component
from rehearsal.builders import labels_of, make, port_of
from rehearsal.kinds import Obj
from rehearsal.workloads import condition

if TYPE_CHECKING:
    from rehearsal.world import World

GATEWAY = "public"
CLASS = "gke-l7-global-external-managed"
CONTROLLER = "networking.gke.io/gateway"


def entrances(world: World) -> None:
    """Store what leads to every public component's Service."""
    for component in world.environment.components.values():
        if component.public == "ingress":
            _ingress(world, component)
        elif component.public == "gateway":
            _route(world, component)


def _hosts(world: World, component: Component) -> list[str]:
    """The brands lead to the web front; what else is public is the API."""
    declared = world.environment
    return [declared.api.host] if "api" in component.name else [each.host for each in declared.brands.values()]


def _ingress(world: World, component: Component) -> None:
    backend = {"service": {"name": component.service, "port": {"number": port_of(component) or 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": host, "http": {"paths": [path]}} for host in _hosts(world, component)]
    spec = {"ingressClassName": "gce", "rules": rules}
    status = {"loadBalancer": {"ingress": [{"ip": _address(world, component)}]}}
    _store(world, "Ingress", component.name, component, spec, status)


def _route(world: World, component: Component) -> None:
    since = world.previous_at
    if not any(each["metadata"]["name"] == GATEWAY for each in world.all("Gateway", component.namespace)):
        _gateway(world, component)
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": GATEWAY}
    backend = {"group": "", "kind": "Service", "name": component.service, "port": port_of(component) or 80, "weight": 1}
    match = {"path": {"type": "PathPrefix", "value": "/"}}
    rules = [{"backendRefs": [backend], "matches": [match]}]
    spec = {"parentRefs": [parent], "hostnames": _hosts(world, component), "rules": rules}
    said = [_said("Accepted", "Accepted", since), _said("ResolvedRefs", "ResolvedRefs", since)]
    status = {"parents": [{"parentRef": parent, "controllerName": CONTROLLER, "conditions": said}]}
    _store(world, "HTTPRoute", component.name, component, spec, status)


def _gateway(world: World, component: Component) -> None:
    since = world.previous_at
    listener = {"name": "https", "port": 443, "protocol": "HTTPS"}
    said = [_said("Accepted", "Accepted", since), _said("Programmed", "Programmed", since)]
    heard = {"name": "https", "attachedRoutes": 1, "conditions": [*said, _said("ResolvedRefs", "ResolvedRefs", since)]}
    status = {"addresses": [{"type": "IPAddress", "value": _address(world, component)}], "conditions": said}
    status["listeners"] = [heard]
    _store(world, "Gateway", GATEWAY, component, {"gatewayClassName": CLASS, "listeners": [listener]}, status)


def _said(name: str, reason: str, since: datetime) -> Obj:
    return condition(name, "True", reason, "", since) | {"observedGeneration": 1}


def _address(world: World, component: Component) -> str:
    draw = world.chance.draw("address", component.name)
    return f"203.0.113.{draw.randint(1, 254)}"


def _store(world: World, kind: str, name: str, component: Component, spec: Obj, status: Obj) -> None:
    labels, space = labels_of(component), component.namespace
    made = make(world, kind, name, space, world.born_at, labels=labels, spec=spec, status=status)
    made["metadata"]["generation"] = 1
    world.put(made)


def storage_classes(world: World) -> None:
    """Store the class of the databases' volumes, and one whose volumes wait for their pod."""
    for name, mode in (("premium-rwo", "Immediate"), ("standard-rwo", "WaitForFirstConsumer")):
        made = make(world, "StorageClass", name, None, world.born_at, provisioner="pd.csi.storage.gke.io")
        world.put(made | {"volumeBindingMode": mode, "reclaimPolicy": "Retain", "allowVolumeExpansion": True})
