"""The first and the last few records of each finding over all containers of a component, redacted in the end."""

from __future__ import annotations

from collections.abc import Callable

from postdeploy.cluster.logs.lines import STAMP
from postdeploy.cluster.logs.seen import Evidence
from postdeploy.cluster.logs.tally import KEPT, Piece, Tally, example

Kept = tuple[bytes, str, int, Piece]
"""When, where, the how manieth there, and the record."""


class Pieces:
    """Keeps of each finding the earliest and the latest records, whatever the order in which containers are read."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list[Kept]] = {}

    def offer(self, component: str, source: str, tally: Tally) -> None:
        """Everything one container has."""
        for name, found in tally.found.items():
            kept = self._kept.setdefault((component, name), [])
            kept += [(_at(piece), source, number, piece) for number, piece in enumerate(found.kept)]
            if len(kept) > 2 * KEPT:
                kept.sort(key=lambda each: each[:3])
                del kept[KEPT:-KEPT]

    def redacted(self, redact: Callable[[str], str]) -> tuple[Evidence, ...]:
        """All of it, in the order of components and findings."""
        return tuple(
            Evidence(component, name, tuple(example(source, piece, redact) for _, source, _, piece in sorted(kept)))
            for (component, name), kept in sorted(self._kept.items())
        )


def _at(piece: Piece) -> bytes:
    match = STAMP.match(piece[1])
    return match[0] if match else b""
