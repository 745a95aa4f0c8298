"""Several environments: one child run each, one table, the gravest exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from postdeploy.fleet import gravest
from tests.runs import run


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
