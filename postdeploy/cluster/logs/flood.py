"""A flood of errors in one log: once counting has proved to agree with reading, most of it is only counted.

Blocks are read in full until enough errors were read, and every so many blocks after that; each time the count of what
marks an error must be the number of errors that were read, or everything is read from there on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from postdeploy.cluster.logs.patterns import IS_RECOVERED, is_only_error
from postdeploy.cluster.logs.scanner import Hit

DENSE = 32
"""Errors in one block that make it a flood: about one line in twenty."""
ENOUGH = 64
"""Errors that are read before any is only counted."""
EVERY = 16
"""Of so many blocks of a flood one is read."""
LONGEST_MARK = 32
EDGE = re.compile(rb"[\s,:={}|/]")
"""What a word that marks an error ends at."""


class Flood:
    """What is known of the errors of one stream; the same however the stream is cut into chunks."""

    def __init__(self) -> None:
        self.mark = b""
        """The word by which its logger says that a record is an error."""
        self._agreed = 0
        self._is_off = False
        self._blocks = 0

    def may_count(self) -> bool:
        """Whether the next block may be counted instead of read."""
        if self._is_off or self._agreed < ENOUGH:
            return False
        self._blocks += 1
        return self._blocks % EVERY != 0

    def learn(self, data: bytes, end: int, hits: Sequence[Hit], read: int) -> None:
        """A block was read, with so many errors in it; one with anything graver says nothing about counting."""
        if self._is_off or not hits or not only_errors(hits) or (read < DENSE and not self._agreed):
            return
        if not self.mark:
            self.mark = _word(data, next(at for at, number in hits if is_only_error(number)))
        self._is_off = not self.mark or self.count(data, end) != read
        self._agreed += read

    def count(self, data: bytes, end: int) -> int:
        """The errors of a block."""
        return data.count(self.mark, 0, end)


def only_errors(hits: Sequence[Hit]) -> bool:
    """Whether nothing graver than an error was found."""
    return all(is_only_error(number) or number >= IS_RECOVERED for _, number in hits)


def _word(data: bytes, at: int) -> bytes:
    """The word around the last byte of a match; nothing where it is too long to be one."""
    line = data.rfind(b"\n", 0, at - 1) + 1
    before = [each.end() for each in EDGE.finditer(data, line, at - 1)]
    start = before[-1] if before else line
    after = EDGE.search(data, at)
    word = data[start : after.start() if after else len(data)]
    return word if len(word) <= LONGEST_MARK else b""
