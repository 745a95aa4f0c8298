"""What a record is: its severity, its template, whose exception. Worked out once for all records that say the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from postdeploy.cluster.logs import documents, heads, traces
from postdeploy.cluster.logs.heads import Head
from postdeploy.cluster.logs.levels import Level
from postdeploy.cluster.logs.lines import text_of, text_start
from postdeploy.cluster.logs.patterns import FATAL, FIRST_FATAL, Fatal
from postdeploy.cluster.logs.templates import identity, template
from postdeploy.cluster.logs.traces import Trace

DIGITS = b"0123456789"
VARIES = re.compile(rb"[0-9A-Fa-f-]{0,64}\d[0-9A-Fa-f-]{0,64}")
MOST_KEYS = 10_000
LONGEST_KEY = 256
FATAL_RULES = [re.compile(each.regex, re.MULTILINE) for each in FATAL]
FATAL_BITS = [1 << (FIRST_FATAL + index) for index in range(len(FATAL))]
ANY_FATAL = sum(FATAL_BITS)
BEFORE_EXCEPTION = re.compile(r"(?:^|\n|: |raised |exception |Exception |\()(?:[\w]+\.)*$")
MENTIONS = re.compile(r"\b(?:exception|error|retry|traceback|raised)\b", re.I)


@dataclass(frozen=True, slots=True)
class Kind:
    """What all records of one finding have in common."""

    id: str
    level: Level
    template: str = ""
    logger: str = ""
    fatal: str = ""
    transient: bool = False
    exception: str = ""
    frame: str = ""
    app: str = ""
    root: str = ""
    unhandled: bool = False
    sampled: bool = False


HARMLESS = Kind("", Level.UNKNOWN)
"""A record that is none of our business, whatever words are in it."""


def uncounted(level: Level) -> Kind:
    """What is counted and not read any more, because a container wrote too many different things."""
    return Kind(identity("sampled", level.name), level, "(other records, counted and not read)", sampled=True)


class Kinds:
    """Tells kinds apart and remembers them: by the record without its digits, then without what looks like an id."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._known: dict[tuple[int, bytes], Kind] = {}
        self.parsed = 0

    def recall(self, mask: int, record: bytes) -> Kind | None:
        """The kind of a record that says the same as an earlier one, digits and whatever looks like an id aside."""
        key = record.translate(None, DIGITS)
        found = self._known.get((mask, key if len(key) <= LONGEST_KEY else _short(key)))
        return self._known.get((mask, _near(record))) if found is None else found

    def tell(self, mask: int, record: bytes, *, bare: bool, budget: int = 1) -> tuple[Kind | None, bool]:
        """The kind of a record, its stamp taken off its first line, and whether that had to be read.

        None where it would have to be and must not.

        `bare`: no record with a level carries it.
        """
        name = ~mask if bare else mask  # the same text within somebody's record is something else
        near = (name, _near(record))
        found = self._known.get(near)
        if found is not None:
            return found, False
        if budget <= 0:
            return None, False
        self.parsed += 1
        found = self._read(mask, record, bare=bare)
        if len(self._known) < MOST_KEYS:
            self._known[near] = self._known[name, _short(record.translate(None, DIGITS))] = found
        return found, True

    def _read(self, mask: int, record: bytes, *, bare: bool) -> Kind:
        texts = _texts(record)
        head = Head("plain", Level.UNKNOWN, texts[0]) if bare else head_of(texts)
        trace = _trace(head, texts)
        level = _level(head, trace, texts[0], bare=bare)
        fatal = _fatal(mask, "\n".join(texts), head) if mask & ANY_FATAL else None
        if level < Level.ERROR and fatal is None:
            return HARMLESS
        return self._kind(head, level, trace, fatal, bare=bare)

    def _kind(self, head: Head, level: Level, trace: Trace | None, fatal: Fatal | None, *, bare: bool) -> Kind:
        said = trace.said if trace and bare else head.message
        plain = template(self._redact(said[:2000].partition("\n")[0]))
        parts = (trace.exception, trace.frame, trace.root) if trace and trace.frame else (plain, head.logger)
        return Kind(
            identity(level.name, *parts),
            level,
            plain,
            head.logger,
            fatal.name if fatal else "",
            bool(fatal and fatal.transient),
            trace.exception if trace else "",
            trace.frame if trace else "",
            trace.app if trace else "",
            trace.root if trace else "",
            unhandled=bare and trace is not None,
        )


def head_of(texts: Sequence[str]) -> Head:
    """The head of a record; a document may be spread over its lines."""
    first = texts[0].lstrip()
    if not first.startswith("{"):
        return heads.parse(first)
    whole = documents.parse(first)
    if whole is None and len(texts) > 1:
        whole = documents.parse("\n".join(texts[: documents.MOST_LINES]))
    return whole or documents.broken("\n".join(texts[: documents.MOST_LINES]))


def level_at(data: bytes, start: int, stop: int) -> tuple[Level, str]:
    """The level and the text of the one line between two offsets."""
    text = text_of(data[start:stop])
    return head_of([text]).level, text


def mentions(head: str, exception: str) -> bool:
    """Whether a harmless record speaks of the exception below it, as a task does that is tried again."""
    return bool(MENTIONS.search(head)) or (bool(exception) and exception.rpartition(".")[2] in head)


def _near(record: bytes) -> bytes:
    return _short(b"~" + VARIES.sub(b"", record))


def _short(key: bytes) -> bytes:
    return key if len(key) <= LONGEST_KEY else blake2b(key, digest_size=16).digest()


def _texts(record: bytes) -> list[str]:
    first, *more = record.split(b"\n")[: traces.INTEREST]
    return [text_of(first), *(text_of(each[text_start(each, 0) :]) for each in more)]


def _trace(head: Head, texts: Sequence[str]) -> Trace | None:
    return traces.read(head.trace.splitlines()) if head.trace else traces.read(texts)


def _level(head: Head, trace: Trace | None, first: str, *, bare: bool) -> Level:
    if not bare:
        return head.level
    if trace is not None:
        return Level.CRITICAL
    if not traces.opens(first.encode("utf-8", "replace")):
        return Level.UNKNOWN
    # Printed without level or stack: an exception is one, `Error: …` is any tool's way to complain.
    return Level.CRITICAL if "Exception" in first.partition(":")[0] else Level.ERROR


def _fatal(mask: int, text: str, head: Head) -> Fatal | None:
    for rule, bit, fatal in zip(FATAL_RULES, FATAL_BITS, FATAL, strict=True):
        if mask & bit and any(_says_it(text, each, fatal, head) for each in rule.finditer(text)):
            return fatal
    return None


def _says_it(text: str, match: re.Match[str], fatal: Fatal, head: Head) -> bool:
    """Whether an exception is named, and not merely spoken of in a record that says all is well."""
    if not fatal.is_exception or head.level >= Level.WARNING:
        return True
    said = head.message if head.format.endswith("json") else text
    at = match.start() if said is text else said.find(match[0])
    return at == 0 or (at > 0 and BEFORE_EXCEPTION.search(said[max(0, at - 80) : at]) is not None)
