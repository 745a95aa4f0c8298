"""A run is entered once, whatever happens to the ledger in between, and never at the price of its own evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from postdeploy.evidence.findings import State
from postdeploy.evidence.ledger.checking import check
from postdeploy.evidence.ledger.entering import enter_run, ingest, read_receipt, rebuild
from postdeploy.evidence.ledger.ledger import Ledger
from postdeploy.evidence.ledger.store import LedgerUnusable, Store
from postdeploy.evidence.manifest import MANIFEST, read_manifest, write_manifest
from postdeploy.evidence.statements import sha256_of
from postdeploy.evidence.waivers import Waived
from postdeploy.verdict import Verdict
from tests.evidence.ledger.runs import PIPELINE, Told, facts
from tests.evidence.makers import STARTED


def kinds(ledger: Ledger) -> list[str]:
    return [each.event_type for each in ledger.entries()]


def test_a_run_is_entered_with_the_deployment_it_saw_and_gets_a_receipt(ledger, archive):
    run = archive.run()
    receipt, said = enter_run(ledger, run)
    assert said == []
    assert kinds(ledger) == ["deployment", "verification"]
    newest = ledger.entries()[-1]
    assert (receipt.status, receipt.seq, receipt.entry_hash) == ("entered", 2, newest.entry_hash)
    assert read_receipt(run.path) == receipt
    assert check(ledger, archive.path).findings == []


def test_entering_twice_changes_nothing(ledger, archive):
    run = archive.run()
    first, _ = enter_run(ledger, run)
    again, said = enter_run(ledger, run)
    assert (again, said) == (first, [])
    assert len(ledger.entries()) == 2


def test_an_altered_run_is_not_entered_and_located(ledger, archive):
    run = archive.run()
    results = run.path / "results.json"
    results.write_bytes(results.read_bytes().replace(b"passed", b"failed"))
    receipt, said = enter_run(ledger, run)
    assert receipt.status == "pending"
    assert "results.json is not the one of the manifest" in said[0]
    assert ledger.entries() == ()


def test_a_run_made_anew_after_it_was_entered_is_reported_and_the_entry_stays(ledger, archive):
    run = archive.run()
    enter_run(ledger, run)
    record = json.loads((run.path / "run.json").read_bytes())
    run.write_json("run.json", record | {"verdict": "failed"})
    write_manifest(run)
    told = ingest(ledger, [run.path])
    assert "another manifest" in told.wrong[0]
    assert json.loads(ledger.entries()[-1].payload)["verdict"] == "passed"
    assert [each.state for each in check(ledger, archive.path).findings] == [State.TAMPERED]


def test_a_run_that_was_renamed_is_not_entered(ledger, archive):
    run = archive.run()
    other = run.path.rename(run.path.with_name(run.path.name + "0"))
    assert "renamed or copied" in ingest(ledger, [other]).wrong[0]


def test_a_database_that_is_gone_costs_the_entry_alone_and_the_next_run_catches_up(archive, tmp_path):
    place = tmp_path / "ledger"
    place.mkdir()  # a folder where the file should be: it cannot be opened
    first = archive.run()
    receipt, said = enter_run(Ledger(str(place)), first)
    assert receipt.status == "pending"
    assert "PENDING" in said[0]
    assert all(sha256_of(first.path / each.path) == each.sha256 for each in read_manifest(first.path / MANIFEST))
    place.rmdir()
    ledger = Ledger(str(place))
    _, said = enter_run(ledger, archive.run())
    assert said == ["ledger: 1 earlier runs that were pending are entered now"]
    assert kinds(ledger) == ["deployment", "verification", "verification"]
    rebuild(ledger, archive.path)
    assert read_receipt(first.path).status == "entered"


def test_a_server_that_does_not_answer_is_pending(archive):
    ledger = Ledger(Store("postgresql://nobody:secret@127.0.0.1:1/ledger", wait_s=1))
    receipt, said = enter_run(ledger, archive.run())
    assert receipt.status == "pending"
    assert "secret" not in json.dumps(said) + receipt.reason + receipt.ledger


def test_a_ledger_of_a_newer_version_is_left_alone(place, archive, owner):
    ledger = Ledger(place)
    enter_run(ledger, archive.run())
    owner("update ledger_about set value = '2' where name = 'schema'", guarded=True)
    receipt, _ = enter_run(ledger, archive.run())
    assert receipt.status == "pending"
    assert "is of version 2" in receipt.reason
    with pytest.raises(LedgerUnusable, match="Nothing was read or written"):
        ledger.entries()


def test_a_killed_run_that_was_entered_without_a_receipt_gets_it_from_the_next_run(ledger, archive):
    run = archive.run()
    ingest(ledger, [run.path])
    assert read_receipt(run.path) is None
    enter_run(ledger, archive.run())
    assert read_receipt(run.path).status == "entered"


def test_a_clock_behind_is_said_and_costs_nothing(place, archive):
    moments = iter([STARTED + timedelta(days=1), STARTED + timedelta(days=1), *[STARTED] * 9])
    ledger = Ledger(place, clock=lambda: next(moments))
    enter_run(ledger, archive.run())
    receipt, _ = enter_run(ledger, archive.run())
    assert receipt.status == "entered"
    checked = check(ledger, archive.path)
    assert checked.state is State.WHOLE
    assert any("a clock was behind: entry 3" in each for each in checked.notes)


def test_a_folder_that_is_not_closed_is_not_entered_yet(ledger, archive):
    run = archive.run()
    (run.path / "SHA256SUMS").unlink()
    told = ingest(ledger, [run.path])
    assert "is not closed" in told.unready[0]


def test_rebuilt_from_run_folders_it_answers_the_same(place, archive, tmp_path):
    from postdeploy.evidence.ledger.audit import Asked, audit, period

    ledger = Ledger(place)
    for each in ("v1", "v2", "v3"):
        enter_run(ledger, archive.run(each, **({"pipeline": PIPELINE} if each == "v2" else {})))
    again = Ledger(str(tmp_path / "again.sqlite"))
    assert len(rebuild(again, archive.path).new) == 3
    asked = Asked("uk-prod", *period(None, None))
    names = ("deployment_id", "verdict", "release", "deployed_by", "run_id")
    one, two = ([[row[each] for each in names] for row in audit(each.store, asked).rows] for each in (ledger, again))
    assert one == two
    assert len(one) == 3


def test_what_is_no_ledger_is_said_in_one_paragraph(tmp_path: Path):
    with pytest.raises(LedgerUnusable, match="There is no ledger"):
        Ledger(str(tmp_path / "none.sqlite")).entries()
    (tmp_path / "text.sqlite").write_text("not a database, and long enough to be taken for none" * 20)
    with pytest.raises(LedgerUnusable, match="not a database"):
        Ledger(str(tmp_path / "text.sqlite")).entries()


def test_a_waiver_that_was_used_is_in_the_ledger_once(ledger):
    waiver = Waived("ann", "the PSP is being moved", date(2026, 12, 1), "CHG-9")
    for number in range(2):
        told = facts(f"r{number}", "v1")
        waived = msgspec.structs.replace(told.facts.results[0], verdict=Verdict.DEGRADED, waiver=waiver)
        Told(replace(told.facts, results=(waived, *told.facts.results[1:]))).enter(ledger)
    (entry,) = (each for each in ledger.entries() if each.event_type == "waiver")
    assert json.loads(entry.payload)["field"] == "infra.images.tag[crm-web]"
    assert json.loads(entry.payload)["until"] == "2026-12-01"
    assert check(ledger).findings == []
