"""Pods, their templates and their containers. There is no env here, nor any other field that could hold a secret."""

from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from postdeploy.cluster.objects_base import Condition, Meta, Record, Time, condition


class HttpGet(Record, frozen=True):
    """Where an HTTP probe knocks."""

    path: str = "/"
    port: int | str = ""


class PortProbe(Record, frozen=True):
    """Where a TCP or gRPC probe knocks."""

    port: int | str = ""


class Probe(Record, frozen=True):
    """What a probe asks, without its command: that may hold a password."""

    http_get: HttpGet | None = None
    tcp_socket: PortProbe | None = None
    grpc: PortProbe | None = None
    failure_threshold: int = 3
    period_seconds: int = 10

    def __str__(self) -> str:
        if self.http_get:
            return f"GET {self.http_get.path} on port {self.http_get.port}"
        if port := self.tcp_socket or self.grpc:
            return f"{'TCP' if self.tcp_socket else 'gRPC'} on port {port.port}"
        return "a command in the container"


class Container(Record, frozen=True):
    """A container as it was asked for."""

    name: str
    image: str = ""
    restart_policy: str = ""
    """`Always` makes an init container a native sidecar."""
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None

    @property
    def is_sidecar(self) -> bool:
        """Whether this init container keeps running beside the others."""
        return self.restart_policy == "Always"


class ClaimSource(Record, frozen=True):
    """The volume claim that a volume is."""

    claim_name: str = ""


class Volume(Record, frozen=True):
    """A volume of a pod, as far as it is a claim: what is projected from secrets is not read."""

    persistent_volume_claim: ClaimSource | None = None


class ReadinessGate(Record, frozen=True):
    """A condition that something outside the cluster must set before the pod counts as ready."""

    condition_type: str = ""


class PodSpec(Record, frozen=True):
    """What a pod should run."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Container, ...] = ()
    """Attached to the running pod by hand, to debug it."""
    restart_policy: str = "Always"
    node_name: str = ""
    volumes: tuple[Volume, ...] = ()
    readiness_gates: tuple[ReadinessGate, ...] = ()

    @property
    def all_containers(self) -> tuple[Container, ...]:
        """Init containers first, then the others; ephemeral ones are not part of what was deployed."""
        if not self.init_containers:
            return self.containers
        return self.init_containers + self.containers


class TemplateMeta(Record, frozen=True):
    """metadata of a pod template."""

    labels: dict[str, str] = msgspec.field(default_factory=dict)


class PodTemplate(Record, frozen=True):
    """What a workload makes its pods from."""

    metadata: TemplateMeta = TemplateMeta()
    spec: PodSpec = PodSpec()


class Waiting(Record, frozen=True):
    """A container that does not run yet."""

    reason: str = ""
    message: str = ""


class Running(Record, frozen=True):
    """A container that runs."""

    started_at: Time | None = None


class Terminated(Record, frozen=True):
    """A container that has ended."""

    container_id: str = msgspec.field(default="", name="containerID")
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    signal: int = 0
    started_at: Time | None = None
    finished_at: Time | None = None


class ContainerState(Record, frozen=True):
    """At most one of the three is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Record, frozen=True):
    """A container as the kubelet reports it; `image` is whatever tag the node knows for it and proves nothing."""

    name: str
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    container_id: str = msgspec.field(default="", name="containerID")
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(Record, frozen=True):
    """status of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    ephemeral_container_statuses: tuple[ContainerStatus, ...] = ()
    start_time: Time | None = None

    @property
    def all_statuses(self) -> tuple[ContainerStatus, ...]:
        """Init containers first, then the others; never ephemeral ones."""
        if not self.init_container_statuses:
            return self.container_statuses
        return self.init_container_statuses + self.container_statuses


class Pod(Record, frozen=True):
    """A pod."""

    KIND: ClassVar[str] = "Pod"

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_terminating(self) -> bool:
        """Whether it was told to go."""
        return self.metadata.deletion_timestamp is not None

    @property
    def told_to_go(self) -> datetime | None:
        """When it was told to go: its deletionTimestamp is when the time to go ends."""
        if (ends := self.metadata.deletion_timestamp) is None:
            return None
        return ends - timedelta(seconds=self.metadata.deletion_grace_period_seconds)

    @property
    def is_over(self) -> bool:
        """Whether all its containers have ended for good."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def is_live(self) -> bool:
        """Whether it counts as one of its owner's replicas."""
        return self.metadata.deletion_timestamp is None and self.status.phase not in ("Succeeded", "Failed")

    def condition(self, kind: str) -> Condition | None:
        """The pod condition of this type."""
        return condition(self.status.conditions, kind)
