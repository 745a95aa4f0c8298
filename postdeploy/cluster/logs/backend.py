"""Where logs are kept beside the nodes: for pods that are gone, for gaps, and for the time before the rollout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from postdeploy.cluster.answers import Look
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.patterns import PATTERNS
from postdeploy.cluster.logs.seen import SourceName
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally

MOST_STREAMS = 2_000
"""Containers that one question may be answered with."""
SUSPECTS = "|".join((*PATTERNS, r"^\s+File \"", r"^\s+at [\w$.]+\("))
"""What a backend is asked to send of the time before the rollout: whatever the scanner would hit, and frames."""


class Where(NamedTuple):
    """A container, by its names."""

    namespace: str
    pod: str
    container: str


class NoAnswer(Exception):
    """The backend did not answer, or not completely; says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when."""

    start: datetime
    end: datetime


class Backend(Protocol):
    """What keeps logs beside the nodes: Loki, Google Cloud Logging."""

    name: SourceName
    looks: list[Look]

    async def log(self, instance: Instance, span: Span) -> Tally:
        """Everything one container wrote. Raises NoAnswer."""

    async def containers(self, namespaces: tuple[str, ...], span: Span) -> set[Where]:
        """Every container that wrote something. Raises NoAnswer."""

    async def suspects(self, namespaces: tuple[str, ...], span: Span) -> dict[Where, Tally]:
        """What may have been grave, of every container. Raises NoAnswer."""


class Gather:
    """Sorts the lines of an answer by container, and feeds each to a reader of its own."""

    def __init__(self, stream: Callable[[], Stream]) -> None:
        self._stream = stream
        self._streams: dict[Where, Stream] = {}

    def add(self, where: Where, nanoseconds: int, text: str) -> None:
        """One entry; whatever lines it has, its time stands before the first, as a node would have put it."""
        stream = self._streams.get(where)
        if stream is None:
            if len(self._streams) >= MOST_STREAMS:
                raise NoAnswer(f"more than {MOST_STREAMS} containers in one answer")
            stream = self._streams[where] = self._stream()
        stream.feed(f"{stamp(nanoseconds)} {text}\n".encode("utf-8", "surrogatepass"))

    def close(self) -> dict[Where, Tally]:
        """What was counted of each."""
        return {where: stream.close() for where, stream in self._streams.items()}


def stamp(nanoseconds: int) -> str:
    """A moment as a node writes it."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def nanoseconds(at: datetime) -> int:
    """A moment in nanoseconds since 1970."""
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000
