"""Finds in raw bytes where something may be grave: hyperscan, or a search for literals where that does not load."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, partial
from typing import Any, Protocol

from postdeploy.cluster.logs.patterns import LITERALS, PATTERNS, is_only_error

Hit = tuple[int, int]
"""Offset behind the match's last byte or within its line, and the pattern's number."""


class Scanner(Protocol):
    """Looks through bytes for every pattern at once."""

    name: str

    def hits(self, data: bytes, end: int) -> list[Hit]:
        """Where in `data[:end]` something was found, in the order of the offsets."""

    def grave_hits(self, data: bytes, end: int) -> list[Hit]:
        """The same, without what says no more than that a record is an error."""


class Hyperscan:
    """Every pattern in one pass over the bytes."""

    name = "hyperscan"

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._every = _Database(patterns, range(len(patterns)))

    def hits(self, data: bytes, end: int) -> list[Hit]:
        """Where in `data[:end]` something was found, in the order of the offsets."""
        return self._every.scan(data, end)

    def grave_hits(self, data: bytes, end: int) -> list[Hit]:
        """The same, without what says no more than that a record is an error."""
        return self._grave.scan(data, end)

    @cached_property
    def _grave(self) -> _Database:
        return _Database(self._patterns, [each for each in range(len(self._patterns)) if not is_only_error(each)])


class _Database:
    """Some of the patterns, compiled; each is known by its number among all."""

    def __init__(self, patterns: Sequence[str], numbers: Sequence[int]) -> None:
        import hyperscan  # it is a compiled library, and not there on every platform

        flags = hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_ALLOWEMPTY
        expressions = [patterns[each].encode() for each in numbers]
        count = len(expressions)
        self._compiled: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._compiled.compile(expressions=expressions, ids=list(numbers), elements=count, flags=[flags] * count)
        self._new_scratch = partial(hyperscan.Scratch, self._compiled)
        self._local = threading.local()

    def scan(self, data: bytes, end: int) -> list[Hit]:
        found: list[Hit] = []
        part = data if end == len(data) else memoryview(data)[:end]
        self._compiled.scan(part, match_event_handler=_note, context=found, scratch=self._scratch())
        found.sort()  # in the order of the offsets it is for each pattern, not always for all of them
        return found

    def _scratch(self) -> Any:
        """The thread's own: two scans cannot share one, and none waits for another's."""
        found = getattr(self._local, "scratch", None)
        if found is None:
            found = self._local.scratch = self._new_scratch()
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

    def grave_hits(self, data: bytes, end: int) -> list[Hit]:
        """The same, without what says no more than that a record is an error."""
        return [each for each in self.hits(data, end) if not is_only_error(each[1])]

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
