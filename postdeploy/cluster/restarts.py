"""Restarts and ends for want of memory, told from container statuses: what is old, what start-up excuses, what is not.

restartCount alone does not tell: it begins at 0 again with a node, and counts what happened long before the release.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from postdeploy.cluster.objects import Base, ContainerStatus, Pod, Terminated

START_UP = timedelta(minutes=5)
"""How long a container's first life may last for its end to count as a failed start."""
KILLED = 137
"""128 + SIGKILL: all that a killed child, or a node's own killer, leaves behind."""

Key = tuple[str, str]
"""A pod's uid and a container's name."""


def record(pod: Pod, status: ContainerStatus) -> Base:
    """A container as the baseline keeps it."""
    return Base(
        pod.metadata.uid, status.name, status.container_id, started(status), status.restart_count, is_ready(pod)
    )


def is_ready(pod: Pod) -> bool:
    """Whether the pod says Ready."""
    ready = pod.condition("Ready")
    return ready is not None and ready.is_true


def fell(before: Pod, now: Pod) -> str:
    """Why a pod that was ready is no longer so, or was not for a while between the two."""
    was, ready = before.condition("Ready"), now.condition("Ready")
    if not (was and was.is_true and ready):
        return ""
    if not ready.is_true:
        return str(ready)
    since, first = ready.last_transition_time, was.last_transition_time
    if since and first and since > first:
        return f"it was not ready for a while: Ready again since {since:%H:%M:%SZ}"
    return ""


def started(status: ContainerStatus) -> datetime | None:
    """When the container's present life began, or its last one where it has none."""
    for state in (status.state, status.last_state):
        if state.running:
            return state.running.started_at
        if state.terminated:
            return state.terminated.started_at
    return None


def between(before: Base, now: ContainerStatus) -> int:
    """How often the container was started again since; one that had never run merely started."""
    more = now.restart_count - before.restarts
    if more > 0:
        return more
    if more < 0:  # the node was restarted, and its kubelet counts anew
        return max(1, now.restart_count)
    began = started(now)
    other = bool(before.container_id and now.container_id and before.container_id != now.container_id)
    later = bool(before.started_at and began and began > before.started_at)
    return 1 if other or later else 0


def changed(before: Iterable[Pod], now: Iterable[Pod], known: Iterable[Base] = ()) -> tuple[Base, ...]:
    """The baseline, as narrow as it can be: containers that are not what they were at the first look.

    `known` is the baseline of `before` itself, where the first look was still earlier.
    """
    first = {(each.uid, each.container): each for each in known}
    for pod in before:
        for status in pod.status.all_statuses:
            first.setdefault((pod.metadata.uid, status.name), record(pod, status))
    return tuple(
        base
        for pod in now
        for status in pod.status.all_statuses
        if (base := first.get((pod.metadata.uid, status.name))) and _differs(base, status)
    )


def _differs(base: Base, status: ContainerStatus) -> bool:
    return (base.restarts, base.container_id, base.started_at) != (
        status.restart_count,
        status.container_id,
        started(status),
    )


class Window(msgspec.Struct, frozen=True):
    """What counts as `since the rollout` for one workload."""

    since: datetime | None
    """When the release began to roll out; None: at the first look."""
    own: bool
    """Whether the workload itself is part of the release: all its current pods were born in the window."""
    complete: datetime | None = None
    """When its controller said that the rollout was complete."""

    def covers(self, moment: datetime | None) -> bool:
        """Whether something happened since the rollout began."""
        return self.own or bool(self.since and moment and moment >= self.since)


class Count(msgspec.Struct, frozen=True):
    """The restarts of one container since the rollout began."""

    pod: Pod
    status: ContainerStatus
    times: int
    excused: bool
    """Whether it is the one failed start that is tolerated."""


def counts(pods: Iterable[Pod], window: Window, baseline: Mapping[Key, Base]) -> Iterator[Count]:
    """Every container that restarted since the rollout began."""
    for pod in pods:
        new, since = window.covers(pod.metadata.creation_timestamp), _ready_since(pod)
        for status in pod.status.all_statuses:
            base = baseline.get((pod.metadata.uid, status.name)) if baseline else None
            outlived = _outlived_its_start(status, since)
            if times := _times(status, window, base, new=new, outlived=outlived):
                excused = times == 1 and not outlived and _is_start_up(pod, status, window, base)
                yield Count(pod, status, times, excused)


def _times(status: ContainerStatus, window: Window, base: Base | None, *, new: bool, outlived: bool) -> int:
    seen = between(base, status) if base else 0
    if new:
        return (base.restarts if base else status.restart_count) + seen or int(outlived)
    began = base.started_at if base else started(status)
    return seen + int(window.covers(began))


def _ready_since(pod: Pod) -> datetime | None:
    """Since when the pod has been Ready; None: it is not."""
    ready = pod.condition("Ready")
    return ready.last_transition_time if ready and ready.is_true else None


def _outlived_its_start(status: ContainerStatus, ready_since: datetime | None) -> bool:
    """Whether it began to run after its pod had become ready, although its counter says 0."""
    began = status.state.running and status.state.running.started_at
    return bool(began and ready_since and began > ready_since)


def _is_start_up(pod: Pod, status: ContainerStatus, window: Window, base: Base | None) -> bool:
    """Whether a container's only restart was a start that failed before its pod had ever been ready."""
    if base is not None and base.ready and between(base, status):
        return False
    last = status.last_state.terminated or status.state.terminated
    at = (last.finished_at if last else None) or started(status)
    born = pod.metadata.creation_timestamp
    if at is None or born is None:
        return True
    if window.complete and born <= window.complete < at:
        return False
    began = (last.started_at if last else None) or pod.status.start_time or born
    return at - began <= START_UP


def killed(pods: Iterable[Pod], window: Window, baseline: Mapping[Key, Base]) -> Iterator[tuple[Pod, ContainerStatus]]:
    """Every container whose latest end on record was for want of memory, or as if, since the rollout began."""
    for pod in pods:
        for status in pod.status.all_statuses:
            now, last = status.state.terminated, status.last_state.terminated
            if not now and not last:
                continue
            ends = [end for end in (now, last) if end and _is_killed(end)]
            new = (pod.metadata.uid, status.name) in baseline
            if any(new or _is_recent(pod, each, window) for each in ends):
                yield pod, status


def _is_killed(end: Terminated) -> bool:
    return end.reason == "OOMKilled" or end.exit_code == KILLED


def _is_recent(pod: Pod, end: Terminated, window: Window) -> bool:
    return window.covers(pod.metadata.creation_timestamp) or window.covers(end.finished_at)
