"""SIGKILL between any two steps of closing, and a disk that is really full: the folder is honest, nothing is lost."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from postdeploy.evidence.closing import Extras, close, commit_plan
from postdeploy.evidence.findings import State
from postdeploy.evidence.journal import open_log
from postdeploy.evidence.results import complete
from postdeploy.evidence.run_record import finish
from postdeploy.evidence.trust import read_trust
from postdeploy.evidence.unfinished import MARK, mark_unfinished
from postdeploy.evidence.verifying import verify_folder
from tests.evidence.makers import ran
from tests.evidence.signed import IMAGES
from tests.evidence.tampering import snapshot

ROOT = Path(__file__).parents[2]


def killed_at(step: int, work) -> bool:
    """Fork, let the child work, and kill it at its n-th write to the disk; whether it got that far."""
    child = os.fork()
    if child == 0:
        sync, left = os.fsync, iter(range(step))

        def or_die(descriptor: int) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            sync(descriptor)

        os.fsync = or_die
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_run_that_is_killed_at_any_step_of_its_closing_is_honest(folder, record, plan, keys, tmp_path):
    key, trust = keys.open(), read_trust(keys.trust())
    digest = commit_plan(folder, plan)
    folder.write_text("environment.json", '{"name": "uk-prod"}\n')
    begun = msgspec.structs.replace(record, plan_sha256=digest, signing=key.keyid)
    folder.write_json("run.json", begun)
    results = complete(plan, [ran(each) for each in plan])
    before, original = snapshot(folder.path), tmp_path / "original"
    shutil.copytree(folder.path, original)

    def work() -> None:
        extras = Extras(key=key, images=IMAGES, journal=open_log(folder), report=False)
        close(folder, finish(begun, results, 0), plan, results, extras)

    states = []
    for step in itertools.count():
        shutil.rmtree(folder.path)
        shutil.copytree(original, folder.path)
        was_killed = killed_at(step, work)
        after, report = snapshot(folder.path), verify_folder(folder.path, trust)
        assert [name for name in before if name != "run.json" and after.get(name) != before[name]] == []
        assert json.loads((folder.path / "run.json").read_bytes())["run_id"] == record.run_id
        unfinished = report.state is State.INCOMPLETE
        assert bool(mark_unfinished(folder.path.parents[1], "the-next-run")) is unfinished, (step, report.findings)
        assert (folder.path / MARK).exists() is unfinished
        assert {name: snapshot(folder.path)[name] for name in after} == after
        assert verify_folder(folder.path, trust).state is report.state, step
        states.append(report.state)
        if not was_killed:
            break
    assert len(states) > 15
    # Killed in the very last step the folder is whole: all of it was on the disk.
    assert states == [State.INCOMPLETE] * (len(states) - 2) + [State.WHOLE] * 2


# --- a disk that is full -----------------------------------------------------------------------------------------

SCRIPT = "import sys; from tests.evidence.filling import main; main(*sys.argv[1:])"


def test_a_disk_that_is_full_loses_nothing_that_was_there_and_proves_nothing(closed, keys, tmp_path):
    """A real file system, filled until so many bytes are left, in a mount namespace of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = f'mount -t tmpfs -o size=2m disk {disk} && exec "$@"'
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, "sh"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine mounts nothing for us (unshare)")
    command = [*inside, sys.executable, "-c", SCRIPT, str(disk), str(closed.path), str(keys.private)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(each["earlier_intact"] and each["plan_intact"] for each in seen)
    full = [each for each in seen if any("No space left on device" in line for line in each["lines"])]
    assert 5 < len(full) < len(seen)
    assert {each["exit_code"] for each in full} == {10}
    assert {each["state"] for each in full} <= {"INCOMPLETE", "WHOLE"}
    assert {(each["state"], each["exit_code"]) for each in seen if each not in full} == {("WHOLE", 0)}
    assert not [each for each in seen if each["state"] == "WHOLE" and each["exit_code"] != each["said"]]
