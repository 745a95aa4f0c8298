"""Bad input: one clear paragraph, the right exit code, and a run folder that says how far it came."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.runs import RELEASE, ROOT, WITHOUT_BROWSER, Ended, command, rehearse, run, unmeasured
from tests.standin import standin

TOLERANCES = """
tolerances:
  - check: infra.images.tag
    subject: crm-web
    owner: platform
    reason: OPS-1 the release is staged by hand
    expires: 2999-01-01
  - check: infra.pods.ready
    subject: crm-web
    owner: platform
    reason: OPS-2 long ago
    expires: 2020-01-01
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A rootdir of its own whose environments and suites a test may spoil."""
    root = tmp_path / "checkout"
    for folder in ("environments", "verify", "smoke"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    return root


def test_no_environment_is_a_question_with_the_answers(tmp_path: Path) -> None:
    ended = run("-m", "verify", archive=tmp_path)
    assert ended.code == 4
    assert "Which environment? Add --env=NAME, one of: uk-prod" in ended.output


def test_manual_of_the_fixtures_needs_no_environment() -> None:
    ended = run("--fixtures", "verify")
    assert ended.code == 0, ended.output
    assert "Claims about the cluster" in ended.output


def test_unknown_environment_names_the_nearest(tmp_path: Path) -> None:
    ended = run("-m", "verify", "--env=uk-prd", "--rehearsal", archive=tmp_path)
    assert ended.code == 4
    assert "did you mean 'uk-prod'?" in ended.output
    assert not list(tmp_path.iterdir())


def test_broken_yaml_names_file_and_line(checkout: Path, tmp_path: Path) -> None:
    (checkout / "environments/uk-prod.yaml").write_text("api:\n  host: [\n", encoding="utf-8")
    ended = run("-m", "verify", "--env=uk-prod", "--rehearsal", archive=tmp_path / "archive", cwd=checkout)
    assert ended.code == 4, ended.output
    assert "environments/uk-prod.yaml:3:1: not YAML" in ended.output


def test_no_release_is_a_question(tmp_path: Path) -> None:
    ended = run("-m", "infra", "--env=uk-prod", archive=tmp_path)
    assert ended.code == 4, ended.output
    assert "Which release must be live?" in ended.output


def test_missing_kubeconfig_is_unverified_and_recorded(tmp_path: Path) -> None:
    ended = run(
        *("-m", "infra", "--env=uk-prod", f"--release={RELEASE}"),
        archive=tmp_path,
        env={"KUBECONFIG": str(tmp_path / "nowhere")},
    )
    assert ended.code == 10, ended.output
    assert str(tmp_path / "nowhere") in ended.output
    assert ended.of("infra.pods.ready") == {"unverified"}
    assert ended.record["exit_code"] == 10


def test_wrong_cluster_ends_the_run_before_any_look(tmp_path: Path) -> None:
    with standin("cy-prod") as stand:
        ended = run(
            *("-m", "infra", "--env=uk-prod", f"--release={RELEASE}"),
            archive=tmp_path,
            env={"KUBECONFIG": str(stand.kubeconfig)},
        )
    assert ended.code == 4, ended.output
    assert "declares the kubeconfig context 'gke_northgate-prod_europe-west2_uk-prod'" in ended.output
    assert not (ended.folder / "observation").exists()
    assert ended.record["exit_code"] == 4
    assert set(ended.verdicts.values()) == {"unverified", "not-applicable"}


def test_archive_that_cannot_be_written_is_said_before_any_look(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ended = rehearse("-k", "lockstep", archive=tmp_path / "file")
    assert ended.code == 4, ended.output
    assert "cannot be written" in ended.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rehearsal", "--fault=crash-lop"), "Did you mean 'crash-loop'?"),
        (("--fault=crash-loop", "--release=v1"), "Add --rehearsal"),
        (("--seed=3", "--release=v1"), "Add --rehearsal"),
        (("--rehearsal", "--budget=-1"), "--budget"),
        (("--rehearsal", "-n2"), "A verification is one process"),
        (("--rehearsal", "--tx", "2*popen", "--dist", "load"), "A verification is one process"),
        (("--rehearsal", "--digests=/nowhere"), "--digests"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = run("-m", "verify", "--env=uk-prod", *arguments, archive=tmp_path)
    assert ended.code == 4, ended.output
    assert said in ended.output


def test_replay_of_something_else_is_refused(tmp_path: Path) -> None:
    ended = run("-m", "verify", f"--replay={tmp_path}", archive=tmp_path / "archive")
    assert ended.code == 4
    assert "cannot be replayed" in ended.output


def test_nothing_selected_leaves_nothing_behind(tmp_path: Path) -> None:
    ended = rehearse("-k", "no_such_check", archive=tmp_path)
    assert ended.code == 5, ended.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("look", ["--plan", "--collect-only"])
def test_plan_touches_nothing(tmp_path: Path, look: str) -> None:
    ended = run("-m", "infra", "--env=uk-prod", f"--release={RELEASE}", look, archive=tmp_path)
    assert ended.code == 0, ended.output
    assert "crm-web" in ended.output
    assert not list(tmp_path.iterdir())


def test_module_that_does_not_import_leaves_its_checks_unverified(checkout: Path, tmp_path: Path) -> None:
    with (checkout / "verify/infra/test_pods.py").open("a", encoding="utf-8") as module:
        module.write("\nimport no_such_module\n")
    ended = run(
        *("-m", WITHOUT_BROWSER, "--env=uk-prod", "--rehearsal", "--hold=0"), archive=tmp_path / "archive", cwd=checkout
    )
    assert ended.code == 10, ended.output
    assert ended.of("infra.pods.ready") == {"unverified"}
    assert "could not be imported" in ended.messages("infra.pods.ready")[0]
    assert ended.of("infra.images.tag") == {"passed"}


def test_tolerated_failure_is_degraded_with_a_name_on_it(checkout: Path, tmp_path: Path) -> None:
    overlay = checkout / "environments/mt-prod.yaml"
    overlay.write_text(overlay.read_text(encoding="utf-8") + TOLERANCES, encoding="utf-8")
    ended = run(
        *("-m", "verify", "--env=mt-prod", "--rehearsal", "--release=v1999.1.0", "--hold=0", "--fail-on-soft"),
        *("-k", "tolerance or (carries_the_release and crm-web)"),
        archive=tmp_path / "archive",
        cwd=checkout,
    )
    assert ended.code == 11, ended.output
    assert ended.of("infra.tolerances.current") == {"degraded"}
    assert (
        "tolerance: check infra.pods.ready, subject crm-web expired on 2020-01-01 (owner platform: OPS-2"
        in (ended.messages("infra.tolerances.current")[0])
    )
    assert ended.verdicts["infra.images.tag", "crm-web"] == "degraded"
    assert "DEGRADED infra.images.tag[crm-web]: tolerated until 2999-01-01 by platform: OPS-1" in ended.output


def test_run_without_allure_says_so_and_loses_no_result(tmp_path: Path) -> None:
    ended = rehearse("-p", "no:allure_pytest", "-m", "smoke", archive=tmp_path)
    assert ended.code == 0, ended.output
    assert len(ended.verdicts) == ended.record["planned"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_records_how_far_it_came(tmp_path: Path, number: signal.Signals) -> None:
    arguments = ("-m", "verify", "--env=uk-prod", "--rehearsal", "--fault=never-ready")
    process = subprocess.Popen(
        command(*arguments, archive=tmp_path),
        cwd=ROOT,
        env=unmeasured(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:  # it settles for seconds after this line, since the pods never get ready
        said += line
        if line.startswith("settling"):
            break
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    ended = Ended(process.returncode, said + rest)
    assert ended.code == 10, ended.output
    assert set(ended.verdicts.values()) == {"unverified", "not-applicable"}
    assert "unverified: not run: the run was interrupted" in ended.messages("infra.pods.ready")
    assert ended.record["finished"] is not None


def test_same_context_name_on_another_cluster_is_the_wrong_cluster(tmp_path: Path) -> None:
    with standin("cy-prod") as stand:
        content = stand.kubeconfig.read_text(encoding="utf-8")
        renamed = content.replace(stand.config["current-context"], "gke_northgate-prod_europe-west2_uk-prod")
        stand.kubeconfig.write_text(renamed, encoding="utf-8")
        ended = run(
            *("-m", "infra", "--env=uk-prod", f"--release={RELEASE}"),
            archive=tmp_path,
            env={"KUBECONFIG": str(stand.kubeconfig)},
        )
    assert ended.code == 4, ended.output
    assert "kube-system uid: declared" in ended.output
    assert not (ended.folder / "observation").exists()


def test_interrupted_fleet_ends_its_children_and_says_unverified(tmp_path: Path) -> None:
    arguments = ("-m", "verify", "--env=uk-prod", "--env=cy-prod", "--rehearsal", "--fault=never-ready")
    process = subprocess.Popen(
        command(*arguments, archive=tmp_path), cwd=ROOT, env=unmeasured(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("verifying uk-prod, cy-prod")
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 10, said
    assert "exit code 10" in said
