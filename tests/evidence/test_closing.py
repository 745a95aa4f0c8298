from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from postdeploy.evidence import auditor, report, run_record
from postdeploy.evidence.allure import AllureRecorder
from postdeploy.evidence.closing import ESSENTIAL, Extras, close, commit_plan
from postdeploy.evidence.findings import State
from postdeploy.evidence.journal import open_log
from postdeploy.evidence.results import Result, complete
from postdeploy.evidence.verifying import verify_folder
from postdeploy.verdict import Verdict
from tests.evidence.makers import planned, ran
from tests.evidence.tampering import snapshot


@pytest.fixture
def no_report(monkeypatch):
    def absent(*_: object) -> None:
        raise report.NoReport("Allure 3 is not installed")

    monkeypatch.setattr(report, "render", absent)


@pytest.fixture
def extras(folder):
    recorder = AllureRecorder(
        folder.path / "allure-results", environment="uk-prod", rehearsal=False, result_of=lambda _: None
    )
    manager = type("Manager", (), {"hasplugin": lambda *_: False})()
    recorder.start(type("Config", (), {"pluginmanager": manager})())
    yield Extras(allure=recorder, journal=open_log(folder), redact=lambda text: text.replace("hunter2", "***"))
    recorder.stop()


def finished(record, plan, results):
    return run_record.finish(record, complete(plan, results), 1)


def test_a_closed_folder_holds_all_the_contract_names_and_sha256sum_agrees(folder, record, plan, extras, no_report):
    commit_plan(folder, plan)
    results = [ran(plan[0]), ran(plan[1], Verdict.FAILED, "hunter2 refused", looks=2)]
    lines = close(folder, finished(record, plan, results), plan, results, extras).lines
    assert lines == ["report.html was not written: Allure 3 is not installed"]
    assert {each.name for each in folder.path.iterdir()} == {
        "plan.json", "run.json", "results.json", "junit.xml", "allure-results", "auditor.html", "postdeploy.log",
        "manifest.json", "SHA256SUMS", "redactions.json",
    }  # fmt: skip
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(check, cwd=folder.path, check=True)
    assert "hunter2" not in "".join(each.read_text() for each in folder.path.rglob("*") if each.is_file())


def test_results_are_one_per_planned_check_and_the_log_ends_with_the_verdict(folder, record, plan, extras, no_report):
    stranger = ran(planned("infra.new.check"))
    lines = close(folder, finished(record, plan, []), plan, [stranger], extras).lines
    results = msgspec.json.decode((folder.path / "results.json").read_bytes(), type=tuple[Result, ...])
    assert [each.key for each in results] == [each.key for each in plan]
    assert lines[0].startswith("harness error: infra.new.check")
    log = [json.loads(each) for each in (folder.path / "postdeploy.log").read_text().splitlines()]
    assert [each["level"] for each in log] == ["warning", "warning", "info"]
    assert (log[-1]["message"], log[-1]["verdict"]) == ("run ended", "failed")


def test_a_kill_while_rendering_leaves_the_verdict(folder, record, plan, monkeypatch):
    seen = []

    def killed(*_: object) -> None:
        seen.append(json.loads((folder.path / "run.json").read_bytes())["verdict"])
        raise SystemExit(137)

    monkeypatch.setattr(report, "render", killed)
    with pytest.raises(SystemExit):
        close(folder, finished(record, plan, []), plan, [])
    assert seen == ["failed"]


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt(), ValueError()])
def test_a_step_that_fails_costs_no_other_step(folder, record, plan, extras, no_report, monkeypatch, error):
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(auditor, "auditor_page", fails)
    lines = close(folder, finished(record, plan, []), plan, [], extras).lines
    assert lines[0].startswith("auditor.html was not written: ")
    assert (folder.path / "manifest.json").is_file()
    assert not (folder.path / "auditor.html").exists()


def test_a_manifest_that_cannot_be_made_is_said(folder, record, plan):
    (folder.path / "link").symlink_to("/etc/passwd")
    (line,) = close(folder, finished(record, plan, []), plan, [], Extras(report=False)).lines
    assert line == "manifest.json was not written: link is a symbolic link: what it points to is not in the run folder"


def test_whether_it_was_a_rehearsal_is_settled_at_the_end(folder, record, plan, extras, no_report):
    rehearsal = msgspec.structs.replace(finished(record, plan, []), rehearsal=True)
    close(folder, rehearsal, plan, [], extras)
    found = [json.loads(each.read_text()) for each in (folder.path / "allure-results").glob("*-result.json")]
    assert len(found) == len(plan)
    assert all({"name": "rehearsal", "value": "true"} in each["parameters"] for each in found)


def test_the_plans_hash_is_that_of_the_file(folder, plan):
    digest = commit_plan(folder, plan)
    said = subprocess.run(
        ["sha256sum", "plan.json"], cwd=folder.path, check=True, capture_output=True, text=True
    ).stdout
    assert said.split()[0] == digest


@pytest.mark.parametrize("written", range(10))
def test_a_disk_that_fills_up_while_closing_loses_nothing_that_was_there_and_proves_nothing(
    folder, record, plan, keys, monkeypatch, written
):
    key = keys.open()
    digest = commit_plan(folder, plan)
    folder.write_json("run.json", record)
    before = snapshot(folder.path)
    write, left = folder.write_bytes, iter(range(written))

    def full(name: str, data: bytes) -> Path:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(name, data)

    monkeypatch.setattr(folder, "write_bytes", full)
    results = complete(plan, [ran(each) for each in plan])
    begun = msgspec.structs.replace(record, plan_sha256=digest, signing=key.keyid)
    closed = close(folder, run_record.finish(begun, results, 0), plan, results, Extras(key=key, report=False))
    assert any("No space left on device" in each for each in closed.lines) or written > 8
    after = snapshot(folder.path)
    assert after["plan.json"] == before["plan.json"]
    assert not [name for name in after if name.endswith(".tmp")]
    assert json.loads((folder.path / "run.json").read_bytes())["run_id"] == record.run_id
    whole = verify_folder(folder.path).state is State.WHOLE
    assert whole == (closed.lines == [])
    assert (closed.record.exit_code == 0) <= (whole or not any(each.startswith(ESSENTIAL) for each in closed.lines))
