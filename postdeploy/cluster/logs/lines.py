"""Lines as containers write them: the moment in front taken off, colours and carriage returns removed."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime

STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?")
"""What the API puts in front of a line when asked for timestamps: always nine digits (a kubelet's RFC3339NanoFixed).

Loggers that write such a moment themselves write fewer; a node's own files add stream and flag."""
KUBELET = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
MICROSECONDS = 26
"""Length of a stamp up to its sixth digit of a second."""
PLAIN_STAMP = 31
"""Length of the stamp as a kubelet writes it, nine digits of a second and a blank."""
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
OWN_TIME = re.compile(
    r"\[?(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?"
)


def text_start(data: bytes, start: int) -> int:
    """Where the text of the line that starts there begins, behind its stamp if it has one."""
    text = start + PLAIN_STAMP
    if data[text - 2 : text] == b"Z " and data[text : text + 3] != b"std":
        return text
    match = STAMP.match(data, start)
    return match.end() if match else start


def text_of(raw: bytes) -> str:
    """A line as text: what is no UTF-8 is replaced, NUL bytes and colours are dropped."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    if "\x1b" in text:
        text = ANSI.sub("", text)
    return text.replace("\x00", "") if "\x00" in text else text


def moment(stamp: bytes) -> datetime | None:
    """The time of a stamp, or of a line that begins with one."""
    if KUBELET.match(stamp):  # nearly all of them
        with suppress(ValueError):
            return datetime.fromisoformat(stamp[:MICROSECONDS].decode()).replace(tzinfo=UTC)
    match = STAMP.match(stamp if stamp.endswith(b" ") else stamp + b" ")
    return parse_time(match[0].split(b" ")[0].decode()) if match else None


def parse_time(text: str) -> datetime | None:
    """A time with nanoseconds, as Go and Kubernetes write it; None for anything else."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", text)
    if not match:
        return None
    try:
        whole = datetime.fromisoformat(match[1] + ("+00:00" if match[3] == "Z" else match[3]))
    except ValueError:
        return None
    return whole.replace(microsecond=int(f"{match[2] or '0':0<6}"[:6])).astimezone(UTC)


def own_time(text: str) -> datetime | None:
    """The time a record begins with, if it does; without a zone it is taken for UTC."""
    match = OWN_TIME.match(text)
    if not match:
        return None
    zone = match[8] or "Z"
    zone = "+00:00" if zone in ("Z", "UTC") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    date, clock, part = "-".join(match.group(1, 2, 3)), ":".join(match.group(4, 5, 6)), f"{match[7] or '0':0<6}"[:6]
    try:
        return datetime.fromisoformat(f"{date}T{clock}.{part}{zone}").astimezone(UTC)
    except ValueError:
        return None
