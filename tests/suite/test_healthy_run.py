"""A healthy rehearsal end to end: green, complete, marked as a rehearsal, and repeatable without network."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.browsers import needs_browser
from tests.runs import RELEASE, WITHOUT_BROWSER, Ended, rehearse, run
from tests.standin import standin


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    needs_browser()
    return rehearse("-m", "verify", archive=tmp_path_factory.mktemp("archive"))


def test_healthy_release_is_verified(healthy: Ended) -> None:
    assert healthy.code == 0, healthy.output
    assert set(healthy.verdicts.values()) == {"passed", "not-applicable"}
    assert healthy.record["verdict"] == "passed"
    assert healthy.record["scope"] == "full"


def test_every_planned_check_has_exactly_one_result(healthy: Ended) -> None:
    planned = [(each["id"], each["subject"]) for each in healthy.read("plan.json")]
    results = [(each["id"], each["subject"]) for each in healthy.read("results.json")]
    assert sorted(planned) == sorted(results)
    applicable = [each for each in healthy.read("plan.json") if each["applicable"]]
    assert (healthy.record["planned"], healthy.record["executed"]) == (len(planned), len(applicable))


def test_run_folder_holds_what_the_contract_names(healthy: Ended) -> None:
    names = {each.name for each in healthy.folder.iterdir()}
    assert names >= {
        "plan.json",
        "environment.json",
        "run.json",
        "results.json",
        "observation",
        "junit.xml",
        "allure-results",
        "auditor.html",
        "postdeploy.log",
        "manifest.json",
        "SHA256SUMS",
    }


def test_coreutils_agree_with_the_hashes(healthy: Ended) -> None:
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=healthy.folder, check=True)


def test_junit_and_allure_have_as_many_results_as_results_json(healthy: Ended) -> None:
    assert JUnitXml.fromfile(str(healthy.folder / "junit.xml")).tests == healthy.record["planned"]
    allure = [json.loads(each.read_bytes()) for each in (healthy.folder / "allure-results").glob("*-result.json")]
    assert len(allure) == healthy.record["planned"]
    assert all({"name": "environment", "value": "uk-prod"}.items() <= _named(each).items() for each in allure)


def _named(result: dict) -> dict:
    return next(each for each in result["parameters"] if each["name"] == "environment")


def test_rehearsal_is_marked_as_one_everywhere(healthy: Ended) -> None:
    assert healthy.record["rehearsal"] is True
    assert "REHEARSAL" in healthy.output
    for name in ("auditor.html", "junit.xml"):
        assert "rehearsal" in (healthy.folder / name).read_text(encoding="utf-8").lower()


def test_no_secret_and_no_pod_environment_is_in_the_run_folder(healthy: Ended) -> None:
    for data in contents(healthy.folder):
        assert b"DB_PASSWORD" not in data
        assert b"Bearer " not in data


def contents(folder: Path) -> Iterator[bytes]:
    """Every file of a run folder, unpacked."""
    for each in folder.rglob("*"):
        if each.is_file():
            data = each.read_bytes()
            yield gzip.decompress(data) if each.suffix == ".gz" else data


def test_rehearsal_uses_its_own_release_and_ignores_the_ci(tmp_path: Path) -> None:
    ended = rehearse("-k", "lockstep", archive=tmp_path, env={"RELEASE_TAG": "v1.0.0", "CI_COMMIT_TAG": "v2.0.0"})
    assert ended.code == 0, ended.output
    assert ended.record["release"] == RELEASE


def test_replay_comes_to_the_same_verdicts_without_network(healthy: Ended, tmp_path: Path) -> None:
    again = run("-m", "verify", f"--replay={healthy.folder}", archive=tmp_path, env={"KUBECONFIG": "/nowhere"})
    assert again.code == healthy.code, again.output
    assert again.verdicts == healthy.verdicts
    assert again.record["replay_of"] == healthy.record["run_id"]
    assert again.record["rehearsal"] is True


def test_replay_of_a_broken_release_is_as_red_as_the_run_was(tmp_path: Path) -> None:
    broken = rehearse("--fault=crash-loop", "--fault=login-refused", archive=tmp_path)
    again = run("-m", WITHOUT_BROWSER, f"--replay={broken.folder}", archive=tmp_path)
    assert broken.code == again.code == 1, again.output
    assert again.verdicts == broken.verdicts
    assert again.messages("infra.pods.doomed") == broken.messages("infra.pods.doomed")


def test_kubeconfig_alone_does_the_same_and_is_still_a_rehearsal(tmp_path: Path) -> None:
    needs_browser()
    with standin("uk-prod") as stand:
        secrets = [str(stand.extension[each]).encode() for each in ("password", "feed_token")] + [stand.token.encode()]
        ended = run(
            *("-m", "verify", "--env=uk-prod", f"--release={RELEASE}", "--hold=0"),
            archive=tmp_path,
            env={"KUBECONFIG": str(stand.kubeconfig)},
        )
    assert ended.code == 0, ended.output
    assert ended.record["scope"] == "full"
    assert ended.record["rehearsal"] is True
    assert "already live at the first look" in ended.output
    written = b"".join(contents(ended.folder))
    assert not [each for each in secrets if each in written]
