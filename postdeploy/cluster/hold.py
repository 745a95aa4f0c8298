"""The hold: a release that is live is watched for a while, and looked at once more at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import anyio
from msgspec.structs import replace

from postdeploy.cluster import excerpts, restarts
from postdeploy.cluster.client import Call, Reader, Sleep, together
from postdeploy.cluster.incidents import Tracker
from postdeploy.cluster.objects import Gap, Held, Pod, Snapshot, Workload
from postdeploy.cluster.sight import RESOURCES
from postdeploy.cluster.snapshot import LISTS, take
from postdeploy.cluster.watch import POLL_S, Watch
from postdeploy.environment import WORKLOAD_KINDS, Environment

T = TypeVar("T")


async def hold(
    reader: Reader,
    environment: Environment,
    live: Snapshot,
    seconds: float,
    say: Callable[[str], None],
    *,
    wait: Sleep = anyio.sleep,
    sleep: Sleep = anyio.sleep,
) -> Snapshot:
    """The last look, with what happened since the release was found live; that look is what is judged."""
    began, at = time.monotonic(), live.taken

    def say_it(incident: object) -> None:
        say(f"in the hold: {incident}")

    tracker = Tracker(live, environment, lambda: at + timedelta(seconds=round(time.monotonic() - began, 3)), say_it)
    watches = [*watching(reader, environment, tracker, sleep)]
    with anyio.CancelScope() as scope:

        async def end() -> None:
            await wait(seconds)
            scope.cancel()

        await together(*(_running(each, seconds) for each in watches), end)
    again = await take(reader, environment, live.release)
    tracker.look(again)
    held = Held(
        seconds=seconds,
        incidents=tracker.incidents(),
        watched=not any(each.refused or each.blind for each in watches),
        interruptions=tuple(text for each in watches for text in each.interruptions),
    )
    kept = replace(
        again,
        settled=live.settled,
        held=held,
        baseline=restarts.changed(live.pods, again.pods, live.baseline),
        gaps=(*again.gaps, *unwatched(watches)),
    )
    return await excerpts.enrich(reader, kept, environment)


def watching(reader: Reader, environment: Environment, tracker: Tracker, sleep: Sleep) -> Iterator[Watch[Any]]:
    """A watch over the pods of every declared namespace, and one over each kind of workload declared in it."""
    declared = {(each.kind, each.namespace) for each in environment.components.values()}
    for namespace in environment.namespaces:
        yield _watch(reader, "pods", namespace, Pods(tracker, namespace), sleep)
        for kind in WORKLOAD_KINDS:
            if (kind, namespace) in declared:
                yield _watch(reader, RESOURCES[kind], namespace, Workloads(tracker, kind, namespace), sleep)


def _watch(reader: Reader, resource: str, namespace: str, listener: Any, sleep: Sleep) -> Watch[Any]:
    path, kind = LISTS[resource]
    return Watch(reader, path.format(namespace), kind, listener, sleep=sleep)


def _running(watch: Watch[Any], seconds: float) -> Call[None]:
    return partial(watch.run, seconds)


def unwatched(watches: Iterable[Watch[Any]]) -> Iterator[Gap]:
    """What a reader should know of watches that saw nothing: they name no list, so no claim depends on them."""
    blind: dict[str, list[Watch[Any]]] = {}
    for each in watches:
        if each.refused or each.blind:
            blind.setdefault(each.path.split("/")[-2], []).append(each)
    for namespace, here in blind.items():
        named = ", ".join(each.path.rpartition("/")[2] for each in here)
        refused = f"{here[0].refused}; lists were compared every {POLL_S:g} s instead"
        yield Gap(f"watch of {named}", namespace, refused if here[0].refused else here[0].blind)


class Pods:
    """Tells the tracker of the pods of one namespace."""

    def __init__(self, tracker: Tracker, namespace: str) -> None:
        self.tracker, self.namespace = tracker, namespace
        self.changed, self.deleted = tracker.pod, tracker.pod_deleted

    def listed(self, items: tuple[Pod, ...]) -> None:
        """These are all of them."""
        self.tracker.all_pods(self.namespace, items)


class Workloads:
    """Tells the tracker of one kind of workload in one namespace."""

    def __init__(self, tracker: Tracker, kind: str, namespace: str) -> None:
        self.tracker, self.kind, self.namespace = tracker, kind, namespace
        self.changed, self.deleted = tracker.workload, tracker.workload_deleted

    def listed(self, items: tuple[Workload, ...]) -> None:
        """These are all of them."""
        self.tracker.all_workloads(self.kind, self.namespace, items)
