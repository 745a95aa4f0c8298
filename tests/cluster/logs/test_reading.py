"""Around the reading: the window, how fast we ask, where two windows meet, what earlier runs knew, files."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postdeploy.cli import main
from postdeploy.cluster.logs import pace as pacing
from postdeploy.cluster.logs.earlier import earlier
from postdeploy.cluster.logs.pace import Pace
from postdeploy.cluster.logs.seen import Finding, Known, Logs, Reading, save
from postdeploy.cluster.logs.split import Split
from postdeploy.cluster.logs.window import LONGEST, window
from postdeploy.cluster.sight import Sight
from tests.cluster.build import RELEASE
from tests.cluster.logs.served import stream
from tests.cluster.logs.times import BEGAN, TAKEN
from tests.rehearsal.judged import ENVIRONMENT, Rehearsal


def seen_by(rehearsal: Rehearsal) -> Any:
    return window(Sight(rehearsal.look(), ENVIRONMENT, "v2026.47.1"))


def test_the_window_begins_when_a_kustomization_first_applied_the_revision():
    rehearsal = Rehearsal()
    found = seen_by(rehearsal)
    assert found.start == rehearsal.world.rollout_at - timedelta(seconds=90)
    assert found.end == rehearsal.world.now
    assert found.before == found.start - found.length


def test_without_its_history_helm_s_and_then_the_revisions_say_it():
    rehearsal = Rehearsal()
    for each in rehearsal.world.all("Kustomization"):
        each["status"]["history"] = []
    assert seen_by(rehearsal).anchor.startswith("HelmRelease")
    for each in rehearsal.world.all("HelmRelease"):
        each["status"]["history"] = []
    found = seen_by(rehearsal)
    assert found.anchor.startswith("creation")
    # The migration's Job is a part of the rollout, and came before the revisions.
    assert found.start == rehearsal.world.rollout_at - timedelta(seconds=70)


def test_a_release_that_was_live_long_before_has_a_window_that_ends_somewhere():
    found = seen_by(Rehearsal("no-op-deploy"))
    assert found.length <= LONGEST


@pytest.mark.parametrize(("nodes", "peak"), [("abcdefgh", 3), ("a", 2)])
def test_no_more_streams_than_allowed_at_a_node_and_in_all(nodes, peak):
    async def crowd() -> Pace:
        pace = Pace(3, 2)

        async def one(node: str) -> None:
            async with pace.slot(node):
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            for number in range(60):
                group.start_soon(one, nodes[number % len(nodes)])
        return pace

    pace = anyio.run(crowd)
    assert (pace.peak, pace.at_once) == (peak, 0)


def test_a_refusal_halves_the_streams_and_late_first_bytes_too():
    async def slowed() -> list[int]:
        pace, found = Pace(64, 4), []
        for _ in range(12):
            pace.answered(0.2, 0.21)
        found.append(pace.allowed)
        pace.refused()
        found.append(pace.allowed)
        pace.answered(9.0)
        found.append(pace.allowed)
        for _ in range(20):
            pace.refused()
        return [*found, pace.allowed]

    grown = pacing.START + 12
    assert anyio.run(slowed) == [grown, grown // 2, grown // 4, pacing.LEAST]


def test_a_far_server_is_asked_more_at_once_up_to_the_most():
    async def grown() -> int:
        pace = Pace(20, 4)
        for _ in range(50):
            pace.answered(0.2, 0.21)
        return pace.allowed

    assert anyio.run(grown) == 20


@settings(max_examples=50)
@given(st.integers(0, 9), st.integers(1, 200))
def test_where_two_windows_meet_no_line_goes_astray(early, chunk):
    lines = [f"2026-11-20T09:{49 if n < early else 50}:0{n}.000000000Z [ERROR] stale {n}\n" for n in range(9)]
    data, split = "".join(lines).encode(), Split(stream(), stream(), BEGAN)
    for start in range(0, len(data), chunk):
        split.feed(data[start : start + chunk])
    told = split.close()
    since, before = told.tally, told.before
    assert before is not None
    assert [sum(e.count for e in each.findings()) for each in (before, since)] == [min(early, 9), 9 - min(early, 9)]


@pytest.mark.parametrize(("work", "grows"), [(0.001, True), (0.2, False)])
def test_late_first_bytes_ask_for_no_more_where_our_own_work_takes_the_time(work, grows):
    async def grown() -> bool:
        pace = Pace(64, 4)
        async with pace.slot("a", "b"):
            pace.answered(0.2, 0.21, work)
        return pace.allowed > pacing.START

    assert anyio.run(grown) is grows


def run_folder(archive: Path, name: str, *, exit_code: int = 0, rehearsal: bool = False) -> None:
    folder = archive / name
    (folder / "observation").mkdir(parents=True)
    record = {"exit_code": exit_code, "rehearsal": rehearsal, "replay_of": None}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    found = Finding(id=name, level="error", template="stale", count=3)
    readings = (Reading("crm-web", "crm", "a", "crm-web", findings=(found, found)),)
    (folder / "observation/logs.json.gz").write_bytes(save(Logs(RELEASE, BEGAN, TAKEN, "x", readings)))


def test_only_the_latest_green_runs_of_the_same_kind_are_remembered(tmp_path):
    for name, how in {
        "20261101T1": {},
        "20261102T1": {},
        "20261103T1": {"exit_code": 1},
        "20261104T1": {"rehearsal": True},
        "20261105T1": {},
    }.items():
        run_folder(tmp_path, name, **how)
    (tmp_path / "20261105T1/observation/logs.json.gz").write_bytes(b"damaged")
    (tmp_path / "20261106T1").mkdir()
    run_folder(tmp_path, "20261107T1")
    found = earlier(tmp_path, 2, rehearsal=False, but="20261107T1")
    assert [each.run_id for each in found] == ["20261102T1", "20261101T1"]
    assert found[0].known == (Known("20261102T1", "crm-web", 6, "stale", "", "", "crm-web"),)
    assert earlier(tmp_path / "nowhere", 2, rehearsal=False, but="") == ()


LOG = "[ERROR] stale quote 1\n[INFO] fine\n[ERROR] stale quote 2\n"


def scan(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main(["scan-logs", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_a_file_is_scanned_as_agreed(tmp_path, capsys):
    file = tmp_path / "app.log"
    file.write_text(LOG, encoding="utf-8")
    code, (found,) = scan(capsys, str(file))
    assert code == 0
    assert set(found) == {"file", "format", "records", "critical", "error", "tracebacks", "findings", "verdict"}
    assert (found["records"], found["critical"], found["error"], found["verdict"]) == (3, 0, 2, "passed")
    (said,) = found["findings"]
    assert said == {
        "template": "stale quote <#>",
        "severity": "error",
        "count": 2,
        "new": None,
        "example": "[ERROR] stale quote 1",
    }


def test_a_baseline_tells_what_is_new(tmp_path, capsys):
    (tmp_path / "old.log").write_text("[ERROR] stale quote 77\n", encoding="utf-8")
    (tmp_path / "new.log").write_text(LOG + "[ERROR] no disk\n", encoding="utf-8")
    code, (found,) = scan(capsys, "--baseline", str(tmp_path / "old.log"), str(tmp_path / "new.log"))
    assert (code, found["verdict"]) == (1, "failed")
    assert {each["template"]: each["new"] for each in found["findings"]} == {"stale quote <#>": False, "no disk": True}


def test_since_leaves_out_what_came_before_with_its_continuation(tmp_path, capsys):
    file = tmp_path / "app.log"
    file.write_text(
        "2026-11-20 09:00:00,1 ERROR a: early\n  more of it\n2026-11-20 10:00:00,1 ERROR a: late\n", encoding="utf-8"
    )
    _, (found,) = scan(capsys, "--since", "2026-11-20T09:30:00Z", str(file))
    assert [each["template"] for each in found["findings"]] == ["late"]


def test_an_empty_file_proves_nothing(tmp_path, capsys):
    (tmp_path / "empty.log").write_bytes(b"")
    code, (found,) = scan(capsys, str(tmp_path / "empty.log"))
    assert (code, found["verdict"]) == (10, "unverified")


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"[CRITICAL] the ledger is gone\n"),
        "[CRITICAL] the ledger is gone\n".encode("utf-16"),
        "[CRITICAL] the ledger is gone\n".encode("utf-16-le"),
        bytes(range(256)) * 8,
        bytes(4096),
    ],
    ids=["gzip", "utf-16", "utf-16 without a mark", "binary", "a hole"],
)
def test_what_is_no_text_is_not_green(content, tmp_path, capsys):
    (tmp_path / "app.log").write_bytes(content)
    code, (found,) = scan(capsys, str(tmp_path / "app.log"))
    assert (code, found["verdict"]) == (10, "unverified")
    main(["scan-logs", str(tmp_path / "app.log")])
    assert "no plain text" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [bytes(4096) + LOG.encode(), LOG.encode().replace(b"fine", b"f\xfcn \xff\x00"), b"\x1b[32m[INFO] fine\x1b[0m\n"],
    ids=["after a hole", "odd bytes", "colours"],
)
def test_odd_bytes_in_a_text_do_not_make_it_none(content, tmp_path, capsys):
    (tmp_path / "app.log").write_bytes(content)
    code, (found,) = scan(capsys, str(tmp_path / "app.log"))
    assert (code, found["verdict"]) == (0, "passed")


def test_a_window_without_a_line_says_so(tmp_path, capsys):
    (tmp_path / "app.log").write_text("2026-11-20 09:00:00,1 INFO a: early\n  more of it\n", encoding="utf-8")
    assert main(["scan-logs", "--since", "2026-11-20T09:30:00Z", str(tmp_path / "app.log")]) == 10
    assert "None of its 2 lines bears a time within --since" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["/nowhere/at.log"], ["--since", "yesterday", "/dev/null"], ["/"]])
def test_bad_input_is_one_paragraph_and_exit_code_4(arguments, capsys):
    assert main(["scan-logs", *arguments]) == 4
    assert capsys.readouterr().err.startswith("postdeploy: ")


def test_people_get_a_line_for_each_file_and_finding(tmp_path, capsys):
    file = tmp_path / "app.log"
    file.write_text("[CRITICAL] the ledger is gone\n", encoding="utf-8")
    assert main(["scan-logs", str(file)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"FAILED  {file}: text, 1 records, 1 critical")
    assert "critical, 1x: the ledger is gone" in out
