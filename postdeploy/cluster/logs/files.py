"""The same reading, done to files: for anybody who wants to know what the suite would say of their own logs."""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from postdeploy.cluster.logs.evidence import Pieces
from postdeploy.cluster.logs.heads import begins
from postdeploy.cluster.logs.kinds import Kinds, head_of
from postdeploy.cluster.logs.lines import moment, own_time, text_of, text_start
from postdeploy.cluster.logs.scanner import scanner
from postdeploy.cluster.logs.seen import Finding
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally
from postdeploy.redact import Redactor
from postdeploy.verdict import Verdict

CHUNK = 1024 * 1024
TOLD_BY = 300
"""Lines from which a file's format is told."""
AGO = re.compile(r"(\d+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PACKED = (b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff")
"""How gzip, bzip2, zstd, xz, zip and UTF-16 begin."""
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
NO_TEXT = 0.05
"""Share of control characters in a file's beginning from which it is no text that the scanner can read."""
TIME_KEY = re.compile(r'"(?:time|timestamp|ts|@timestamp|asctime)"\s*:\s*"([^"]+)"')


class Unreadable(Exception):
    """A file that is not there, or a time that is none; the message says what to do."""


class Scanned(msgspec.Struct, frozen=True):
    """What became of one file."""

    file: str
    format: str
    records: int
    """Lines that begin a record, at least as many as were found."""
    critical: int
    error: int
    tracebacks: int
    findings: tuple[Said, ...]
    verdict: str
    note: str = ""
    """Why nothing could be judged; for people only."""


class Said(msgspec.Struct, frozen=True):
    """One finding of a file."""

    template: str
    severity: str
    """`critical`, `error`, or `fatal`: always fatal, whatever its level."""
    count: int
    new: bool | None
    """Whether the baseline has nothing of the kind; None without a baseline."""
    example: str


@dataclass(slots=True)
class Census:
    """Counts lines that begin a record, and tells a format from the first of them."""

    records: int = 0
    formats: Counter[str] | None = None
    is_text: bool = True
    left_out: int = 0
    """Lines before `--since`."""

    def line(self, raw: bytes) -> None:
        """One line, without its end."""
        text = text_start(raw, 0)
        if not begins(raw, text):
            return
        self.records += 1
        self.formats = self.formats if self.formats is not None else Counter()
        if self.records <= TOLD_BY:
            head = head_of([text_of(raw[text:])])
            self.formats[head.format] += 2 if head.level else 1

    @property
    def format(self) -> str:
        """The most frequent format; `plain` where nothing looks like a logger's."""
        return self.formats.most_common(1)[0][0] if self.formats else "plain"


def scan(names: Iterable[str], *, since: str = "", baseline: Iterable[str] = ()) -> list[Scanned]:
    """What the suite would say of each file; `-` is standard input. Raises Unreadable."""
    after = _moment(since) if since else None
    redact, kinds = Redactor().text, Kinds(Redactor().text)
    known = None
    for name in baseline:
        known = (known or set()) | {each.id for each in _read(name, kinds, None)[0].findings()}
    return [_scanned(name, *_read(name, kinds, after), known, redact) for name in names]


def to_json(scanned: list[Scanned]) -> str:
    """For programs."""
    entries = [{key: value for key, value in msgspec.to_builtins(e).items() if key != "note"} for e in scanned]
    return json.dumps(entries, indent=2, ensure_ascii=False)


def render(scanned: list[Scanned]) -> str:
    """For people."""
    return "\n".join(line for each in scanned for line in _rendered(each))


def _rendered(each: Scanned) -> Iterator[str]:
    yield (
        f"{each.verdict.upper()}  {each.file}: {each.format}, {each.records} records, {each.critical} critical, "
        f"{each.error} errors, {each.tracebacks} with a traceback"
    )
    if each.note:
        yield f"  {each.note}"
    for said in each.findings:
        new = {None: "", True: ", new", False: ", known"}[said.new]
        yield f"  {said.severity}, {said.count}x{new}: {said.template}"
        yield from (f"      | {line}" for line in said.example.split("\n")[:6])


