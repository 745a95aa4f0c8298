"""A run in which somebody allowed a check not to be run: it says who, is degraded, and replays to the same."""

from __future__ import annotations

from pathlib import Path

from tests.runs import rehearse, run

WAIVERS = """
waivers:
  - check: infra.images.tag
    subject: crm-web
    approver: Ada Lovelace
    reason: it is staged by hand
    expires: 2999-01-31
"""


def test_a_waived_check_is_not_run_and_a_replay_keeps_the_waiver(tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(WAIVERS, encoding="utf-8")
    given = f"--waivers={tmp_path / 'waivers.yaml'}"
    ended = rehearse("-m", "infra", "--fail-on-soft", given, archive=tmp_path / "archive")
    assert ended.code == 11, ended.output
    assert "not run: infra.images.tag[crm-web]: waived until 2999-01-31 by Ada Lovelace" in ended.output
    (waived,) = [each for each in ended.read("results.json") if "waiver" in each]
    assert (waived["subject"], waived["verdict"], waived["started"]) == ("crm-web", "degraded", None)
    assert [each["waiver"]["approver"] for each in ended.read("plan.json") if "waiver" in each] == ["Ada Lovelace"]
    again = run("-m", "infra", f"--replay={ended.folder}", archive=tmp_path / "again")
    assert again.verdicts == ended.verdicts


def test_a_run_of_nothing_but_waived_checks_verifies_nothing(tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(WAIVERS.replace("    subject: crm-web\n", ""), encoding="utf-8")
    given = f"--waivers={tmp_path / 'waivers.yaml'}"
    ended = rehearse("-k", "carries_the_release", given, archive=tmp_path / "archive")
    assert ended.code == 10, ended.output


def test_a_waiver_of_an_unknown_check_is_refused_before_any_look(tmp_path: Path) -> None:
    text = WAIVERS.replace("infra.images.tag", "infra.images.tags")
    (tmp_path / "waivers.yaml").write_text(text, encoding="utf-8")
    ended = rehearse(f"--waivers={tmp_path / 'waivers.yaml'}", archive=tmp_path / "archive")
    assert ended.code == 4, ended.output
    assert "did you mean 'infra.images.tag'?" in ended.output
    assert not (tmp_path / "archive").exists()
