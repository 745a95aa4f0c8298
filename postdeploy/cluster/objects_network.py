"""Events, Services and what stands around workloads: autoscalers, budgets, volumes, custom resource definitions."""

from typing import ClassVar

import msgspec

from postdeploy.cluster.objects_base import Condition, Meta, Record, Reference, Selector, Time


class EventSeries(Record, frozen=True):
    """How often a repeated event was seen."""

    count: int = 0
    last_observed_time: Time | None = None


class Event(Record, frozen=True):
    """An event; `regarding` and `note` are what the newer API group calls involvedObject and message."""

    KIND: ClassVar[str] = "Event"

    metadata: Meta = Meta()
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    note: str = ""
    involved_object: Reference = Reference()
    regarding: Reference = Reference()
    count: int | None = None
    series: EventSeries | None = None
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None

    @property
    def about(self) -> Reference:
        """The object it is about."""
        return self.involved_object if self.involved_object.name else self.regarding

    @property
    def text(self) -> str:
        """What it says."""
        return self.message or self.note

    @property
    def times(self) -> int:
        """How often it was seen."""
        return (self.series.count if self.series else 0) or self.count or 1

    @property
    def last_seen(self) -> Time | None:
        """When it was seen last; writers of the newer API leave lastTimestamp null."""
        series = self.series.last_observed_time if self.series else None
        return (
            series or self.last_timestamp or self.event_time or self.first_timestamp or self.metadata.creation_timestamp
        )


class ServicePort(Record, frozen=True):
    """One port that a Service listens on."""

    name: str = ""
    port: int = 0


class ServiceSpec(Record, frozen=True):
    """spec of a Service."""

    type: str = "ClusterIP"
    selector: dict[str, str] = msgspec.field(default_factory=dict)
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    ports: tuple[ServicePort, ...] = ()
    publish_not_ready_addresses: bool = False


class LoadBalancer(Record, frozen=True):
    """What a load balancer answered with."""

    ingress: tuple[dict[str, object], ...] = ()


class LoadBalancerStatus(Record, frozen=True):
    """status of a Service or an Ingress."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(Record, frozen=True):
    """A Service."""

    KIND: ClassVar[str] = "Service"

    metadata: Meta = Meta()
    spec: ServiceSpec = ServiceSpec()
    status: LoadBalancerStatus = LoadBalancerStatus()


class EndpointConditions(Record, frozen=True):
    """Conditions of an endpoint; an absent one has the meaning the API gives it."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Endpoint(Record, frozen=True):
    """One address behind a Service."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    target_ref: Reference | None = None

    @property
    def is_ready(self) -> bool:
        """Whether traffic is sent to it: absent counts as ready."""
        return self.conditions.ready is not False

    @property
    def is_serving(self) -> bool:
        """Whether its pod is ready, whatever else holds of it: absent counts as `ready` says."""
        return self.is_ready if self.conditions.serving is None else self.conditions.serving

    @property
    def is_terminating(self) -> bool:
        """Whether its pod is going: absent counts as not."""
        return self.conditions.terminating is True


class EndpointPort(Record, frozen=True):
    """A port on which the endpoints of a slice take traffic; without a number nothing is sent to it."""

    name: str | None = None
    port: int | None = None


class EndpointSlice(Record, frozen=True):
    """A slice of the endpoints of a Service."""

    KIND: ClassVar[str] = "EndpointSlice"

    metadata: Meta = Meta()
    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] | msgspec.UnsetType | None = msgspec.UNSET
    """An API server always writes them, as null where there are none: unset, they were not recorded."""

    @property
    def carries(self) -> frozenset[str]:
        """Names of the ports that its endpoints take traffic on; empty for the one that has no name."""
        return frozenset(each.name or "" for each in self.ports or () if each.port)

    @property
    def service(self) -> str:
        """Name of the Service it belongs to."""
        return self.metadata.labels.get("kubernetes.io/service-name", "")


class HpaSpec(Record, frozen=True):
    """spec of a HorizontalPodAutoscaler."""

    scale_target_ref: Reference = Reference()
    min_replicas: int = 1
    max_replicas: int = 0


class HpaStatus(Record, frozen=True):
    """status of a HorizontalPodAutoscaler."""

    observed_generation: int | None = None
    current_replicas: int = 0
    desired_replicas: int = 0
    last_scale_time: Time | None = None
    conditions: tuple[Condition, ...] = ()


class HorizontalPodAutoscaler(Record, frozen=True):
    """An autoscaler of any API version."""

    KIND: ClassVar[str] = "HorizontalPodAutoscaler"

    metadata: Meta = Meta()
    spec: HpaSpec = HpaSpec()
    status: HpaStatus = HpaStatus()


class PdbSpec(Record, frozen=True):
    """spec of a PodDisruptionBudget."""

    selector: Selector = Selector()


class PdbStatus(Record, frozen=True):
    """status of a PodDisruptionBudget."""

    observed_generation: int | None = None
    current_healthy: int = 0
    desired_healthy: int = 0
    disruptions_allowed: int = 0
    expected_pods: int = 0
    conditions: tuple[Condition, ...] = ()


class PodDisruptionBudget(Record, frozen=True):
    """A disruption budget."""

    KIND: ClassVar[str] = "PodDisruptionBudget"

    metadata: Meta = Meta()
    spec: PdbSpec = PdbSpec()
    status: PdbStatus = PdbStatus()


class PvcSpec(Record, frozen=True):
    """spec of a PersistentVolumeClaim."""

    storage_class_name: str = ""
    volume_name: str = ""


class PhaseStatus(Record, frozen=True):
    """A status that is a phase and conditions."""

    phase: str = ""
    conditions: tuple[Condition, ...] = ()


class PersistentVolumeClaim(Record, frozen=True):
    """A claim for a volume."""

    KIND: ClassVar[str] = "PersistentVolumeClaim"

    metadata: Meta = Meta()
    spec: PvcSpec = PvcSpec()
    status: PhaseStatus = PhaseStatus()


class StorageClass(Record, frozen=True):
    """A storage class: says when its claims are bound."""

    KIND: ClassVar[str] = "StorageClass"

    metadata: Meta = Meta()
    volume_binding_mode: str = "Immediate"


class CrdVersion(Record, frozen=True):
    """A version of a custom resource."""

    name: str = ""
    served: bool = False
    storage: bool = False


class CrdSpec(Record, frozen=True):
    """spec of a CustomResourceDefinition."""

    versions: tuple[CrdVersion, ...] = ()


class CrdStatus(Record, frozen=True):
    """status of a CustomResourceDefinition."""

    conditions: tuple[Condition, ...] = ()
    stored_versions: tuple[str, ...] = ()


class CustomResourceDefinition(Record, frozen=True):
    """A custom resource definition."""

    KIND: ClassVar[str] = "CustomResourceDefinition"

    metadata: Meta = Meta()
    spec: CrdSpec = CrdSpec()
    status: CrdStatus = CrdStatus()
