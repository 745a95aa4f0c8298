"""What one container's log adds up to: counts, times, and the first and last few records of each finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

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

    __slots__ = ("count", "first", "kind", "late", "latest", "offset", "pieces", "recent")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.count = 0
        self.offset = 0
        self.pieces: list[Piece] = []
        """Of the first records."""
        self.recent: list[Piece] = []
        self.late: Span | None = None
        """Of the last record but one, while its block is at hand."""
        self.latest: Span | None = None

    def settle(self) -> None:
        """Let go of the blocks: copy out of them what is kept."""
        if self.latest is None:
            return
        spans = (each for each in (self.late, self.latest) if each is not None)
        self.recent = [*self.recent, *(_piece(*each) for each in spans)][-KEPT:]
        self.late = self.latest = None

    @property
    def kept(self) -> list[Piece]:
        """The first and the last few records."""
        self.settle()
        return [*self.pieces, *self.recent]


class Tally:
    """Counts while a log streams by."""

    def __init__(self) -> None:
        self.size = 0
        self.first = b""
        """The beginning of the first line, with its stamp."""
        self.last = b""
        self.found: dict[str, Found] = {}
        self.ready: set[int] = set()
        self.recovered = -1
        """Offset in the stream of the latest word that something had come which was waited for."""
        self.records = 0
        """Findings that were read, one by one."""
        self.sampled = 0
        """Errors that were counted and not read."""
        self.is_cut = False
        """Whether the middle of some line was too long to be read."""
        self._told: tuple[Finding, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """On its way to another process: what was found is worked out by the one that read it."""
        return self.__dict__ | {"_told": self.findings()}

    def add(self, kind: Kind, span: Span, offset: int) -> None:
        """One more record of a kind."""
        self.records += 1
        found = self.found.get(kind.id)
        if found is None:
            found = self.found[kind.id] = Found(kind)
        found.count += 1
        found.offset = offset
        if found.count <= KEPT:
            found.pieces.append(_piece(*span))
        else:
            found.late, found.latest = found.latest, span

    def add_unread(self, kind: Kind, times: int, spans: Sequence[Span], offset: int) -> None:
        """So many records that were only counted, with the first and the last of them."""
        self.sampled += times
        for each in spans[-times:]:
            self.add(kind, each, offset)
        self.found[kind.id].count += times - len(spans[-times:])

    def end_block(self, data: bytes) -> None:
        """No finding holds on to a block before this one: memory does not grow with the log."""
        for each in self.found.values():
            oldest = each.late or each.latest
            if oldest is not None and oldest[0] is not data:
                each.settle()

    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the gravest and most frequent first."""
        if self._told is not None:
            return self._told
        made = [self._finding(each) for each in self.found.values()]
        return tuple(sorted(made, key=lambda each: (not each.is_critical, -each.count, each.id)))

    def _finding(self, found: Found) -> Finding:
        kind, kept = found.kind, found.kept
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
            first=when(kept[0][1][:64]),
            last=when(kept[-1][1][:64]),
        )

    def _recurs(self, found: Found) -> bool:
        """Whether something transient was still so when the log ended."""
        if self.recovered > found.offset:
            return False
        end, last = when(self.last), when(found.kept[-1][1][:64])
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
