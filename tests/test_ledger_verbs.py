"""The ledger from the command line, as an auditor and an operator meet it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from postdeploy import cli
from postdeploy.booking import Book, place_of
from postdeploy.evidence.ledger.entering import enter_run, read_receipt
from postdeploy.evidence.ledger.ledger import Ledger
from postdeploy.evidence.verifying import verify_folder
from tests.evidence.ledger.runs import PIPELINE, Archive

ROOT = Path("/srv/suite")
DEPLOYMENT = "pipeline:brokerage/crm#77@uk-prod"


@pytest.fixture
def filled(tmp_path) -> Archive:
    """An archive of two runs with its ledger."""
    archive = Archive(tmp_path / "archive")
    for release in ("v1", "v2"):
        pipeline = {"pipeline": PIPELINE} if release == "v1" else {}
        enter_run(Ledger(str(archive.path / "ledger.sqlite")), archive.run(release, **pipeline))
    return archive


@pytest.fixture
def ask(filled, capsys, monkeypatch):
    """Run a verb over that archive: exit code, what was printed, and what was complained about."""
    for name in ("LEDGER_URL", "POSTDEPLOY_KEYS", "POSTDEPLOY_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)

    def asked(*arguments: str) -> tuple[int, str, str]:
        code = cli.main([*arguments, f"--archive={filled.path}"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return asked


def test_the_audit_lists_and_samples_and_says_which_population(ask):
    code, text, _ = ask("audit", "--env=uk-prod", "--from=2026-11-01", "--to=2026-12-31")
    assert (code, "2 deployments of uk-prod: 2 passed" in text) == (0, True)
    _, sampled, _ = ask("audit", "sample", "--env=uk-prod", "--n=1", "--seed=S", "--json")
    _, again, _ = ask("audit", "sample", "--env=uk-prod", "--n=1", "--seed=S", "--json")
    assert json.loads(sampled) == json.loads(again)
    assert (json.loads(sampled)["population"]["count"], len(json.loads(sampled)["deployments"])) == (2, 1)
    _, rows, _ = ask("audit", "--env=uk-prod", "--csv")
    assert len(rows.splitlines()) == 3


def test_the_query_of_the_manual_runs_as_it_stands(filled):
    page = (Path(__file__).parents[1] / "docs/auditors.md").read_text(encoding="utf-8")
    query = page.partition("    select * from audit_trail")[2].partition("\n\n")[0]
    with sqlite3.connect(filled.path / "ledger.sqlite") as plain:
        found = plain.execute("select release from audit_trail" + query).fetchall()
    assert found == [("v1",), ("v2",)]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["audit", "--env=uk-prod", "--from=soon"], "write 2026-10-01"),
        (["audit", "sample", "--env=uk-prod"], "--n=COUNT and --seed=S"),
        (["audit", "--env=uk-prod", "--ledger=/nowhere/at/all.sqlite"], "There is no ledger at"),
        (["audit", "--env=uk-prod", "--ledger=postgresql://me:secret@host/db"], "holds a password"),
        (["ledger", "retract", "--run=uk-prod/none", "--by=ann", "--because=x"], "is no run of the ledger"),
        (["ledger", "correct", "--deployment=x", "--set=verdict=passed", "--by=a", "--because=x"], "--set takes"),
        (["ledger", "correct", "--deployment=x", "--set=ticket=1", "--by=a", "--because=x"], "is no deployment"),
        (["ledger", "erase", "--login=nobody", "--by=a", "--because=x"], "knows nobody"),
        (["ledger", "verify", "--keys=/nowhere.json"], "--keys"),
        (["ledger", "verify", "--anchors=ftp://x"], "neither a folder nor an object store"),
    ],
)
def test_bad_input_is_one_paragraph_and_exit_code_4(ask, arguments, why):
    code, out, complaint = ask(*arguments)
    assert (code, out) == (4, "")
    assert why in complaint
    assert "secret" not in complaint
    assert complaint.count("\n") == 1


def test_what_was_wrong_is_set_right_by_one_more_entry(ask, filled):
    run = next((filled.path / "uk-prod").iterdir()).name
    by = ("--by=ann", "--because=CHG-9")
    assert ask("ledger", "correct", f"--deployment={DEPLOYMENT}", "--set=ticket=CHG-2", *by)[0] == 0
    assert "corrections" not in ask("ledger", "retract", f"--run=uk-prod/{run}", *by)[1]
    assert "retracted before" in ask("ledger", "retract", f"--run=uk-prod/{run}", *by)[1]
    assert "has no name any more" in ask("ledger", "erase", "--login=dora", *by)[1]
    rows = json.loads(ask("audit", "--env=uk-prod", "--json")[1])["deployments"]
    first = next(each for each in rows if each["deployment_id"] == DEPLOYMENT)
    assert (first["ticket"], first["corrected"]) == ("CHG-2", "ticket was CHG-1: CHG-9")
    assert first["deployed_by"].startswith("actor:")
    assert ask("ledger", "verify")[0] == 0


def test_a_tampered_ledger_is_exit_code_3_and_names_the_entry(ask, filled):
    with sqlite3.connect(filled.path / "ledger.sqlite") as plain:
        for (name,) in plain.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            plain.execute(f"drop trigger {name}")
        plain.execute("update ledger_event set payload = replace(payload, 'passed', 'failed') where seq = 2")
    code, said, _ = ask("ledger", "verify")
    assert (code, "TAMPERED entry 2 (verification/" in said) == (3, True)
    assert json.loads(ask("ledger", "verify", "--json")[1])["state"] == "tampered"


@pytest.mark.parametrize("name", ["copy.sqlite", "copy.jsonl"])
def test_an_export_answers_and_verifies_without_the_ledger(ask, tmp_path, name):
    code, said, _ = ask("ledger", "export", f"--to={tmp_path / name}")
    assert (code, "4 entries written" in said) == (0, True)
    assert ask("ledger", "export", f"--to={tmp_path / name}")[0] == 4
    if name.endswith(".jsonl"):
        assert len((tmp_path / name).read_text().splitlines()) == 4
        return
    assert ask("audit", "--env=uk-prod") == ask("audit", "--env=uk-prod", f"--ledger={tmp_path / name}")
    assert ask("ledger", "verify", f"--ledger={tmp_path / name}")[0] == 0


def test_a_lost_ledger_is_made_again_from_run_folders(ask, filled):
    before = ask("audit", "--env=uk-prod")[1]
    for each in filled.path.glob("ledger.sqlite*"):
        each.unlink()
    assert ask("ledger", "rebuild")[:2] == (0, "2 runs entered, 0 were in already\n")
    assert ask("audit", "--env=uk-prod")[1] == before


def test_an_overview_is_written_beside_the_archive(ask, filled):
    code, said, _ = ask("overview")
    assert (code, "1 environments, 2 runs, v2" in said) == (0, True)
    assert (filled.path.parent / "index.html").is_file()


@pytest.mark.parametrize(
    ("asked", "archive", "rehearsal", "place"),
    [
        (None, ROOT / "reports/archive", False, "postgresql://team/ledger"),
        (None, ROOT / "reports/archive", True, "/srv/suite/reports/ledger.sqlite"),
        (None, Path("/evidence"), True, "/evidence/ledger.sqlite"),
        ("mine.sqlite", Path("/evidence"), True, "/srv/suite/mine.sqlite"),
        ("postgresql://me@here/x", Path("/evidence"), True, "postgresql://me@here/x"),
    ],
)
def test_a_rehearsal_is_in_the_teams_ledger_only_where_that_was_said(asked, archive, rehearsal, place):
    variables = {"LEDGER_URL": "postgresql://team/ledger"}
    assert place_of(asked, archive, ROOT, rehearsal=rehearsal, variables=variables) == place


def test_a_run_leaves_the_head_where_it_was_told_and_a_page(tmp_path, monkeypatch):
    archive = Archive(tmp_path / "archive")
    run = archive.run()
    monkeypatch.setenv("LEDGER_ANCHORS", str(tmp_path / "anchors"))
    monkeypatch.delenv("POSTDEPLOY_REPORT", raising=False)
    assert Book(str(tmp_path / "ledger.sqlite")).enter(run) == []
    assert [each.name for each in (tmp_path / "anchors/anchors").iterdir()] == ["000000000002.json"]
    assert (tmp_path / "index.html").is_file()
    monkeypatch.setenv("LEDGER_ANCHORS", "s3://")
    assert "its head was not left" in Book(str(tmp_path / "ledger.sqlite")).enter(archive.run())[0]


def test_a_replay_is_not_entered_and_says_so(tmp_path):
    run = Archive(tmp_path / "archive").run(replay_of="another")
    assert Book(str(tmp_path / "ledger.sqlite"), replay=True).enter(run) == []
    assert read_receipt(run.path).status == "not-entered"
    assert not (tmp_path / "ledger.sqlite").exists()
    assert any("not-entered" in each for each in verify_folder(run.path).notes)
