"""Where to look: the one most useful pod of a failure, its last warnings and its last log lines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from postdeploy.cluster import pods
from postdeploy.cluster.doom import describe
from postdeploy.cluster.objects import Event, LogExcerpt, Pod, Snapshot
from postdeploy.cluster.ruling import gravity
from postdeploy.environment import Suppression
from postdeploy.verdict import State

LAST_EVENTS = 3
LAST_LINES = 10
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Diagnosis:
    """Events by the uid of what they are about, log excerpts by pod; indexed once."""

    def __init__(self, snapshot: Snapshot, suppressions: Iterable[Suppression] = ()) -> None:
        self._taken = snapshot.taken
        self._unread = {each.namespace for each in snapshot.gaps if each.resource == "events"}
        self._events: dict[str, list[Event]] = defaultdict(list)
        for event in snapshot.events:
            if event.type == "Warning" and not any(suppresses(each, event, snapshot.taken) for each in suppressions):
                self._events[event.about.uid].append(event)
        self._logs: dict[tuple[str, str], list[LogExcerpt]] = defaultdict(list)
        for excerpt in snapshot.excerpts:
            self._logs[excerpt.namespace, excerpt.pod].append(excerpt)

    def most_useful(self, candidates: Iterable[Pod]) -> Pod | None:
        """The pod that says most of a trouble: one that failed, else one that is not ready; none where all are well."""
        return most_useful(candidates, self._taken)

    def where(self, uids: Iterable[str], namespace: str, what: str, pod: Pod | None = None) -> str:
        """Object and field, the most useful pod, warnings about all of them, the pod's last log lines."""
        lines = [what, *(line for uid in uids for line in self.warnings(uid))]
        if pod is not None:
            lines += [_pod_line(pod), *self.warnings(pod.metadata.uid), *self._log(pod)]
        if self._unread & {"", namespace}:
            lines.append("events could not be read, so there may be warnings that are not shown here")
        return "\n".join(lines)

    def warnings(self, uid: str) -> list[str]:
        """The last warnings about one object, newest first."""
        if not uid:
            return []
        found = sorted(self._events.get(uid, ()), key=lambda each: each.last_seen or LONG_AGO, reverse=True)
        return [
            f"event {each.reason}" + (f" {each.times} times" if each.times > 1 else "") + f": {each.text.strip()}"
            for each in found[:LAST_EVENTS]
        ]

    def _log(self, pod: Pod) -> list[str]:
        lines: list[str] = []
        for excerpt in self._logs.get((pod.metadata.namespace, pod.metadata.name), ()):
            if excerpt.lines:
                lines.append(f"log of {excerpt.container}{', previous instance' if excerpt.previous else ''}:")
                lines += [f"  {line}" for line in excerpt.lines[-LAST_LINES:]]
        return lines


def suppresses(accepted: Suppression, event: Event, taken: datetime) -> bool:
    """Whether somebody accepted this warning for now; expired acceptances count no more."""
    if accepted.is_expired(taken.date()) or accepted.event != event.reason:
        return False
    if accepted.component is not None and not event.about.name.startswith(accepted.component):
        return False
    return re.search(accepted.message, event.text) is not None


def most_useful(candidates: Iterable[Pod], now: datetime) -> Pod | None:
    """The gravest pod that is failed, pending or unknown; of equals the one that restarted most."""
    troubled = []
    for pod in candidates:
        ruling = pods.pod(pod, now=now)
        if ruling.state in (State.FAILED, State.PENDING, State.UNVERIFIED):
            restarts = sum(each.restart_count for each in pod.status.all_statuses)
            troubled.append((gravity(ruling), -restarts, pod.metadata.name, pod))
    return min(troubled, key=lambda each: each[:3])[3] if troubled else None


def _pod_line(pod: Pod) -> str:
    head = f"pod {pod.metadata.namespace}/{pod.metadata.name}"
    head += f" on node {pod.spec.node_name}" if pod.spec.node_name else ""
    unwell = [each for each in pod.status.all_statuses if not each.ready and not _is_done(pod, each.name)]
    state = "; ".join(describe(each) for each in unwell) or f"phase {pod.status.phase or 'unknown'}"
    return f"{head}: {state}"


def _is_done(pod: Pod, name: str) -> bool:
    for each in pod.status.init_container_statuses:
        if each.name == name and each.state.terminated:
            return each.state.terminated.exit_code == 0
    return False
