"""What goes wrong with the product or with our sight is told apart, and held to the exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import rehearse


@pytest.mark.parametrize(
    ("fault", "check", "verdict", "code"),
    [
        ("crash-loop", "infra.pods.doomed", "failed", 1),
        ("yesterdays-version", "endpoints.version.release", "failed", 1),
        ("pods-forbidden", "infra.access.read", "unverified", 10),
    ],
)
def test_fault_is_caught_by_the_check_it_names(tmp_path: Path, fault: str, check: str, verdict: str, code: int) -> None:
    ended = rehearse(f"--fault={fault}", archive=tmp_path)
    assert ended.code == code, ended.output
    assert verdict in ended.of(check)
    assert f"{verdict.upper()} {check}[" in ended.output


def test_every_look_is_told_where_one_had_to_be_repeated(tmp_path: Path) -> None:
    ended = rehearse("--fault=cut-once", "-m", "endpoints", "-k", "host_is_healthy", "--fail-on-soft", archive=tmp_path)
    assert ended.code == 11, ended.output
    (flaky,) = [each for each in ended.read("results.json") if each["verdict"] == "flaky"]
    assert [each["outcome"] for each in flaky["attempts"]] == ["failed", "passed"]
    reason = "breaks off its answer"
    assert reason in flaky["message"]
    assert reason in (ended.folder / "junit.xml").read_text(encoding="utf-8")
    told = [each.read_text(encoding="utf-8") for each in (ended.folder / "allure-results").glob("*-result.json")]
    assert any(reason in each for each in told)


def test_what_depends_on_the_login_is_held_and_says_so(tmp_path: Path) -> None:
    ended = rehearse("--fault=login-refused", "-m", "smoke", archive=tmp_path)
    assert ended.code == 1, ended.output
    assert ended.of("smoke.login.token") == {"failed"}
    assert ended.messages("smoke.instruments.listed") == ["held because smoke.login.token"]


def test_wrong_release_tag_is_the_products_failure(tmp_path: Path) -> None:
    ended = rehearse("--release=v1999.1.0", "-k", "carries_the_release and crm-web", archive=tmp_path)
    assert ended.code == 1, ended.output
    assert "v1999.1.0" in ended.messages("infra.images.tag")[0]


def test_failure_message_has_four_parts_and_the_cause_first(tmp_path: Path) -> None:
    ended = rehearse("--fault=crash-loop", "-k", "beyond_recovery", archive=tmp_path)
    message = next(each for each in ended.messages("infra.pods.doomed") if "CrashLoopBackOff" in each)
    assert "CrashLoopBackOff" in message.splitlines()[0]
    assert "where to look: " in message
    assert "usual cause: " in message


def test_first_failure_stops_the_run_on_request_and_the_rest_is_unverified(tmp_path: Path) -> None:
    ended = rehearse("--fault=script-missing", "-x", "-m", "endpoints", archive=tmp_path)
    assert ended.code == 1, ended.output
    assert len(ended.verdicts) == ended.record["planned"]
    assert "unverified" in ended.of("endpoints.version.release")


def test_spent_budget_leaves_the_rest_unverified(tmp_path: Path) -> None:
    ended = rehearse("--budget=0", archive=tmp_path)
    assert ended.code == 10, ended.output
    assert ended.of("smoke.login.token") == {"unverified"}
    assert "unverified: not run: the budget of 0 s was spent" in ended.messages("infra.pods.ready")
