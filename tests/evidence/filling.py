"""Closes run folders on a disk that has ever more room, and prints what became of each: one line of JSON."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from postdeploy.evidence.closing import Extras, close, commit_plan
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.journal import open_log
from postdeploy.evidence.results import complete
from postdeploy.evidence.run_record import RunRecord, finish
from postdeploy.evidence.signing import open_key
from postdeploy.evidence.verifying import verify_folder
from tests.evidence.makers import planned, ran
from tests.evidence.tampering import snapshot

PAGE = 4096
ROOM = range(PAGE, 48 * PAGE, 2 * PAGE)


def main(disk: str, earlier: str, key: str) -> None:
    archive, copy = Path(disk) / "archive", Path(disk) / "archive/uk-prod/earlier"
    shutil.copytree(earlier, copy)
    before = snapshot(copy)
    for room in ROOM:
        seen = _closed(archive, Path(disk) / "ballast", room, key)
        print(json.dumps(seen | {"room": room, "earlier_intact": snapshot(copy) == before}), flush=True)


def _closed(archive: Path, ballast: Path, room: int, key: str) -> dict[str, object]:
    plan = tuple(planned("infra.images.tag", f"component-{each}") for each in range(40))
    folder = RunFolder.create(archive, "uk-prod", f"run-{room}")
    digest = commit_plan(folder, plan)
    template = msgspec.json.decode((archive / "uk-prod/earlier/run.json").read_bytes(), type=RunRecord)
    signer = open_key(key)
    begun = msgspec.structs.replace(template, run_id=folder.run_id, plan_sha256=digest, signing=signer.keyid)
    begun = msgspec.structs.replace(begun, planned=len(plan), started=datetime.now(UTC) - timedelta(seconds=9))
    folder.write_json("run.json", begun)
    results = complete(plan, [msgspec.structs.replace(ran(each), started=begun.started) for each in plan])
    plan_before, journal = snapshot(folder.path)["plan.json"], open_log(folder)
    _fill(ballast, room)
    done = close(folder, finish(begun, results, 0), plan, results, Extras(key=signer, journal=journal, report=False))
    ballast.unlink()
    seen = {
        "state": verify_folder(folder.path).state.name,
        "exit_code": done.record.exit_code,
        "said": json.loads((folder.path / "run.json").read_bytes())["exit_code"],
        "lines": done.lines,
        "plan_intact": snapshot(folder.path)["plan.json"] == plan_before,
    }
    shutil.rmtree(folder.path)
    return seen


def _fill(ballast: Path, room: int) -> None:
    """A file that leaves so many bytes free."""
    free = shutil.disk_usage(ballast.parent).free
    ballast.write_bytes(b"\0" * (free - room))
