"""What earlier runs that ended green had found: an error that they all lived with is not new."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from postdeploy.cluster.logs.seen import Earlier, Known, Reading, load
from postdeploy.verdict import Unverified

FILE = "observation/logs.json.gz"


def earlier(archive: Path, count: int, *, rehearsal: bool, but: str) -> tuple[Earlier, ...]:
    """The latest green runs of an environment's archive, at most so many; what cannot be read is passed over."""
    found: list[Earlier] = []
    if not archive.is_dir() or count == 0:
        return ()
    for folder in sorted(archive.iterdir(), key=lambda each: each.name, reverse=True):
        if folder.name != but and _is_green(folder, rehearsal=rehearsal):
            found += _of(folder)
        if len(found) == count:
            break
    return tuple(found)


def _is_green(folder: Path, *, rehearsal: bool) -> bool:
    try:
        record = json.loads((folder / "run.json").read_bytes())
        return record["exit_code"] == 0 and record["rehearsal"] is rehearsal and record["replay_of"] is None
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _of(folder: Path) -> Iterator[Earlier]:
    try:
        logs = load((folder / FILE).read_bytes())
    except (OSError, Unverified):
        return
    yield Earlier(folder.name, logs.minutes, known(each for each in logs.readings if each.bucket == "release"))


def known(readings: Iterable[Reading]) -> tuple[Known, ...]:
    """The findings of some readings, each once for its component."""
    found: dict[tuple[str, str], Known] = {}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for reading in readings:
        for each in reading.findings:
            key = (reading.component, each.id)
            counts[key] += each.count
            found.setdefault(
                key, Known(each.id, reading.component, 0, each.template, each.exception, each.logger, reading.container)
            )
    return tuple(
        Known(each.id, each.component, counts[key], each.template, each.exception, each.logger, each.container)
        for key, each in sorted(found.items())
    )
