"""One log, two windows: what was written before the rollout goes to one reader, what was written since to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from postdeploy.cluster.logs.lines import STAMP
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally

HEAD = 256
"""Bytes of the beginning that are kept, to see whether it is a log at all."""


@dataclass(slots=True)
class Told:
    """What one log came to."""

    tally: Tally
    before: Tally | None = None
    """What was written before the boundary, where that was asked for."""
    size: int = 0
    first: bytes = b""
    kept: bytes | None = None
    """Everything, where it is to be kept."""


class Split:
    """Feeds two streams; lines are in the order of their times, so that one boundary is looked for."""

    def __init__(self, since: Stream, before: Stream | None, start: datetime) -> None:
        self.size = 0
        self.first = b""
        self.kept: list[bytes] | None = None
        """Everything, where it is to be kept."""
        self._since = since
        self._before = before
        self._start = f"{start:%Y-%m-%dT%H:%M:%S}".encode()
        self._rest = b""
        self._is_over = before is None

    def feed(self, chunk: bytes | memoryview) -> None:
        """The next bytes, however many; a view is not held beyond the call."""
        self.size += len(chunk)
        if self.kept is not None:
            self.kept.append(bytes(chunk))
        if len(self.first) < HEAD:
            self.first += bytes(chunk[: HEAD - len(self.first)])
        if self._is_over:
            self._since.feed(chunk)
            return
        data = b"".join((self._rest, chunk))
        at = 0
        while (stop := data.find(b"\n", at)) >= 0:
            if self._is_since(data, at):
                self._turn(data, at)
                return
            at = stop + 1
        self._early(data[:at])
        self._rest = data[at:]

    def close(self) -> Told:
        """What was counted; to close it twice is harmless."""
        if self._rest and not self._is_over:
            if self._is_since(self._rest, 0):
                self._turn(self._rest, 0)
            else:
                self._early(self._rest)
            self._rest = b""
        before = self._before.close() if self._before else None
        kept = None if self.kept is None else b"".join(self.kept)
        return Told(self._since.close(), before, self.size, self.first, kept)

    def _is_since(self, data: bytes, at: int) -> bool:
        return STAMP.match(data, at) is not None and data[at : at + len(self._start)] >= self._start

    def _turn(self, data: bytes, at: int) -> None:
        self._early(data[:at])
        self._is_over, self._rest = True, b""
        self._since.feed(data[at:])

    def _early(self, data: bytes) -> None:
        if self._before is not None and data:
            self._before.feed(data)