def _scanned(name: str, tally: Tally, census: Census, known: set[str] | None, redact: Any) -> Scanned:
    pieces = Pieces()
    pieces.offer("", name, tally)
    examples = {each.id: "\n".join(each.examples[0].lines) for each in pieces.redacted(redact)}
    found = [each for each in tally.findings() if each.is_grave]
    fresh = [each for each in found if known is not None and each.id not in known]
    return Scanned(
        file=name,
        format=census.format,
        records=max(census.records, sum(each.count for each in found)),
        critical=sum(
            each.count for each in found if each.level == "critical" or (each.fatal and each.level == "below")
        ),
        error=sum(each.count for each in found if each.level == "error"),
        tracebacks=sum(each.count for each in found if each.exception),
        findings=tuple(
            Said(each.title, _severity(each), each.count, None if known is None else each in fresh, examples[each.id])
            for each in found
        ),
        verdict=str(_verdict(tally, census, found, fresh)),
        note=_note(tally, census),
    )


def _severity(finding: Finding) -> str:
    return "critical" if finding.level == "critical" else "fatal" if finding.fatal else "error"


def _verdict(tally: Tally, census: Census, found: list[Finding], fresh: list[Finding]) -> Verdict:
    """An empty log proves nothing, and neither does what is no text."""
    if fresh or any(each.is_critical for each in found):
        return Verdict.FAILED
    return Verdict.UNVERIFIED if _note(tally, census) else Verdict.PASSED


def _note(tally: Tally, census: Census) -> str:
    """Why the absence of findings is worth nothing, empty where it is worth something."""
    if not census.is_text:
        return "This is no plain text, so nothing can be said of it: unpack it, or convert it to UTF-8 first."
    if tally.size:
        return ""
    if census.left_out:
        return f"None of its {census.left_out} lines bears a time within --since: nothing was judged."
    return "It is empty: nothing was judged."


def _is_text(beginning: bytes) -> bool:
    """Whether a file begins as text does, in whatever encoding that leaves ASCII alone; odd bytes are no matter."""
    if beginning.startswith(PACKED):
        return False
    sample = beginning.lstrip(b"\0")[:8192]  # a rotation by copytruncate leaves a hole of NUL bytes
    return len(sample) - len(sample.translate(None, CONTROL)) <= len(sample) * NO_TEXT and bool(sample)


def _read(name: str, kinds: Kinds, after: datetime | None) -> tuple[Tally, Census]:
    stream, census = Stream(scanner(), kinds), Census()
    rest = b""
    try:
        for at, chunk in enumerate(_chunks(name)):
            census.is_text = census.is_text and (at > 0 or _is_text(chunk))
            *lines, rest = (rest + chunk).split(b"\n")
            rest = _feed(stream, census, lines, rest, after)
        if rest:
            _feed(stream, census, [rest], b"", after)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(f"{name} cannot be read: {reason}. Give files, or - for standard input.") from error
    return stream.close(), census


def _feed(stream: Stream, census: Census, lines: list[bytes], rest: bytes, after: datetime | None) -> bytes:
    """Lines of the window go on; where the first of them has been found, the others need not be looked at."""
    for raw in lines:
        if after is not None and not _is_after(stream, raw, after):
            census.left_out += 1
            continue
        census.line(raw)
        stream.feed(raw + b"\n")
    return rest


def _is_after(stream: Stream, raw: bytes, after: datetime) -> bool:
    """Whether a line is of the window; one without a time belongs to the line before it."""
    text = text_of(raw)
    at = moment(raw) or own_time(text)
    if at is None and (match := TIME_KEY.search(text)):
        at = own_time(match[1])
    return at >= after if at is not None else stream.tally.size > 0


def _chunks(name: str) -> Iterator[bytes]:
    with nullcontext(sys.stdin.buffer) if name == "-" else _opened(name) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _opened(name: str) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(name) if name.endswith(".gz") else Path(name).open("rb"))


def _moment(since: str) -> datetime:
    """A moment, or so long ago."""
    if match := AGO.fullmatch(since):
        return datetime.now(UTC) - timedelta(**{UNITS[match[2]]: int(match[1])})
    at = own_time(since)
    if at is None:
        raise Unreadable(
            f"--since {since!r} is no time: give 2026-11-20T10:00:00Z, or how long ago, such as 15m or 2h."
        )
    return at
