"""The narrow structs of one observation, and the observation itself: frozen, without secrets, exact through JSON."""

from contextlib import suppress
from functools import cache
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from postdeploy.cluster.objects_access import Access
from postdeploy.cluster.objects_base import (
    Annotations,
    Condition,
    Meta,
    Owner,
    Record,
    Reference,
    Selector,
    Time,
    condition,
    without_nulls,
)
from postdeploy.cluster.objects_delivery import Canary, FluxObject, Rollout
from postdeploy.cluster.objects_entry import Gateway, HTTPRoute, Ingress
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.cluster.objects_network import (
    CustomResourceDefinition,
    Endpoint,
    EndpointSlice,
    Event,
    HorizontalPodAutoscaler,
    PersistentVolumeClaim,
    PodDisruptionBudget,
    Service,
    StorageClass,
)
from postdeploy.cluster.objects_pods import Container, ContainerStatus, Pod, PodSpec, PodTemplate, Terminated
from postdeploy.cluster.objects_stability import Base, Held, Incident
from postdeploy.cluster.objects_workloads import CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet

__all__ = [
    "FLUX_KINDS",
    "KINDS",
    "Access",
    "Annotations",
    "Base",
    "Canary",
    "Condition",
    "Container",
    "ContainerStatus",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "DigestSet",
    "Endpoint",
    "EndpointSlice",
    "Event",
    "FluxObject",
    "Gap",
    "Gateway",
    "HTTPRoute",
    "Held",
    "HorizontalPodAutoscaler",
    "Incident",
    "Ingress",
    "Job",
    "LogExcerpt",
    "Meta",
    "Owner",
    "Page",
    "PageMeta",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodSpec",
    "PodTemplate",
    "Record",
    "Reference",
    "ReplicaSet",
    "Rollout",
    "Selector",
    "Service",
    "Settled",
    "Snapshot",
    "StatefulSet",
    "StorageClass",
    "Terminated",
    "Time",
    "Workload",
    "condition",
    "decode",
    "decode_as",
    "decode_page",
    "read",
]

T = TypeVar("T")
Workload: TypeAlias = Deployment | StatefulSet | DaemonSet

FLUX_KINDS = (
    "Bucket",
    "GitRepository",
    "HelmChart",
    "HelmRelease",
    "HelmRepository",
    "ImagePolicy",
    "ImageRepository",
    "ImageUpdateAutomation",
    "Kustomization",
    "OCIRepository",
)
KINDS: dict[str, type[Record]] = {
    each.KIND: each
    for each in (
        Canary,
        CronJob,
        CustomResourceDefinition,
        DaemonSet,
        Deployment,
        EndpointSlice,
        Event,
        Gateway,
        HTTPRoute,
        HorizontalPodAutoscaler,
        Ingress,
        Job,
        PersistentVolumeClaim,
        Pod,
        PodDisruptionBudget,
        ReplicaSet,
        Rollout,
        Service,
        StatefulSet,
        StorageClass,
    )
} | dict.fromkeys(FLUX_KINDS, FluxObject)
"""Kind to struct, for every kind there is a rule for."""


class PageMeta(Record, frozen=True):
    """metadata of one page of a list."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class Page(Record, Generic[T], frozen=True):
    """One page of a list."""

    metadata: PageMeta = PageMeta()
    items: tuple[T, ...] = ()


class Gap(Record, frozen=True):
    """Something that could not be read; no claim that needed it can pass."""

    resource: str
    """Plural name, e.g. `pods`."""
    namespace: str
    """Empty: every namespace."""
    reason: str


class LogExcerpt(Record, frozen=True):
    """The last lines of one container, redacted."""

    namespace: str
    pod: str
    container: str
    previous: bool
    lines: tuple[str, ...]


class Settled(Record, frozen=True):
    """How waiting for the rollout ended."""

    outcome: Literal["converged", "doomed", "budget", "already-live"]
    seconds: float
    looks: int
    why: tuple[str, ...] = ()


class Snapshot(Record, frozen=True):
    """Everything seen of one cluster at one time: saved as JSON and judged again without a network."""

    environment: str
    release: str
    taken: Time
    """The API server's clock, from its Date header."""
    server_version: str = ""
    deployments: tuple[Deployment, ...] = ()
    statefulsets: tuple[StatefulSet, ...] = ()
    daemonsets: tuple[DaemonSet, ...] = ()
    replicasets: tuple[ReplicaSet, ...] = ()
    pods: tuple[Pod, ...] = ()
    jobs: tuple[Job, ...] = ()
    cronjobs: tuple[CronJob, ...] = ()
    events: tuple[Event, ...] = ()
    job_events: tuple[Event, ...] = ()
    """Events about Jobs, those of type Normal too: they tell how a Job ended that is gone."""
    node_events: tuple[Event, ...] = ()
    """Warnings about nodes: they are kept in the namespace `default`."""
    services: tuple[Service, ...] = ()
    endpointslices: tuple[EndpointSlice, ...] = ()
    horizontalpodautoscalers: tuple[HorizontalPodAutoscaler, ...] = ()
    poddisruptionbudgets: tuple[PodDisruptionBudget, ...] = ()
    persistentvolumeclaims: tuple[PersistentVolumeClaim, ...] = ()
    storageclasses: tuple[StorageClass, ...] = ()
    """Only where a volume claim is pending: the class says whether it may be."""
    ingresses: tuple[Ingress, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    httproutes: tuple[HTTPRoute, ...] = ()
    flux: tuple[FluxObject, ...] | None = None
    """The declared kinds of Flux; None: it was not looked at."""
    flux_controllers: tuple[Deployment, ...] = ()
    """The Deployments in the namespace of Flux."""
    rollouts: tuple[Rollout, ...] = ()
    canaries: tuple[Canary, ...] = ()
    commit: str = ""
    """The commit the release was said to be, where it had to be said."""
    digest_sets: tuple[DigestSet, ...] = ()
    """What the registry says the release's tags are; none: no registry was asked."""
    gaps: tuple[Gap, ...] = ()
    excerpts: tuple[LogExcerpt, ...] = ()
    settled: Settled | None = None
    baseline: tuple[Base, ...] = ()
    """Containers that have changed since the first look, as that saw them."""
    held: Held | None = None
    """None: it was not held."""
    access: Access | None = None
    """What our identity may do; None: nobody asked."""


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _decoded(kind: Any, data: bytes) -> Any:
    """Strictly, which is fast; only what that refuses is read again, nulls dropped and numbers in strings allowed."""
    try:
        return _decoder(kind).decode(data)
    except msgspec.ValidationError:
        return msgspec.convert(without_nulls(msgspec.json.decode(data)), kind, strict=False)


def decode(kind: str, data: bytes) -> Any:
    """One object of a known kind from its JSON; msgspec.ValidationError when it is none."""
    return _decoded(KINDS[kind], data)


def decode_as(kind: type[T], data: bytes) -> T:
    """One object of a struct from its JSON; msgspec.ValidationError when it is none."""
    found: T = _decoded(kind, data)
    return found


def decode_page(item: type[T], data: bytes) -> Page[T]:
    """One page of a list from its JSON."""
    page: Page[T] = _decoded(Page[item], data)  # type: ignore[valid-type]
    return page


def read(kind: str, value: Any) -> Any:
    """One object of a known kind from parsed JSON or YAML."""
    with suppress(msgspec.ValidationError):
        return msgspec.convert(value, KINDS[kind], strict=False)
    return msgspec.convert(without_nulls(value), KINDS[kind], strict=False)
