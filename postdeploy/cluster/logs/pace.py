"""How many logs are read at once. Nothing on the server's side limits us: pods/log is not in its fair queues."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

import anyio

LEAST = 2
START = 3
"""Streams at first: they fill the wire to a server nearby, and more threads would only wait for each other."""
FAR_S = 0.01
"""A first byte that takes longer may have come a long way: more streams at once hide that."""
WAITING = 0.6
"""Share of a whole answer's time for which its first byte was waited: below, it is the bytes that take the time."""
IDLE = 0.5
"""Share of one processor that all streams together use: above, it is our work that takes the time."""
RISEN = 4.0
"""How many times the usual time to the first byte counts as a server under strain."""
STRAIN_S = 1.0
"""Below this no first byte is late."""
REMEMBERED = 50


class Pace:
    """At most so many streams to the cluster and to each node; fewer after a refusal or when answers get slow."""

    def __init__(self, most: int, per_node: int) -> None:
        self.most = most
        self._per_node = per_node
        self._cluster = anyio.CapacityLimiter(min(START, most))
        self._nodes: dict[str, anyio.CapacityLimiter] = {}
        self._first_bytes: deque[float] = deque(maxlen=REMEMBERED)
        self.at_once = 0
        self.peak = 0
        """The most streams that were open at the same time."""
        self.slowed = 0
        """How often we went easier on the server."""

    @asynccontextmanager
    async def slot(self, *nodes: str) -> AsyncIterator[None]:
        """One stream's place; first at its nodes, so that a slow one holds up only who wants something there."""
        async with AsyncExitStack() as places:
            for node in sorted(nodes):  # in one order, or two streams could each wait for a place that the other has
                await places.enter_async_context(self._node(node))
            await places.enter_async_context(self._cluster)
            self.at_once += 1
            self.peak = max(self.peak, self.at_once)
            try:
                yield
            finally:
                self.at_once -= 1

    def _node(self, node: str) -> anyio.CapacityLimiter:
        limiter = self._nodes.get(node)
        if limiter is None:
            limiter = self._nodes[node] = anyio.CapacityLimiter(self._per_node)
        return limiter

    @property
    def allowed(self) -> int:
        """How many streams may be open now."""
        return int(self._cluster.total_tokens)

    def refused(self) -> None:
        """The server said that it is too much: half as many from now on."""
        self.slowed += 1
        self._cluster.total_tokens = max(LEAST, self.allowed // 2)

    def answered(self, seconds: float, whole: float = 0.0, work: float = 0.0) -> None:
        """A first byte came after so long: late ones slow us down, those from far away let us ask for more at once.

        `whole` is how long the answer took, and `work` how much of it we worked: where we are what is slow, more at
        once would only wait for one another.
        """
        usual = median(self._first_bytes) if len(self._first_bytes) >= 5 else seconds
        is_far = seconds > max(FAR_S, WAITING * whole) and self.at_once * work <= IDLE * whole
        if seconds > STRAIN_S and seconds > RISEN * usual:
            self.refused()
        elif is_far and self.allowed < self.most:
            self._cluster.total_tokens = self.allowed + 1
        self._first_bytes.append(seconds)
