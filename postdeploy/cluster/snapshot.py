"""One observation of a cluster: a concurrent set of LISTs, immutable, saved and loaded without loss."""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from postdeploy.cluster.client import Call, Reader, together
from postdeploy.cluster.objects import (
    ContainerStatus,
    CronJob,
    DaemonSet,
    Deployment,
    Event,
    Gap,
    Job,
    Pod,
    ReplicaSet,
    Snapshot,
    StatefulSet,
)
from postdeploy.cluster.objects_pods import ContainerState, Waiting
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
}
"""What is listed in every declared namespace, by the snapshot's field. Never secrets, config maps or a write."""


async def take(reader: Reader, environment: Environment, release: str) -> Snapshot:
    """Everything the judges need, as of now; what could not be read is in `gaps`."""
    wanted = list(itertools.product(LISTS, environment.namespaces))
    version, *lists = await together(reader.version, *(_listing(reader, name, each) for name, each in wanted))
    found: dict[str, Any] = dict.fromkeys(LISTS, ())
    for (name, _), (items, _gap) in zip(wanted, lists, strict=True):
        found[name] += items
    redactor = Redactor()
    found["events"] = tuple(_quiet_event(each, redactor) for each in found["events"])
    found["pods"] = tuple(_quiet_pod(each, redactor) for each in found["pods"])
    return Snapshot(
        environment=environment.name,
        release=release,
        taken=reader.server_time or datetime.now(UTC),
        server_version=version[0],
        gaps=tuple(gap for _, gap in (version, *lists) if gap),
        **found,
    )


def _listing(reader: Reader, name: str, namespace: str) -> Call[tuple[tuple[Any, ...], Gap | None]]:
    path, kind = LISTS[name]
    return lambda: reader.list(path.format(namespace), kind)


def _quiet_event(event: Event, redactor: Redactor) -> Event:
    """Events quote URLs and the output of probes, which may carry a credential."""
    return replace(event, message=redactor.text(event.message), note=redactor.text(event.note))


def _quiet_pod(pod: Pod, redactor: Redactor) -> Pod:
    """A container's last words are the end of its log where its terminationMessagePolicy says so."""
    if not any(_words(state) for status in pod.status.all_statuses for state in (status.state, status.last_state)):
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


def _words(state: ContainerState) -> str:
    return (state.terminated or state.waiting or Waiting()).message


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
