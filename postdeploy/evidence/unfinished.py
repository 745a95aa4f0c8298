"""Runs that were killed: who is still at work in a run folder, how far the others came, and the mark that says so."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.manifest import ATTESTATIONS, MANIFEST, SUMS, write_manifest

MARK = "unfinished.json"
RUN_ID = re.compile(r"\d{8}T\d{6}Z-")
"""How the name of a run folder begins: whatever else lies in an archive is not ours to mark."""
STAGES = (
    ("plan.json", "the plan"),
    ("environment.json", "the resolved environment"),
    ("run.json", "the record's beginning"),
    ("observation/cluster.json.gz", "the look at the cluster"),
    ("observation/web.json.gz", "the sweep over the hosts"),
    ("observation/exchanges.json.gz", "the recorded exchanges"),
    ("results.json", "the results"),
    ("junit.xml", "junit.xml"),
    ("auditor.html", "the auditor's page"),
    ("report.html", "report.html"),
    ("report", "the report"),
    ("redactions.json", "the leak scan"),
    (MANIFEST, "the manifest"),
    (SUMS, "the sums"),
    (ATTESTATIONS, "the first signature"),
)
"""What a run writes, in this order."""


class Occupied:
    """Tells other runs on the archive that this one is alive: a lock that the kernel drops when we die."""

    def __init__(self, folder: RunFolder) -> None:
        self._descriptor: int | None = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks: then nothing there is ever marked as dead
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """The folder is closed; releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def how_far(folder: Path) -> str:
    """The last thing a run wrote, in words."""
    reached = [meaning for name, meaning in STAGES if (folder / name).exists()]
    return reached[-1] if reached else "its empty folder"


def mark_unfinished(archive: Path, run_id: str) -> tuple[str, ...]:
    """Mark every run of this archive that ended without closing its folder; a line for each that is new.

    Nothing that such a run wrote is changed: the mark is one more file, hashed with the rest if nothing was hashed yet.
    """
    lines = []
    for path in sorted(archive.absolute().glob("*/*")):
        if path.name == run_id or not RUN_ID.match(path.name) or not path.is_dir() or path.is_symlink():
            continue
        if is_closed(path) or (path / MARK).exists():
            continue
        with suppress(OSError):  # an archive whose old runs cannot be written to any more
            lines += list(_mark(path, run_id))
    return tuple(lines)


def is_closed(folder: Path) -> bool:
    """Whether a run folder has everything its run was to write last."""
    if not (folder / SUMS).is_file():
        return False
    try:
        signing = json.loads((folder / "run.json").read_bytes()).get("signing", "unsigned")
    except (OSError, ValueError, AttributeError):
        return False
    return signing == "unsigned" or (folder / ATTESTATIONS / "deployment-verification.dsse.json").is_file()


def _mark(path: Path, run_id: str) -> Iterator[str]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # alive
        reached = how_far(path)
        folder = RunFolder(path)
        mark = {"run_id": path.name, "came_as_far_as": reached, "marked": datetime.now(UTC), "marked_by": run_id}
        folder.write_json(MARK, mark)
        if not (path / MANIFEST).exists():
            write_manifest(folder)
        yield f"an earlier run was never finished: {path} (it came as far as {reached}); {MARK} in it now says so"
    finally:
        os.close(descriptor)
