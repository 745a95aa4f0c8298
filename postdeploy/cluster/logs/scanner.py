"""Finds in raw bytes where something may be grave: hyperscan, or a search for literals where that does not load."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Protocol

from postdeploy.cluster.logs.patterns import LITERALS, PATTERNS

Hit = tuple[int, int]
"""Offset behind the match's last byte or within its line, and the pattern's number."""


class Scanner(Protocol):
    """Looks through bytes for every pattern at once."""

    name: str

    def hits(self, data: bytes, end: int) -> list[Hit]:
        """Where in `data[:end]` something was found, in the order of the offsets."""


class Hyperscan:
    """Every pattern in one pass over the bytes."""

    name = "hyperscan"

    def __init__(self, patterns: Sequence[str]) -> None:
        import hyperscan  # it is a compiled library, and not there on every platform

        self._database: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        flags = hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_ALLOWEMPTY
        self._local = threading.local()
        expressions = [each.encode() for each in patterns]
        count = len(expressions)
        self._database.compile(expressions=expressions, ids=range(count), elements=count, flags=[flags] * count)

    def hits(self, data: bytes, end: int) -> list[Hit]:
        """Where in `data[:end]` something was found, in the order of the offsets."""
        found: list[Hit] = []
        part = data if end == len(data) else memoryview(data)[:end]
        self._database.scan(part, match_event_handler=_note, context=found, scratch=self._scratch())
        found.sort()  # in the order of the offsets it is for each pattern, not always for all of them
        return found

    def _scratch(self) -> Any:
        """The thread's own: two scans cannot share one, and none waits for another's."""
        found = getattr(self._local, "scratch", None)
        if found is None:
            import hyperscan

            found = self._local.scratch = hyperscan.Scratch(self._database)
        return found


def _note(number: int, start: int, end: int, flags: int, found: list[Hit]) -> None:
    found.append((end, number))


class Literals:
    """A search for literals, and the patterns only on lines that have one; no third way."""

    name = "literal search"

    def __init__(self, patterns: Sequence[str], literals: Sequence[str]) -> None:
        self._needles = re.compile("|".join(re.escape(each) for each in literals).encode())
        self._patterns = [re.compile(each.encode(), re.MULTILINE) for each in patterns]

    def hits(self, data: bytes, end: int) -> list[Hit]:
        """Where in `data[:end]` something was found, in the order of the offsets."""
        found: list[Hit] = []
        for start, stop in self._candidates(data, end):
            line = data[start:stop]
            for number, pattern in enumerate(self._patterns):
                found += [(start + each.end(), number) for each in pattern.finditer(line)]
        return sorted(found)

    def _candidates(self, data: bytes, end: int) -> Iterator[tuple[int, int]]:
        at = 0
        while (match := self._needles.search(data, at, end)) is not None:
            start = data.rfind(b"\n", 0, match.start()) + 1
            stop = data.find(b"\n", match.start(), end)
            stop = end if stop < 0 else stop
            yield start, stop
            at = stop + 1


def scanner(ready: tuple[str, ...] = (), *, plain: bool = False) -> Scanner:
    """The scanner for our patterns, and behind them the declared ready lines; compiled once (about 0.1 s)."""
    return _compiled(ready, plain)


@cache
def _compiled(ready: tuple[str, ...], plain: bool) -> Scanner:
    patterns = (*PATTERNS, *map(re.escape, ready))
    if not plain:
        try:
            return Hyperscan(patterns)
        except ImportError:
            pass
    return Literals(patterns, (*LITERALS, *ready))
