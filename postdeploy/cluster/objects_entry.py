"""How traffic enters the cluster: Ingresses, Gateways and the routes through them."""

from collections.abc import Iterator
from typing import ClassVar

from postdeploy.cluster.objects_base import Condition, Meta, Record
from postdeploy.cluster.objects_network import LoadBalancerStatus


class BackendPort(Record, frozen=True):
    """A port of a Service, by number or by name."""

    number: int = 0
    name: str = ""


class ServiceBackend(Record, frozen=True):
    """A Service that an Ingress leads to."""

    name: str = ""
    port: BackendPort = BackendPort()


class IngressBackend(Record, frozen=True):
    """What an Ingress leads to; a resource instead of a Service is none of ours."""

    service: ServiceBackend | None = None


class IngressPath(Record, frozen=True):
    """One path of a host."""

    path: str = "/"
    backend: IngressBackend = IngressBackend()


class IngressPaths(Record, frozen=True):
    """The paths of a host."""

    paths: tuple[IngressPath, ...] = ()


class IngressRule(Record, frozen=True):
    """One host of an Ingress."""

    host: str = ""
    http: IngressPaths | None = None


class IngressSpec(Record, frozen=True):
    """spec of an Ingress."""

    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] = ()


class Ingress(Record, frozen=True):
    """An Ingress."""

    KIND: ClassVar[str] = "Ingress"

    metadata: Meta = Meta()
    spec: IngressSpec = IngressSpec()
    status: LoadBalancerStatus = LoadBalancerStatus()

    @property
    def backends(self) -> Iterator[tuple[str, ServiceBackend]]:
        """Every Service it leads to, with the host and path that do."""
        if self.spec.default_backend and self.spec.default_backend.service:
            yield "the default backend", self.spec.default_backend.service
        for rule in self.spec.rules:
            for each in rule.http.paths if rule.http else ():
                if each.backend.service:
                    yield f"{rule.host or '*'}{each.path}", each.backend.service


class Address(Record, frozen=True):
    """An address that a Gateway got."""

    value: str = ""


class GatewayListener(Record, frozen=True):
    """One listener of a Gateway as its controller sees it."""

    name: str = ""
    conditions: tuple[Condition, ...] = ()


class GatewayStatus(Record, frozen=True):
    """status of a Gateway."""

    addresses: tuple[Address, ...] = ()
    conditions: tuple[Condition, ...] = ()
    listeners: tuple[GatewayListener, ...] = ()


class Gateway(Record, frozen=True):
    """A Gateway."""

    KIND: ClassVar[str] = "Gateway"

    metadata: Meta = Meta()
    status: GatewayStatus = GatewayStatus()


class BackendReference(Record, frozen=True):
    """What a route leads to, or the Gateway it hangs on; another namespace only where it is named."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    port: int = 0
    section_name: str = ""
    """The one listener of a Gateway that is meant."""
    weight: int = 1
    """Its share of a rule's traffic; 0: none."""


class RouteRule(Record, frozen=True):
    """One rule of a route."""

    backend_refs: tuple[BackendReference, ...] = ()


class HTTPRouteSpec(Record, frozen=True):
    """spec of an HTTPRoute."""

    parent_refs: tuple[BackendReference, ...] = ()
    rules: tuple[RouteRule, ...] = ()


class RouteParent(Record, frozen=True):
    """What the controller of one Gateway says of a route."""

    parent_ref: BackendReference = BackendReference()
    conditions: tuple[Condition, ...] = ()


class HTTPRouteStatus(Record, frozen=True):
    """status of an HTTPRoute."""

    parents: tuple[RouteParent, ...] = ()


class HTTPRoute(Record, frozen=True):
    """An HTTPRoute."""

    KIND: ClassVar[str] = "HTTPRoute"

    metadata: Meta = Meta()
    spec: HTTPRouteSpec = HTTPRouteSpec()
    status: HTTPRouteStatus = HTTPRouteStatus()

    @property
    def backends(self) -> Iterator[BackendReference]:
        """Every Service of its own namespace that it names."""
        for rule in self.spec.rules:
            for each in rule.backend_refs:
                if each.kind in ("", "Service") and each.namespace in ("", self.metadata.namespace):
                    yield each

    def gateway_of(self, parent: BackendReference) -> tuple[str, str]:
        """Namespace and name of the Gateway it hangs on there."""
        return parent.namespace or self.metadata.namespace, parent.name
