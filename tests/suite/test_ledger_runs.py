"""Whole runs and their ledger: entered, asked, replayed; and a database that is gone in the middle of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from postdeploy import cli
from tests.runs import Ended, rehearse, run

AUDIT = ("-m", "audit")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A rehearsal of the audit tier, in which the deployer has approved."""
    return rehearse(*AUDIT, "--fault=self-approved", archive=tmp_path_factory.mktemp("a") / "archive")


def test_a_self_approved_deployment_fails_and_is_a_row(audited: Ended, capsys) -> None:
    assert audited.code == 1, audited.output
    assert audited.of("audit.approval.independent") == {"failed"}
    assert audited.read("receipt.json")["status"] == "entered"
    archive = audited.folder.parents[1]
    assert cli.main(["audit", "--env=uk-prod", "--rehearsal", "--json", f"--archive={archive}"]) == 0
    rows = json.loads(capsys.readouterr().out)["deployments"]
    newest = max(rows, key=lambda each: each["iid"])
    assert (newest["deployed_by"], newest["approved_by"]) == ("dora.deploys", "dora.deploys")
    assert newest["ticket"] == "CHG-20471"
    # A part of the checks verifies nothing, and the deployments before this one nobody verified here.
    assert {each["verdict"] for each in rows} == {"NOT VERIFIED"}
    assert cli.main(["ledger", "verify", f"--archive={archive}"]) == 0


def test_the_change_is_judged_again_without_network(audited: Ended, tmp_path: Path) -> None:
    again = run("-m", "audit", f"--replay={audited.folder}", archive=tmp_path)
    audit = {key: verdict for key, verdict in audited.verdicts.items() if key[0].startswith("audit.")}
    assert {key: again.verdicts[key] for key in audit} == audit
    assert again.read("receipt.json")["status"] == "not-entered"


def test_neither_token_nor_login_variable_of_the_ci_reaches_a_rehearsals_record(audited: Ended) -> None:
    files = [each for each in audited.folder.rglob("*") if each.suffix in (".json", ".html", ".log", ".xml")]
    assert files
    assert not [each for each in files if b"eyJ" in each.read_bytes() or b"glpat-" in each.read_bytes()]


def test_a_database_that_is_gone_changes_neither_verdict_nor_evidence(tmp_path: Path, capsys) -> None:
    gone = "--ledger=postgresql://nobody@127.0.0.1:1/ledger"
    ended = rehearse(*AUDIT, gone, archive=tmp_path / "archive")
    assert ended.code == 0, ended.output
    assert "ledger: PENDING" in ended.output
    assert ended.read("receipt.json")["status"] == "pending"
    assert cli.main(["verify-evidence", str(ended.folder)]) == 0
    assert cli.main(["ledger", "rebuild", f"--archive={tmp_path / 'archive'}"]) == 0
    assert ended.read("receipt.json")["status"] == "entered"
    assert "1 runs entered" in capsys.readouterr().out
