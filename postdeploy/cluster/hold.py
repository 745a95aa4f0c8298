"""The hold: a release that is live is watched for a while, and looked at once more when it is calm at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import anyio
import msgspec
from msgspec.structs import replace

from postdeploy.cluster import excerpts, restarts
from postdeploy.cluster.client import Call, Reader, Sleep, together
from postdeploy.cluster.incidents import Tracker
from postdeploy.cluster.objects import Gap, Held, Pod, Snapshot, Workload
from postdeploy.cluster.sight import RESOURCES
from postdeploy.cluster.snapshot import LISTS, take
from postdeploy.cluster.underway import is_under_way
from postdeploy.cluster.watch import POLL_S, Watch
from postdeploy.environment import WORKLOAD_KINDS, Environment

T = TypeVar("T")

LONGER = 1.5
"""How much longer each pause between two last looks is than the one before."""


class Patience(msgspec.Struct, frozen=True):
    """How long a release is held, and how long the last look may wait for what is under way by then."""

    seconds: float
    asked: float = 0.0
    """How long it should be held: where that is longer, the run's budget has cut it short."""
    more_s: float = 0.0
    every_s: float = 2.0

    def pauses(self) -> Iterator[float]:
        """What to wait before each further look, longer each time for a look has its price: together `more_s`."""
        pause, left = self.every_s, self.more_s
        while left > 0:
            yield min(pause, left)
            left -= pause
            pause *= LONGER


async def hold(
    reader: Reader,
    environment: Environment,
    live: Snapshot,
    patience: Patience,
    say: Callable[[str], None],
    *,
    digests: Mapping[str, frozenset[str]] | None = None,
    wait: Sleep = anyio.sleep,
    sleep: Sleep = anyio.sleep,
) -> Snapshot:
    """The last look, with what happened since the release was found live; that look is what is judged."""
    began, at = time.monotonic(), live.taken

    def say_it(incident: object) -> None:
        say(f"in the hold: {incident}")

    async def watched(seconds: float) -> Snapshot:
        with anyio.CancelScope() as scope:

            async def end() -> None:
                await wait(seconds)
                scope.cancel()

            await together(*(_running(each, seconds) for each in watches), end)
        return replace(await take(reader, environment, live.release), commit=live.commit)

    tracker = Tracker(live, environment, lambda: at + timedelta(seconds=round(time.monotonic() - began, 3)), say_it)
    watches = [*watching(reader, environment, tracker, sleep)]
    again, more_s = await watched(patience.seconds), 0.0
    for pause in patience.pauses():
        if tracker.incidents() or not is_under_way(again, environment, digests):
            break
        # The tracker hears of these looks only by its watches: told of both, it would take their order for a change.
        again, more_s = await watched(pause), more_s + pause
    tracker.look(again)
    kept = replace(
        again,
        settled=live.settled,
        held=_held(patience, more_s, tracker, watches),
        baseline=restarts.changed(live.pods, again.pods, live.baseline),
        gaps=(*again.gaps, *unwatched(watches)),
    )
    return await excerpts.enrich(reader, kept, environment)


def _held(patience: Patience, more_s: float, tracker: Tracker, watches: Sequence[Watch[Any]]) -> Held:
    return Held(
        seconds=patience.seconds,
        asked=patience.asked,
        more_s=round(more_s, 3),
        incidents=tracker.incidents(),
        watched=not any(each.refused or each.blind for each in watches),
        interruptions=tuple(text for each in watches for text in each.interruptions),
    )


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
