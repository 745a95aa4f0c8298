"""Whether anything has changed since the last look, so that settling looks again when something did.

Workloads and what delivers them are watched, from the version of their last list. Pods are not: each of their many
changes would bring a whole pod, and their owners count them. What that leaves out is seen by the look after a quiet
while.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

from postdeploy.cluster.client import Reader, Sleep
from postdeploy.cluster.delivery import GROUPS, PROGRESSIVE
from postdeploy.cluster.objects_base import Meta, Record
from postdeploy.cluster.watch import Watch

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

TELLING = frozenset(
    {
        *("deployments", "statefulsets", "daemonsets", "jobs"),
        *(plural for _, plural, _ in GROUPS.values()),
        *(plural for plural, _, _ in PROGRESSIVE.values()),
    }
)
STREAM_S = 300.0
"""How long the server is asked to keep a stream open; it is resumed where it ended."""


class Marked(Record, frozen=True):
    """An object of which only the fact of its change is of interest."""

    metadata: Meta = Meta()


class Changes:
    """Tells when something that was listed has changed; begins to watch when it is first asked."""

    def __init__(self, reader: Reader, group: TaskGroup, sleep: Sleep) -> None:
        self._reader, self._group, self._sleep = reader, group, sleep
        self._watches: list[Watch[Marked]] | None = None
        self._news = anyio.Event()

    def listed(self, _: Any) -> None:
        """A list was read anew: changes may have been missed before it."""
        self._news.set()

    changed = deleted = listed

    def forget(self) -> None:
        """Whatever has changed until now, the next look will see."""
        self._news = anyio.Event()

    async def wait(self, seconds: float) -> None:
        """Until something has changed since `forget`, so many seconds at most; at once where nothing can be watched."""
        if self._watches is None:
            self._watches = [Watch(self._reader, each, Marked, self, sleep=self._sleep) for each in self._paths()]
            for each in self._watches:
                self._group.start_soon(each.run, STREAM_S)
        if self._watches:
            with anyio.move_on_after(max(0.0, seconds if math.isfinite(seconds) else 0.0)):
                await self._news.wait()

    def _paths(self) -> list[str]:
        return sorted(each for each in self._reader.versions if each.rpartition("/")[2] in TELLING)


@asynccontextmanager
async def changes(reader: Reader, sleep: Sleep) -> AsyncIterator[Changes]:
    """Changes for as long as the block; its watches end with it, and what goes wrong in either is raised bare."""
    try:
        async with anyio.create_task_group() as group:
            yield Changes(reader, group, sleep)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
