"""Several environments: one child run each, one table, the gravest exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from postdeploy.fleet import gravest
from tests.runs import rehearse, run


def test_two_environments_are_two_runs_and_one_table(tmp_path: Path) -> None:
    archive, junit, allure = tmp_path / "archive", tmp_path / "out.xml", tmp_path / "allure"
    ended = run(
        *("-m", "infra", "--env=uk-prod", "--env=cy-prod", "--rehearsal", "--hold=0", "--fault=scaled-to-zero"),
        *("-k", "scale or lockstep", f"--junitxml={junit}", f"--alluredir={allure}"),
        archive=archive,
    )
    assert ended.code == 1, ended.output
    parent = json.loads(next(archive.glob("all/*/run.json")).read_bytes())
    assert parent["environment"] == "all"
    assert parent["exit_code"] == 1
    assert parent["rehearsal"] is True
    for name in ("uk-prod", "cy-prod"):
        child = json.loads(next(archive.glob(f"{name}/*/run.json")).read_bytes())
        assert child["environment"] == name
        assert (tmp_path / f"out-{name}.xml").is_file()
        assert list((allure / name).glob("*-result.json"))
        assert next(archive.glob(f"all/*/output/{name}.log")).stat().st_size


def test_fault_in_one_environment_is_found_across_them(tmp_path: Path) -> None:
    archive, junit, allure = tmp_path / "archive", tmp_path / "out.xml", tmp_path / "allure"
    ended = run(
        *("-m", "infra", "--env=uk-prod", "--env=cy-prod", "--env=mt-prod", "--rehearsal", "--hold=0"),
        *("--fault=other-push@cy-prod", f"--junitxml={junit}", f"--alluredir={allure}"),
        archive=archive,
    )
    assert ended.code == 1, ended.output
    children = [json.loads(each.read_bytes()) for each in archive.glob("*-prod/*/run.json")]
    assert [each["exit_code"] for each in children] == [0, 0, 0]
    assert "cy-prod: sha256:" in ended.output
    whole = ended.read("run.json")
    assert (whole["verdict"], whole["exit_code"]) == ("failed", 1)
    assert whole["counts"]["failed"] == 1
    assert whole["planned"] == sum(each["planned"] for each in children) + len(ended.read("results.json"))
    assert ended.of("parity.images.digest") == {"passed", "failed"}
    assert ended.of("parity.release.tag") == ended.of("parity.lockstep.skew") == {"passed"}
    assert {each["id"] for each in ended.read("plan.json")} == {each["id"] for each in ended.read("results.json")}
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=ended.folder, check=True)
    for name in ("junit.xml", "auditor.html"):
        assert "parity.images.digest" in (ended.folder / name).read_text(encoding="utf-8")
    assert "parity.images.digest" in (tmp_path / "out-all.xml").read_text(encoding="utf-8")
    for place in (ended.folder / "allure-results", allure / "all"):
        shown = [json.loads(each.read_bytes()) for each in place.glob("*-result.json")]
        assert len(shown) == len(ended.read("results.json"))
        assert {each["status"] for each in shown if each["fullName"] == "parity.images.digest"} == {"passed", "failed"}
        assert all({"name": "environment", "value": "all"}.items() <= each["parameters"][1].items() for each in shown)


def test_nothing_is_compared_where_no_cluster_was_looked_at(tmp_path: Path) -> None:
    ended = run(
        *("-m", "endpoints", "--env=uk-prod", "--env=cy-prod", "--rehearsal", "--hold=0", "-k", "host_is_healthy"),
        archive=tmp_path,
    )
    assert ended.code == 0, ended.output
    assert set(ended.verdicts.values()) == {"unverified"}
    assert all(each.startswith("unverified: not run") for each in ended.messages("parity.release.tag"))


@pytest.mark.parametrize("target", ["xx-prod", "mt-prod"])
def test_fault_aimed_beside_the_run_is_refused(tmp_path: Path, target: str) -> None:
    several = ("-m", "verify", "--env=uk-prod", "--env=cy-prod", "--rehearsal", f"--fault=crash-loop@{target}")
    ended = run(*several, archive=tmp_path)
    assert ended.code == 4, ended.output
    assert target in ended.output


def test_single_run_ignores_what_is_aimed_at_another_environment(tmp_path: Path) -> None:
    ended = rehearse("--fault=crash-loop@cy-prod", "-k", "doomed or beyond_recovery", archive=tmp_path)
    assert ended.code == 0, ended.output
    assert "bent by" not in ended.output


def test_unknown_environment_among_several_starts_none(tmp_path: Path) -> None:
    ended = run("-m", "verify", "--env=uk-prod", "--env=xx-prod", "--rehearsal", archive=tmp_path)
    assert ended.code == 4, ended.output
    assert "xx-prod" in ended.output
    assert not list(tmp_path.iterdir())


def test_several_environments_need_a_release_too(tmp_path: Path) -> None:
    ended = run("-m", "verify", "--env=all", archive=tmp_path)
    assert ended.code == 4
    assert "Which release must be live?" in ended.output


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([0, 0], 0), ([0, 10], 10), ([10, 1], 1), ([1, 12], 12), ([4, 0], 4), ([0, -9], 10), ([5, 0], 5), ([11, 4], 11)],
)
def test_the_gravest_code_of_the_contract_wins(codes: list[int], expected: int) -> None:
    assert gravest(codes) == expected
