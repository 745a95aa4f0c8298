"""The narrow structs of one observation, and the observation itself: frozen, without secrets, exact through JSON."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

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
from postdeploy.cluster.objects_workloads import CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet

__all__ = [
    "FLUX_KINDS",
    "KINDS",
    "Annotations",
    "Canary",
    "Condition",
    "Container",
    "ContainerStatus",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "Endpoint",
    "EndpointSlice",
    "Event",
    "FluxObject",
    "Gap",
    "HorizontalPodAutoscaler",
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
        HorizontalPodAutoscaler,
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
    gaps: tuple[Gap, ...] = ()
    excerpts: tuple[LogExcerpt, ...] = ()
    settled: Settled | None = None


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


def decode_page(item: type[T], data: bytes) -> Page[T]:
    """One page of a list from its JSON."""
    page: Page[T] = _decoded(Page[item], data)  # type: ignore[valid-type]
    return page


def read(kind: str, value: Any) -> Any:
    """One object of a known kind from parsed JSON or YAML."""
    with suppress(msgspec.ValidationError):
        return msgspec.convert(value, KINDS[kind], strict=False)
    return msgspec.convert(without_nulls(value), KINDS[kind], strict=False)
