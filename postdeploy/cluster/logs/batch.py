"""Logs that are read one after another in one stream: what a stream, a thread or a process costs is paid once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from postdeploy.cluster.logs.split import Split, Told
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.wire import Ask, Got, Wire
from postdeploy.cluster.logs.workers import Workers, worth

MOST = 16
"""Logs in one."""
SHARE = 8
"""Of what is left so many parts are made, so that the last of them end together."""
WORTH = 64
"""Logs, from which on it pays to copy this process: that takes as long as reading some of them."""


@dataclass(frozen=True, slots=True)
class Part:
    """One log of a batch."""

    path: str
    is_old: bool
    """Whether what was written before the rollout is wanted too."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be read, and how."""

    parts: tuple[Part, ...]
    headers: Mapping[str, str]
    limit_s: float
    """For each."""

    @property
    def longest_s(self) -> float:
        """What reading them cannot take, however slow their server is: whoever does is stuck."""
        return 2 * self.limit_s * len(self.parts)


Answers: TypeAlias = list[tuple[Got, Told]]
"""Of as many as could be read in one stream."""
Crew: TypeAlias = Workers[Batch, Answers]


@dataclass(frozen=True, slots=True)
class Batches:
    """Reads batches, in other processes where there are some."""

    wire: Wire
    stream: Callable[[], Stream]
    """Makes the reader of one log."""
    start: datetime
    """Of the rollout."""
    crew: Crew | None = None

    def crewed(self, logs: int) -> Batches:
        """The same with other processes, where so many logs are worth them."""
        count = worth() if logs >= WORTH else 0
        there = Batches(self.wire.anew(), self.stream, self.start)
        return Batches(self.wire, self.stream, self.start, Workers(there.here, count)) if count else self

    async def read(self, batch: Batch) -> Answers:
        """In another process, or in a thread where none is free."""
        if self.crew is not None and (found := await self.crew.ask(batch, batch.longest_s)) is not None:
            return found
        splits = [self._split(each) for each in batch.parts]
        got = await self.wire.read_all(_asked(batch, splits), batch.headers, batch.limit_s, batch.limit_s / 4)
        return _told(got, splits)

    def here(self, batch: Batch) -> Answers:
        """In this thread."""
        splits = [self._split(each) for each in batch.parts]
        got = self.wire.read_here(_asked(batch, splits), batch.headers, batch.limit_s, batch.limit_s / 4)
        return _told(got, splits)

    def close(self) -> None:
        """End connections and processes."""
        if self.crew is not None:
            self.crew.close()
        self.wire.close()

    def _split(self, part: Part) -> Split:
        return Split(self.stream(), self.stream() if part.is_old else None, self.start)


def sizes(logs: int) -> Iterator[int]:
    """How many go into each batch."""
    while logs > 0:
        yield (size := max(1, min(MOST, logs // SHARE)))
        logs -= size


def _asked(batch: Batch, splits: list[Split]) -> list[Ask]:
    return [Ask(part.path, split) for part, split in zip(batch.parts, splits, strict=True)]


def _told(got: list[Got], splits: list[Split]) -> Answers:
    return [(each, split.close()) for each, split in zip(got, splits, strict=False)]
