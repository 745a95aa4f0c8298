"""What one container's log adds up to: counts, times, and the first and last few records of each finding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from postdeploy.cluster.logs.kinds import Kind
from postdeploy.cluster.logs.levels import Level
from postdeploy.cluster.logs.lines import moment, own_time, text_of, text_start
from postdeploy.cluster.logs.seen import Example, Finding

KEPT = 2
"""Records of a finding that are kept from its beginning, and as many from its end."""
AROUND = 3
"""Lines of context before and after."""
LONGEST_RECORD = 12_000
LONGEST_LINE = 1_500
RECURS = timedelta(seconds=60)
"""How near to the end of a log something transient must recur to count."""

Piece = tuple[bytes, bytes, bytes]
"""The lines before a record, the record, and the lines after it."""
Span = tuple[bytes, int, int, int]
"""A block, where in it a record begins and ends, and where its whole lines end."""


class Found:
    """The records of one kind in one container."""

    __slots__ = ("block", "count", "first", "kind", "last", "offset", "pieces", "recent", "spans")

    def __init__(self, kind: Kind, line: bytes) -> None:
        self.kind = kind
        self.count = 0
        self.first = self.last = line
        self.offset = 0
        self.pieces: list[Piece] = []
        """Of the first records."""
        self.recent: list[Piece] = []
        self.spans: list[Span] = []
        """Of the latest records, while their block is at hand."""
        self.block = 0

    def settle(self) -> None:
        """Let go of the blocks: copy out of them what is kept."""
        self.recent = [*self.recent, *(_piece(*each) for each in self.spans)][-KEPT:]
        self.spans = []

    @property
    def kept(self) -> list[Piece]:
        """The first and the last few records."""
        self.settle()
        return [*self.pieces, *self.recent]


class Tally:
    """Counts while a log streams by."""

    def __init__(self) -> None:
        self.size = 0
        self.lines = 0
        self.first = b""
        """The beginning of the first line, with its stamp."""
        self.last = b""
        self.found: dict[str, Found] = {}
        self.ready: set[int] = set()
        self.recovered = -1
        """Offset in the stream of the latest word that something had come which was waited for."""
        self.sampled = 0
        self.is_cut = False
        """Whether the middle of some line was too long to be read."""
        self._blocks = 0

    def add(self, kind: Kind, span: Span, offset: int) -> None:
        """One more record of a kind."""
        data, start, stop, _ = span
        found = self.found.get(kind.id)
        if found is None:
            found = self.found[kind.id] = Found(kind, data[start : min(stop, start + 64)])
        found.count += 1
        found.offset = offset
        found.block = self._blocks
        if found.count <= KEPT:
            found.pieces.append(_piece(*span))
        else:
            found.spans.append(span)
            del found.spans[:-KEPT]
        found.last = data[start : min(stop, start + 64)]

    def end_block(self) -> None:
        """No finding holds on to more than the two latest blocks: memory does not grow with the log."""
        self._blocks += 1
        for each in self.found.values():
            if each.spans and (each.block < self._blocks - 1 or len({id(span[0]) for span in each.spans}) > 1):
                each.settle()

    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the gravest and most frequent first."""
        made = [self._finding(each) for each in self.found.values()]
        return tuple(sorted(made, key=lambda each: (not each.is_critical, -each.count, each.id)))

    def _finding(self, found: Found) -> Finding:
        kind = found.kind
        fatal = kind.fatal if not kind.transient or self._recurs(found) else ""
        return Finding(
            id=kind.id,
            level=_level(kind.level),
            template=kind.template,
            count=found.count,
            logger=kind.logger,
            fatal=fatal,
            exception=kind.exception,
            frame=kind.frame,
            app=kind.app,
            root=kind.root,
            unhandled=kind.unhandled,
            sampled=kind.sampled,
            first=when(found.first),
            last=when(found.last),
        )

    def _recurs(self, found: Found) -> bool:
        """Whether something transient was still so when the log ended."""
        if self.recovered > found.offset:
            return False
        end, last = when(self.last), when(found.last)
        return end is None or last is None or end - last <= RECURS


def when(line: bytes) -> datetime | None:
    """The time of a line: its stamp's, else what it says itself."""
    at = moment(line)
    return at if at is not None else own_time(text_of(line))


def _level(level: Level) -> Literal["critical", "error", "below"]:
    if level >= Level.CRITICAL:
        return "critical"
    return "error" if level >= Level.ERROR else "below"


def _piece(data: bytes, start: int, stop: int, end: int) -> Piece:
    before = start
    for _ in range(AROUND):
        if before <= 0:
            break
        before = data.rfind(b"\n", 0, before - 1) + 1
    after = stop
    for _ in range(AROUND):
        if after >= end:
            break
        found = data.find(b"\n", after, end)
        after = end if found < 0 else found + 1
    record = data[start : min(stop, start + LONGEST_RECORD)]
    return data[max(before, start - LONGEST_RECORD) : start], record, data[stop : min(after, stop + LONGEST_RECORD)]


def example(source: str, piece: Piece, redact: Callable[[str], str]) -> Example:
    """One record as it is kept: redacted as one text, since a key or a token may go over several lines."""
    before, record, after = (_lines(each) for each in piece)
    whole = redact("\n".join((*before, *record, *after))).split("\n")
    if len(whole) != len(before) + len(record) + len(after):
        # A block that was masked took lines with it: which of the rest was context is not known any more.
        return Example(source, when(piece[1][:64]), tuple(whole))
    first, second = len(before), len(before) + len(record)
    return Example(source, when(piece[1][:64]), tuple(whole[first:second]), tuple(whole[:first]), tuple(whole[second:]))


def _lines(raw: bytes) -> list[str]:
    texts = [text_of(each[text_start(each, 0) :])[:LONGEST_LINE] for each in raw.split(b"\n")]
    while texts and not texts[-1]:
        texts.pop()
    return texts
