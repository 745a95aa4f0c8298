"""The last log lines of the pods worth reading, redacted: what a failure message quotes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import msgspec

from postdeploy.cluster.answers import gap_of
from postdeploy.cluster.claims import most_useful_pods
from postdeploy.cluster.client import Call, Reader, together
from postdeploy.cluster.objects import ContainerStatus, Gap, LogExcerpt, Pod, Snapshot
from postdeploy.cluster.stability import unsteady_pods
from postdeploy.environment import Environment
from postdeploy.redact import Redactor

TAIL_LINES = 25
LIMIT_BYTES = 64 * 1024
LONGEST_LINE = 2_000
MOST_CONTAINERS = 3
REFUSALS = ("unable to retrieve container logs", "failed to try resolving symlinks")
"""What a kubelet writes into a 200 in place of a log (kubernetes#98236)."""


async def enrich(reader: Reader, snapshot: Snapshot, environment: Environment) -> Snapshot:
    """The snapshot with log excerpts of its most useful pods; a log that cannot be read is a gap, not an empty log."""
    redactor = Redactor()
    wanted = [
        (pod, container, previous)
        for pod in worth_reading(snapshot, environment)
        for container, previous in instances(pod)
    ]
    found = await together(*(_reading(reader, redactor, *each) for each in wanted))
    return msgspec.structs.replace(
        snapshot,
        excerpts=(*snapshot.excerpts, *(each for each in found if isinstance(each, LogExcerpt))),
        gaps=(*snapshot.gaps, *(each for each in found if isinstance(each, Gap))),
    )


def worth_reading(snapshot: Snapshot, environment: Environment) -> tuple[Pod, ...]:
    """The pods in trouble, and those that were and are well again."""
    pods = (*most_useful_pods(snapshot, environment), *unsteady_pods(snapshot, environment))
    return tuple({each.metadata.uid: each for each in pods}.values())


def instances(pod: Pod) -> Iterator[tuple[str, bool]]:
    """The containers worth reading and whether to read their previous instance; one that never ran has no log."""
    statuses = [each for each in pod.status.all_statuses if _has_run(each)]
    troubled = [each for each in statuses if each.restart_count or not each.ready]
    for status in (troubled or statuses)[:MOST_CONTAINERS]:
        yield status.name, False
        # Waiting to be started again, the plain request already answers with the instance that died.
        if status.restart_count and not status.state.waiting:
            yield status.name, True


def _has_run(status: ContainerStatus) -> bool:
    return bool(status.state.running or status.state.terminated or status.last_state.terminated)


def _reading(reader: Reader, redactor: Redactor, pod: Pod, container: str, previous: bool) -> Call[LogExcerpt | Gap]:
    return lambda: _read(reader, redactor, pod, container, previous)


async def _read(reader: Reader, redactor: Redactor, pod: Pod, container: str, previous: bool) -> LogExcerpt | Gap:
    namespace, name = pod.metadata.namespace, pod.metadata.name
    query = {"container": container, "tailLines": TAIL_LINES, "limitBytes": LIMIT_BYTES}
    if previous:
        query["previous"] = "true"
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/log?{urlencode(query)}"
    answer = await reader.fetch(path)
    text = answer.body.decode(errors="replace")
    reason = answer.reason or (text.strip() if text.startswith(REFUSALS) else "")
    if reason:
        which = f"{name}, container {container}{', previous instance' if previous else ''}"
        return gap_of(path, redactor.text(f"{which}: {reason}"))
    lines = redactor.text(text).splitlines()[-TAIL_LINES:]
    return LogExcerpt(namespace, name, container, previous, tuple(each[:LONGEST_LINE] for each in lines))
