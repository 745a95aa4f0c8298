from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from postdeploy.evidence import run_record
from postdeploy.evidence.results import complete
from postdeploy.verdict import Verdict
from tests.evidence.makers import STARTED, ran

ROOT = Path(__file__).parents[2]


def names(struct: type) -> str:
    return " ".join(each.name for each in msgspec.structs.fields(struct))


def test_fields_are_the_contracts_in_its_order():
    assert names(run_record.RunRecord) == (
        "run_id environment release verdict exit_code scope rehearsal replay_of started finished suite pipeline "
        "counts planned executed plan_sha256 signing timestamps ledger"
    )
    assert names(run_record.Suite) == "commit dirty environment_sha256 catalogue_sha256 python packages"
    assert names(run_record.Pipeline) == "url job commit tag actor approver ticket id project created approved_at"


def test_a_run_that_is_killed_has_said_unverified(record):
    assert (record.verdict, record.exit_code, record.finished, record.executed) == (Verdict.UNVERIFIED, 10, None, 0)
    assert msgspec.to_builtins(record)["started"] == "2026-11-22T20:00:00Z"


@pytest.mark.parametrize(
    ("verdict", "code", "overall"),
    [
        (Verdict.PASSED, 0, Verdict.PASSED),
        (Verdict.DEGRADED, 0, Verdict.DEGRADED),
        (Verdict.FLAKY, 11, Verdict.FLAKY),
        (Verdict.FAILED, 1, Verdict.FAILED),
        (Verdict.RESIDUE, 12, Verdict.RESIDUE),
        (Verdict.UNVERIFIED, 10, Verdict.UNVERIFIED),
        (Verdict.PASSED, 10, Verdict.UNVERIFIED),
        (Verdict.PASSED, 4, Verdict.UNVERIFIED),
        (Verdict.PASSED, 3, Verdict.UNVERIFIED),
    ],
)
def test_the_runs_verdict_never_says_more_than_its_exit_code(record, plan, verdict, code, overall):
    results = complete(plan, [ran(plan[0], verdict)])
    done = run_record.finish(record, results, code, STARTED + timedelta(seconds=9))
    assert (done.verdict, done.exit_code) == (overall, code)
    assert (done.planned, done.executed, done.counts["not-applicable"]) == (5, 1, 1)


def test_finishing_takes_the_time_when_none_is_given(record):
    assert run_record.finish(record, (), 5).finished is not None
    assert record.is_full


def test_only_listed_variables_of_the_ci_reach_the_record():
    pipeline = run_record.describe_pipeline(
        {
            "CI_PIPELINE_URL": "https://gitlab.example/1",
            "CI_JOB_URL": "",
            "CI_JOB_TOKEN": "secret",
            "CI_COMMIT_TAG": "v1",
        }
    )
    assert pipeline == run_record.Pipeline(url="https://gitlab.example/1", tag="v1")


def test_named_packages_are_the_direct_dependencies():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert set(run_record.PACKAGES) == {re.split(r"[<>=\[]", each)[0] for each in declared}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@t.example", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(
    shutil.which("git") is None, reason="a bare machine has no git; the suite's commit is unknown there"
)
def test_suite_is_known_by_its_commit_and_whether_it_differs_from_it(tmp_path):
    git(tmp_path, "init", "-q")
    assert run_record.describe_suite(tmp_path, b"{}").commit == "unknown"
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "a")
    suite = run_record.describe_suite(tmp_path, b"{}")
    assert (suite.commit, suite.dirty) == (git(tmp_path, "rev-parse", "HEAD"), False)
    assert suite.environment_sha256 == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert "pytest" in suite.packages
    (tmp_path / "b").write_text("2")
    assert run_record.describe_suite(tmp_path, b"{}").dirty is True


def test_suite_without_a_checkout_or_without_git_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert run_record.describe_suite(tmp_path, b"{}").dirty is None
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(run_record, "PACKAGES", ("pytest", "no-such-package"))
    suite = run_record.describe_suite(tmp_path, b"{}")
    assert suite.commit == "unknown"
    assert "no-such-package" not in suite.packages
