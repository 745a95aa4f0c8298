"""Which logs are to be read: every instance of every declared container that ran since the rollout began, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from postdeploy.cluster.jobs import is_on, jobs_named
from postdeploy.cluster.logs.seen import Blind, Bucket
from postdeploy.cluster.logs.window import Window
from postdeploy.cluster.objects import ContainerStatus, CronJob, Pod, PodTemplate, Terminated, Workload
from postdeploy.cluster.ruling import Ruling
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import WORKLOAD_KINDS, Component

LOST_REASONS = frozenset({"Evicted", "Terminated", "NodeShutdown", "NodeLost", "Preempting", "OutOfcpu", "OutOfmemory"})
"""Why a pod has failed with its node, and its logs with it: its owner made another."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One life of one container."""

    component: str
    namespace: str
    pod: str
    node: str
    container: str
    bucket: Bucket
    previous: bool = False
    container_id: str = ""
    born: datetime | None = None
    """When it started, if that is within the window: its log must begin then."""
    is_old: bool = False
    """Whether it started before the window: only what it wrote since is asked for, and the time before with it."""
    is_lost: bool = False
    """Whether it went with its node: that its log cannot be read is no news."""
    gaps: tuple[str, ...] = ()
    """What is known beforehand not to be readable."""
    is_absent: bool = False
    """Whether there is nothing to read: it has not started."""

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.pod}/{self.container}{' (previous instance)' if self.previous else ''}"


def instances(sight: Sight, window: Window, sidecars: Iterable[str]) -> tuple[list[Instance], list[Blind]]:
    """Every instance to be read, and the components of which we could not even see what runs."""
    found: dict[tuple[str, str, str, str, bool], Instance] = {}
    blind = []
    wanted = frozenset(sidecars)
    for component in sight.environment.components.values():
        needs = ("pods", RESOURCES[component.kind], *(("replicasets",) if component.kind == "Deployment" else ()))
        if gap := sight.gap(component.namespace, needs):
            blind.append(Blind(component.name, gap.seen))
        for pod, template, bucket in _pods(sight, component, window):
            names = {each.name for each in template.spec.all_containers} | wanted
            for each in _of_pod(component, pod, names, bucket, window):
                key = (each.namespace, each.pod, each.container, each.container_id, each.previous)
                found.setdefault(key, each)
    return list(found.values()), blind


def _pods(sight: Sight, component: Component, window: Window) -> Iterator[tuple[Pod, PodTemplate, Bucket]]:
    if component.kind in WORKLOAD_KINDS:
        seen = sight.find(component)
        if not isinstance(seen, Ruling):
            workload = cast("Workload", seen)
            for pod in sight.family.current(workload):
                yield pod, workload.spec.template, "release"
            for pod in sight.family.old(workload):
                yield pod, workload.spec.template, "old"
        return
    if component.kind == "Job":
        jobs = [each for each in jobs_named(sight, component) if is_on(sight, component, each.spec.template)]
    else:
        owner = sight.find(component)
        jobs = sight.family.jobs_of(owner) if isinstance(owner, CronJob) else []
        jobs = [each for each in jobs if (each.metadata.creation_timestamp or window.end) >= window.start]
    for job in jobs:
        bucket: Bucket = "release" if is_on(sight, component, job.spec.template) else "old"
        for pod in sight.family.pods_of(job):
            yield pod, job.spec.template, bucket


def _of_pod(
    component: Component, pod: Pod, names: frozenset[str] | set[str], bucket: Bucket, window: Window
) -> Iterator[Instance]:
    statuses = {each.name: each for each in pod.status.all_statuses}
    lost = pod.status.phase == "Failed" and (pod.status.reason in LOST_REASONS or _disrupted(pod))
    if lost and not statuses:
        return  # an eviction leaves nothing behind that could be asked
    for container in pod.spec.all_containers:
        if container.name not in names:
            continue  # injected: not of the release, and not declared
        about = Instance(
            component.name, pod.metadata.namespace, pod.metadata.name, pod.spec.node_name, container.name, bucket
        )
        status = statuses.get(container.name)
        if status is None:
            yield _absent(about, "the pod says nothing of it (no container status)")
        else:
            yield from _lives(about, pod, status, window, is_lost=lost)


def _disrupted(pod: Pod) -> bool:
    found = pod.condition("DisruptionTarget")
    return found is not None and found.is_true


def _lives(about: Instance, pod: Pod, status: ContainerStatus, window: Window, *, is_lost: bool) -> Iterator[Instance]:
    """The present instance and, where it was restarted, the one before; while it waits to be restarted they are one."""
    last = status.last_state.terminated
    state = status.state
    if state.running is None and state.terminated is None and last is None:
        reason = state.waiting.reason if state.waiting else "no state"
        yield _absent(about, f"it has not started: {reason or 'waiting'}")
        return
    present = state.terminated or (last if state.running is None else None)
    started = present.started_at if present else state.running.started_at if state.running else None
    container_id = (present.container_id if present else "") or status.container_id
    if present is not None and not _ended_within(present, window):
        return  # it was over before the rollout
    earlier = _unkept(pod, status, window)
    yield _instance(about, started, window, container_id, previous=False, is_lost=is_lost, gaps=earlier)
    if state.waiting is None and last and _ended_within(last, window) and last.container_id != container_id:
        yield _instance(about, last.started_at, window, last.container_id, previous=True, is_lost=is_lost)


def _instance(
    about: Instance,
    started: datetime | None,
    window: Window,
    container_id: str,
    *,
    previous: bool,
    is_lost: bool,
    gaps: tuple[str, ...] = (),
) -> Instance:
    within = started is not None and started >= window.start
    return Instance(
        about.component,
        about.namespace,
        about.pod,
        about.node,
        about.container,
        about.bucket,
        previous,
        container_id,
        started if within else None,
        not within,
        is_lost,
        gaps,
    )


def _absent(about: Instance, reason: str) -> Instance:
    return Instance(
        about.component,
        about.namespace,
        about.pod,
        about.node,
        about.container,
        about.bucket,
        gaps=(reason,),
        is_absent=True,
    )


def _ended_within(over: Terminated, window: Window) -> bool:
    return over.finished_at is None or over.finished_at >= window.start


def _unkept(pod: Pod, status: ContainerStatus, window: Window) -> tuple[str, ...]:
    """A node keeps one dead instance; of a pod born since the rollout it is known how many there were."""
    born = pod.metadata.creation_timestamp
    both = status.state.waiting is None and status.last_state.terminated is not None
    unkept = status.restart_count - (1 if both else 0)
    if born is None or born < window.start or unkept <= 0:
        return ()
    return (f"{unkept} earlier instances (restartCount {status.restart_count}): a node keeps only the last one's log",)
