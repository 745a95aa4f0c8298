"""Reads a literal log as the harness does, and says what was found."""

from __future__ import annotations

from postdeploy.cluster.logs.kinds import Kinds
from postdeploy.cluster.logs.scanner import Scanner, scanner
from postdeploy.cluster.logs.seen import Finding
from postdeploy.cluster.logs.stream import BLOCK, Stream
from postdeploy.cluster.logs.tally import Tally
from postdeploy.redact import Redactor

STAMP = "2026-11-20T10:00:{:02d}.000000000Z "


def tallied(log: str | bytes, *, chunk: int = 0, block: int = BLOCK, by: Scanner | None = None) -> Tally:
    """A log read in chunks of so many bytes; 0: in one."""
    data = log.encode("utf-8", "surrogateescape") if isinstance(log, str) else log
    stream = Stream(by or scanner(), Kinds(Redactor().text), block=block)
    for start in range(0, len(data), chunk or max(len(data), 1)):
        stream.feed(data[start : start + (chunk or len(data))])
    return stream.close()


def findings(log: str | bytes, **how: int) -> list[Finding]:
    """What a log comes to."""
    return list(tallied(log, **how).findings())


def counts(log: str | bytes) -> tuple[int, int]:
    """How many critical and how many error records a log has."""
    found = findings(log)
    return (
        sum(each.count for each in found if each.level == "critical"),
        sum(each.count for each in found if each.level == "error"),
    )


def stamped(*lines: str, start: int = 0) -> str:
    """Lines as the API hands them out, one a second."""
    return "".join(f"{STAMP.format((start + number) % 60)}{each}\n" for number, each in enumerate(lines))
