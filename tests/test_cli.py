"""The `postdeploy` command: each verb does what its help says, and bad input is one paragraph and exit code 4."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from postdeploy import cli, verbs
from tests.runs import ROOT

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "namespace": "crm", "uid": "1"},
    "spec": {"containers": [{"name": "a", "image": "x:1"}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "ContainersReady", "status": "True"}],
        "containerStatuses": [{"name": "a", "ready": True, "state": {"running": {}}, "restartCount": 0}],
    },
}


def dump(path: Path, content: object) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_judge_says_what_the_suite_would(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["judge", dump(tmp_path / "pod.json", POD), "--json"])
    (judged,) = json.loads(capsys.readouterr().out)
    assert code == 0
    assert set(judged) == {"kind", "namespace", "name", "verdict", "reason"}
    assert (judged["kind"], judged["namespace"], judged["name"], judged["verdict"]) == ("Pod", "crm", "a", "passed")


def test_judge_ends_red_when_something_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"name": "a", "ready": False, "restartCount": 9, "state": waiting}
    pod = POD | {"status": {"phase": "Running", "containerStatuses": [status]}}
    assert cli.main(["judge", dump(tmp_path / "pod.json", pod)]) == 1
    assert "CrashLoopBackOff" in capsys.readouterr().out


def test_judge_cannot_say_what_it_has_no_rule_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = {"apiVersion": "example/v1", "kind": "Widget", "metadata": {"name": "w"}}
    assert cli.main(["judge", dump(tmp_path / "w.json", unknown)]) == 10
    assert "unverified" in capsys.readouterr().out


@pytest.mark.parametrize(
    "typed", [[], ["verify-evidence"], ["nonsense"], ["verify-evidence", "run", "--kes=keys.json"], ["journal"]]
)
def test_bad_usage_is_never_taken_for_incomplete_evidence(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(typed)
    assert ended.value.code == 4
    assert capsys.readouterr().err.startswith("usage: postdeploy")


@pytest.mark.parametrize("content", ["", "not: [", "3", '{"kind": 1}'])
def test_judge_refuses_what_is_no_object(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dump.yaml"
    path.write_text(content, encoding="utf-8")
    assert cli.main(["judge", str(path)]) == 4
    assert str(path) in capsys.readouterr().err


def test_plan_names_every_check_and_what_it_touches(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--env", "uk-prod"]) == 0
    said = capsys.readouterr().out
    assert "infra.rollout.complete" in said
    assert "api.uk.northgate.example" in said


def test_unknown_environment_is_one_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--env", "uk-prd"]) == 4
    assert "did you mean 'uk-prod'?" in capsys.readouterr().err


@pytest.mark.parametrize(("verb", "least"), [("faults", 15), ("traps", 10)])
def test_listing_is_machine_readable(verb: str, least: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "--json"]) == 0
    entries = json.loads(capfd.readouterr().out)
    assert len(entries) >= least
    assert all(set(each) == {"name", "tier", "catches", "verdict"} for each in entries)


def test_catalogue_and_schema_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["catalogue"]) == 0
    assert "smoke.login.token" in capsys.readouterr().out
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["additionalProperties"] is False


def test_written_files_are_those_that_are_committed(capsys: pytest.CaptureFixture[str]) -> None:
    kept = [ROOT / "postdeploy/catalogue.json", ROOT / "environments/schema.json"]
    before = [each.read_bytes() for each in kept]
    assert cli.main(["catalogue", "--write"]) == cli.main(["schema", "--write"]) == 0
    assert [each.read_bytes() for each in kept] == before


def test_rehearsal_is_served_from_any_folder_until_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "postdeploy.cli", "rehearse", "--env", "cy-prod", "--dir", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--seed", "7", "--fault", "health-500"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    assert (said["environment"], said["seed"], said["faults"]) == ("cy-prod", 7, ["health-500"])
    assert said["pid"] == process.pid
    process.wait(timeout=20)


def test_interrupted_verb_ends_as_shells_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postdeploy.evidence.plan.touches", _interrupted)
    assert cli.main(["plan", "--env", "uk-prod"]) == 130


def _interrupted(*_: object) -> str:
    raise KeyboardInterrupt


def test_installation_without_a_checkout_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(verbs, "ROOT", tmp_path)
    assert cli.main(["faults"]) == 4
    assert "run it from a checkout" in capsys.readouterr().err
