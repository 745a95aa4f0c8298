"""One observation of a cluster: a concurrent set of LISTs, immutable, saved and loaded without loss."""

from __future__ import annotations

import gc
import gzip
import itertools
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from postdeploy.cluster.client import Call, Reader, together
from postdeploy.cluster.delivery import delivery
from postdeploy.cluster.objects import (
    ContainerStatus,
    CronJob,
    DaemonSet,
    Deployment,
    EndpointSlice,
    Event,
    Gap,
    Gateway,
    HorizontalPodAutoscaler,
    HTTPRoute,
    Ingress,
    Job,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    ReplicaSet,
    Service,
    Snapshot,
    StatefulSet,
    StorageClass,
)
from postdeploy.cluster.objects_pods import ContainerState
from postdeploy.environment import Environment
from postdeploy.redact import Redactor
from postdeploy.verdict import Unverified

LISTS: Mapping[str, tuple[str, type[Any]]] = {
    "deployments": ("/apis/apps/v1/namespaces/{}/deployments", Deployment),
    "statefulsets": ("/apis/apps/v1/namespaces/{}/statefulsets", StatefulSet),
    "daemonsets": ("/apis/apps/v1/namespaces/{}/daemonsets", DaemonSet),
    "replicasets": ("/apis/apps/v1/namespaces/{}/replicasets", ReplicaSet),
    "pods": ("/api/v1/namespaces/{}/pods", Pod),
    "jobs": ("/apis/batch/v1/namespaces/{}/jobs", Job),
    "cronjobs": ("/apis/batch/v1/namespaces/{}/cronjobs", CronJob),
    "events": ("/api/v1/namespaces/{}/events?fieldSelector=type%3DWarning", Event),
    "job_events": ("/api/v1/namespaces/{}/events?fieldSelector=involvedObject.kind%3DJob", Event),
    "services": ("/api/v1/namespaces/{}/services", Service),
    "endpointslices": ("/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", EndpointSlice),
    "horizontalpodautoscalers": (
        "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
        HorizontalPodAutoscaler,
    ),
    "poddisruptionbudgets": ("/apis/policy/v1/namespaces/{}/poddisruptionbudgets", PodDisruptionBudget),
    "persistentvolumeclaims": ("/api/v1/namespaces/{}/persistentvolumeclaims", PersistentVolumeClaim),
    "ingresses": ("/apis/networking.k8s.io/v1/namespaces/{}/ingresses", Ingress),
}
"""What is listed in every declared namespace, by the snapshot's field. Never secrets, config maps or a write."""
GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/{}/"
WHERE_DECLARED: Mapping[str, tuple[str, type[Any]]] = {
    "gateways": (GATEWAY + "gateways", Gateway),
    "httproutes": (GATEWAY + "httproutes", HTTPRoute),
}
"""What is listed only where a component is reached through a Gateway: many clusters serve no such group."""
NODES_IN = "default"
"""Where the kubelet and its kin write events about nodes."""
ABOUT_NODES: Mapping[str, tuple[str, type[Any]]] = {
    "node_events": ("/api/v1/namespaces/{}/events?fieldSelector=involvedObject.kind%3DNode,type%3DWarning", Event),
}
"""What is listed once: nodes belong to no namespace of the product."""
EVERY = {**LISTS, **WHERE_DECLARED, **ABOUT_NODES}
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
LARGE = 8 << 20
"""Bytes, more than a page of pods has; what is larger still goes back to the system, and a run stays as small."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Tens of thousands of new objects without one cycle: a collector would walk over all of them for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def keep_what_is_freed() -> None:
    """From now on the allocator serves buffers of up to `LARGE` from memory that it keeps, where it is glibc's.

    `asyncio` asks for 256 KiB for each TLS record of 16. By default each of these is mapped by the kernel, faulted in
    page by page and unmapped again; a larger block that is freed teaches it otherwise (mallopt(3), M_MMAP_THRESHOLD:
    the threshold is dynamic). The block itself is never touched, and takes no memory.
    """
    bytes(LARGE)


async def take(reader: Reader, environment: Environment, release: str) -> Snapshot:
    """Everything the judges need, as of now; what could not be read is in `gaps`."""
    keep_what_is_freed()
    with uncollected():
        return await _take(reader, environment, release)


async def _take(reader: Reader, environment: Environment, release: str) -> Snapshot:
    wanted = wanted_lists(environment)
    version, delivered, *lists = await together(
        reader.version,
        lambda: delivery(reader, environment),
        *(_listing(reader, name, each) for name, each in wanted),
    )
    found: dict[str, Any] = dict.fromkeys(EVERY, ())
    for (name, _), (items, _gap) in zip(wanted, lists, strict=True):
        found[name] += items
    found["storageclasses"], unread = await _classes(reader, found["persistentvolumeclaims"])
    redactor = Redactor()
    for name in ("events", "job_events", "node_events"):
        found[name] = tuple(_quiet_event(each, redactor) for each in found[name])
    found["pods"] = tuple(_quiet_pod(each, redactor) for each in found["pods"])
    return Snapshot(
        environment=environment.name,
        release=release,
        taken=reader.server_time or datetime.now(UTC),
        server_version=version[0],
        gaps=(*(gap for _, gap in (version, *lists, ((), unread)) if gap), *delivered.gaps),
        **found,
        **delivered.fields,
    )


def wanted_lists(environment: Environment) -> list[tuple[str, str]]:
    """What is listed for an environment, and in which namespace."""
    through = {each.namespace for each in environment.components.values() if each.public == "gateway"}
    everywhere, behind_gateways = (
        itertools.product(LISTS, environment.namespaces),
        itertools.product(WHERE_DECLARED, sorted(through)),
    )
    return [*everywhere, *behind_gateways, *((name, NODES_IN) for name in ABOUT_NODES)]


async def _classes(
    reader: Reader, claims: tuple[PersistentVolumeClaim, ...]
) -> tuple[tuple[StorageClass, ...], Gap | None]:
    """The storage classes, where a pending claim depends on what its class says."""
    if all(each.status.phase != "Pending" for each in claims):
        return (), None
    return await reader.list(CLASSES, StorageClass)


def _listing(reader: Reader, name: str, namespace: str) -> Call[tuple[tuple[Any, ...], Gap | None]]:
    path, kind = EVERY[name]
    return lambda: reader.list(path.format(namespace), kind)


def _quiet_event(event: Event, redactor: Redactor) -> Event:
    """Events quote URLs and the output of probes, which may carry a credential."""
    message, note = event.message and redactor.text(event.message), event.note and redactor.text(event.note)
    return event if (message, note) == (event.message, event.note) else replace(event, message=message, note=note)


def _quiet_pod(pod: Pod, redactor: Redactor) -> Pod:
    """A container's last words are the end of its log where its terminationMessagePolicy says so."""
    if not _has_words(pod):
        return pod

    def quiet(statuses: tuple[ContainerStatus, ...]) -> tuple[ContainerStatus, ...]:
        return tuple(
            replace(each, state=_quiet_state(each.state, redactor), last_state=_quiet_state(each.last_state, redactor))
            for each in statuses
        )

    status = replace(
        pod.status,
        container_statuses=quiet(pod.status.container_statuses),
        init_container_statuses=quiet(pod.status.init_container_statuses),
    )
    return replace(pod, status=status)


def _has_words(pod: Pod) -> bool:
    for each in pod.status.all_statuses:  # a loop, for this is asked of every pod there is
        said, last = each.state.terminated or each.state.waiting, each.last_state.terminated
        if (said and said.message) or (last and last.message):
            return True
    return False


def _quiet_state(state: ContainerState, redactor: Redactor) -> ContainerState:
    terminated, waiting = state.terminated, state.waiting
    return replace(
        state,
        terminated=terminated and replace(terminated, message=redactor.text(terminated.message)),
        waiting=waiting and replace(waiting, message=redactor.text(waiting.message)),
    )


def save(snapshot: Snapshot) -> bytes:
    """The snapshot as compressed JSON; the same snapshot always gives the same bytes."""
    return gzip.compress(msgspec.json.encode(snapshot), mtime=0)


def load(saved: bytes) -> Snapshot:
    """Exactly the snapshot that was saved, or Unverified where the file was damaged."""
    try:
        return msgspec.json.decode(gzip.decompress(saved), type=Snapshot)
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise Unverified(f"the saved observation of the cluster cannot be read: {error}") from error
