"""Claims about the way in: what is declared to lead to a component's Service from outside leads there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from postdeploy.cluster import entries
from postdeploy.cluster.objects import Gateway, HTTPRoute, Service
from postdeploy.cluster.owners import Named, by_name
from postdeploy.cluster.ruling import Ruling, failed, gravity
from postdeploy.cluster.sight import Sight
from postdeploy.environment import Component
from postdeploy.verdict import Judgement

NEEDS = {"ingress": ("ingresses", "services"), "gateway": ("gateways", "httproutes", "services")}
KINDS = {"ingress": "Ingress", "gateway": "HTTPRoute"}

Judged = tuple[str, Named, Ruling]


def entry(sight: Sight, component: Component, services: Mapping[tuple[str, str], Service]) -> Judgement:
    """The gravest of everything between the outside and the component's Service."""
    public = component.public or "ingress"
    kind, uids = KINDS[public], list[str]()
    ruling = sight.gap(component.namespace, NEEDS[public])
    field = f"{kind} to Service {component.service}"
    if ruling is None:
        here = {name: each for (namespace, name), each in services.items() if namespace == component.namespace}
        ways = list(_ways(sight, component, here))
        if ways:
            what, seen, ruling = min(ways, key=lambda each: gravity(each[2]))
            uids, field = [seen.metadata.uid], f"{what} {seen.metadata.namespace}/{seen.metadata.name}"
        else:
            ruling = failed(
                f"no {kind} of namespace {component.namespace} leads to Service {component.service}",
                "It was not delivered, or its backend was renamed.",
            )
    return sight.judge(component, f"is reached from outside through its {kind}", ruling, uids=uids, field=field)


def _ways(sight: Sight, component: Component, services: Mapping[str, Service]) -> Iterator[Judged]:
    """Every Ingress, or every route and its Gateways, that leads to the component's Service."""
    if component.public == "ingress":
        for ingress in sight.snapshot.ingresses:
            if _leads(component, ingress, {backend.name for _, backend in ingress.backends}):
                yield "Ingress", ingress, entries.ingress(ingress, services)
        return
    gateways = by_name(sight.snapshot.gateways)
    for route in sight.snapshot.httproutes:
        if _leads(component, route, {backend.name for backend in route.backends}):
            yield (
                "HTTPRoute",
                route,
                _absent(route, gateways) or _share(route, component) or entries.route(route, services),
            )
            yield from (("Gateway", each, entries.gateway(each)) for each in _parents(route, gateways))


def _leads(component: Component, way: Named, backends: set[str]) -> bool:
    return way.metadata.namespace == component.namespace and component.service in backends


def _share(route: HTTPRoute, component: Component) -> Ruling | None:
    """A route may name a Service and give it no share of its traffic."""
    if any(each.weight for each in route.backends if each.name == component.service):
        return None
    others = dict.fromkeys(each.name for each in route.backends if each.weight)
    return failed(
        f"none of its traffic goes to Service {component.service} (weight 0): {', '.join(others) or 'nobody'} gets it",
        "Traffic was shifted away by hand or by a delivery that was broken off, and never came back.",
    )


def _absent(route: HTTPRoute, gateways: Mapping[tuple[str, str], Gateway]) -> Ruling | None:
    """A Gateway of its own namespace, all of whose Gateways were seen, that is not there: who accepted it is gone."""
    for parent in route.spec.parent_refs:
        key = route.gateway_of(parent)
        if parent.kind in ("", "Gateway") and key[0] == route.metadata.namespace and key not in gateways:
            return failed(f"there is no Gateway {parent.name} in namespace {key[0]}", entries.NO_SUCH_GATEWAY)
    return None


def _parents(route: HTTPRoute, gateways: Mapping[tuple[str, str], Gateway]) -> Iterator[Gateway]:
    """The Gateways it hangs on, as far as they live where we look; of others the route's own status speaks."""
    for parent in route.spec.parent_refs:
        found = gateways.get(route.gateway_of(parent))
        if found is not None:
            yield found
