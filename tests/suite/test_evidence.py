"""Signed runs, killed runs and leaking runs, as a pipeline and an auditor meet them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from postdeploy.evidence.attestation import read_attestation
from postdeploy.evidence.findings import State
from postdeploy.evidence.trust import read_trust
from postdeploy.evidence.unfinished import MARK
from postdeploy.evidence.verifying import verify_folder
from tests.browsers import needs_browser
from tests.evidence.signed import Keys, make_keys
from tests.evidence.tampering import ALTERATIONS, SEALS, at_once, files, snapshot
from tests.runs import RELEASE, ROOT, WITHOUT_BROWSER, Ended, command, rehearse, run, variables

SEALED = ("manifest.json", "SHA256SUMS")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Ended:
    needs_browser()
    return rehearse("-m", "verify", f"--sign-key={keys.private}", archive=tmp_path_factory.mktemp("archive"))


def postdeploy(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "postdeploy.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables(), capture_output=True, text=True, check=False)


def test_a_signed_run_verifies_offline_with_the_public_key_alone(signed: Ended, keys: Keys) -> None:
    assert signed.code == 0, signed.output
    assert "UNSIGNED" not in signed.output
    done = postdeploy("verify-evidence", str(signed.folder), f"--keys={keys.trust()}")
    assert done.returncode == 0, done.stdout
    assert "WHOLE" in done.stdout
    assert "signed by verify of uk-prod" in done.stdout


def test_the_signature_is_about_the_images_observed_running(signed: Ended) -> None:
    statement = read_attestation(signed.folder / "attestations/test-result.dsse.json").statement
    images = {each["name"] for each in statement["subject"]} - set(SEALED)
    assert "europe-docker.pkg.dev/northgate-prod/crm/crm" in images
    assert statement["predicate"]["result"] == "PASSED"


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda each: each.__name__)
def test_every_file_of_a_whole_run_that_is_altered_is_located(
    signed: Ended, keys: Keys, alteration, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(signed.folder, copy)
    bound = [each for each in files(copy) if not each.startswith(SEALS)]
    expected = at_once(copy, bound, alteration)
    report = verify_folder(copy, read_trust(keys.trust()))
    assert expected <= {each.path for each in report.findings}
    assert report.state is State.TAMPERED


def test_show_and_replay_read_the_folder(signed: Ended, tmp_path: Path) -> None:
    shown = postdeploy("show", str(signed.folder))
    assert shown.stdout.startswith(f"PASSED: {RELEASE} in uk-prod (exit code 0)\nREHEARSAL"), shown.stdout
    again = postdeploy("replay", str(signed.folder), f"--archive={tmp_path}")
    assert again.returncode == 0, again.stdout
    assert again.stdout.endswith("the same verdict on every check\n")


def test_a_rehearsal_without_a_key_says_unsigned_in_its_verdict(tmp_path: Path) -> None:
    ended = rehearse("-k", "lockstep", archive=tmp_path)
    assert "PASSED (REHEARSAL, not evidence of production) UNSIGNED" in ended.output
    assert ended.record["signing"] == "unsigned"


def test_a_live_run_without_a_key_is_refused_before_any_look(tmp_path: Path) -> None:
    arguments = ("-m", "infra", "--env=uk-prod", f"--release={RELEASE}")
    ended = run(*arguments, archive=tmp_path, env={"KUBECONFIG": "/nowhere", "POSTDEPLOY_UNSIGNED": "0"})
    assert ended.code == 4, ended.output
    assert "say --unsigned" in ended.output
    assert not list(tmp_path.iterdir())


def test_a_key_that_cannot_sign_is_refused_before_any_look(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("nonsense")
    ended = rehearse(f"--sign-key={tmp_path}/key.pem", archive=tmp_path / "archive")
    assert ended.code == 4, ended.output
    assert "cannot be used" in ended.output
    assert not (tmp_path / "archive").exists()


def kill_after(lines: int, archive: Path) -> Path:
    """Start a run, let it write that many files of its folder, and kill it with SIGKILL."""
    process = subprocess.Popen(
        command("-m", WITHOUT_BROWSER, "--env=uk-prod", "--rehearsal", "--hold=0", archive=archive),
        cwd=ROOT,
        env=variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ended = threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    while not ended.wait(0.01):
        folder = next(iter((archive / "uk-prod").glob("*")), None)
        if folder is not None and len(files(folder)) >= lines:
            process.kill()
    return next(iter((archive / "uk-prod").glob("*")))


@pytest.mark.parametrize("lines", [1, 6, 300])
def test_a_killed_run_is_honest_and_the_next_run_marks_it(tmp_path: Path, lines: int) -> None:
    dead = kill_after(lines, tmp_path)
    before = snapshot(dead)
    report = verify_folder(dead)
    assert report.state is State.INCOMPLETE, report.findings
    ended = rehearse("-k", "lockstep", archive=tmp_path)
    assert f"an earlier run was never finished: {dead}" in ended.output
    after = snapshot(dead)
    assert {name: after[name] for name in before} == before
    mark = json.loads((dead / MARK).read_bytes())
    assert mark["run_id"] == dead.name
    assert mark["marked_by"] == ended.record["run_id"]
    assert mark["came_as_far_as"]
    assert verify_folder(dead).state is State.INCOMPLETE


def test_a_run_that_is_still_at_work_is_not_marked(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("-m", "infra", "--env=uk-prod", "--rehearsal", "--hold=60", archive=tmp_path),
        cwd=ROOT,
        env=variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        waited = threading.Event()
        while not (alive := list((tmp_path / "uk-prod").glob("*/run.json"))) and process.poll() is None:
            waited.wait(0.02)
        ended = rehearse("-k", "lockstep", archive=tmp_path)
        assert "never finished" not in ended.output
        assert not (alive[0].parent / MARK).exists()
    finally:
        process.kill()
        process.wait()
