"""Whatever somebody who owns the database does to it is reported, and located."""

from __future__ import annotations

import re

import pytest

from postdeploy.evidence.findings import Finding, State
from postdeploy.evidence.ledger.chain import Entry, Head, link
from postdeploy.evidence.ledger.checking import check
from postdeploy.evidence.ledger.entering import enter_run
from postdeploy.evidence.ledger.ledger import Ledger
from postdeploy.evidence.trust import read_trust
from tests.evidence.ledger.runs import PIPELINE
from tests.evidence.signed import make_keys

SAME = "event_type, schema_version, recorded_at, payload, payload_sha256"
REFUSED = (
    "update ledger_event set payload = '{}' where seq = 2",
    "delete from ledger_event where seq = 2",
    "update ledger_verification set verdict = 'passed'",
    "delete from ledger_deployment",
    f"insert into ledger_event select 9, 'x', {SAME}, entry_hash, 'y', '', '' from ledger_event where seq = 6",
    f"insert into ledger_event select seq + 6, 'x', {SAME}, prev_hash, 'y', '', '' from ledger_event where seq = 1",
)
ONLY_SQLITE = (
    "insert or replace into ledger_event select * from ledger_event where seq = 2",
    "update or replace ledger_event set seq = 1 where seq = 2",
    "insert into ledger_event select * from ledger_event where seq = 2 on conflict do update set payload = 'x'",
    "insert or replace into ledger_verification select * from ledger_verification",
)
ONLY_POSTGRES = (
    "truncate ledger_event",
    "truncate ledger_event, ledger_deployment, ledger_verification, ledger_finding, ledger_note, ledger_anchor",
    "insert into ledger_event select * from ledger_event where seq = 2 on conflict (seq) do update set payload = 'x'",
)


@pytest.fixture
def filled(ledger, archive):
    """Four runs of two releases: six entries."""
    for number, release in enumerate(("v1", "v1", "v2", "v2")):
        enter_run(ledger, archive.run(release, **({} if number else {"pipeline": PIPELINE})))
    assert check(ledger, archive.path).findings == []
    return ledger


def test_the_database_itself_refuses_every_change(filled, place, owner):
    import sqlite3

    import psycopg

    before = filled.entries()
    for each in (*REFUSED, *(ONLY_POSTGRES if "://" in place else ONLY_SQLITE)):
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="ledger"):
            owner(each, guarded=True)
    assert filled.entries() == before


@pytest.mark.parametrize(
    ("statements", "where"),
    [
        (["update ledger_actor set login = 'boss' where login = 'dora'"], "ledger_actor, actor"),
        (["update ledger_actor set login = '', salt = '' where login = 'dora'"], "ledger_actor, actor"),
        (["delete from ledger_actor where login = 'dora'"], "ledger_actor, actor"),
        (
            [
                "drop view audit_trail",
                "create view audit_trail as select deployment_id, 'passed' as verdict from ledger_deployment",
            ],
            "audit_trail",
        ),
        (["update ledger_event set payload = replace(payload, 'passed', 'failed') where seq = 2"], "entry 2"),
        (["update ledger_event set recorded_at = '2020-01-01T00:00:00.000000Z' where seq = 3"], "entry 3"),
        (["update ledger_event set event_id = 'verification/x' where seq = 2"], "entry 2"),
        (["update ledger_event set entry_hash = 'f' where seq = 4"], "entry 4"),
        (["delete from ledger_event where seq = 3"], "entry 3"),
        (["delete from ledger_event where seq = 1"], "entry 1"),
        (["delete from ledger_event where seq = 6"], "entry 6"),
        (["delete from ledger_event where seq > 4"], "entry 5"),
        (
            [f"update ledger_event set seq = {new} where seq = {old}" for old, new in ((2, 99), (3, 2), (99, 3))],
            "entry 2",
        ),
        (["update ledger_verification set verdict = 'failed' where seq = 2"], "ledger_verification, entry 2"),
        (["delete from ledger_verification where seq = 3"], "ledger_verification, entry 3"),
        (["update ledger_deployment set approved_by = 'boss' where seq = 1"], "ledger_deployment, entry 1"),
        (
            ["insert into ledger_anchor (seq, covers, entry_hash, kind, place) values (99, 1, 'x', 'x', 'x')"],
            "ledger_anchor, entry 99",
        ),
    ],
)
def test_what_an_owner_alters_is_located(filled, archive, owner, statements, where):
    owner(*statements)
    checked = check(filled, archive.path)
    assert checked.state is State.TAMPERED
    assert where in {spot(each) for each in checked.findings if each.state is State.TAMPERED}


def test_a_guard_that_was_switched_off_is_reported(filled, place, owner):
    if "://" in place:
        owner("alter table ledger_event disable trigger ledger_event_no_change", guarded=True)
    else:
        owner("drop trigger ledger_event_no_update", guarded=True)
    assert [each.path[:16] for each in check(filled).findings] == ["ledger_event_no_"]


def test_an_inserted_entry_is_located_wherever_it_was_put(filled, archive, owner):
    forged = _forged(filled, after=2)
    owner(
        *(f"update ledger_event set seq = {seq + 1} where seq = {seq}" for seq in (6, 5, 4, 3)),
        _insert(forged),
    )
    found = {each.path.partition(" (")[0] for each in check(filled, archive.path).findings}
    assert {"entry 3", "entry 4"} <= found


def test_a_made_up_newest_entry_has_no_signature_of_ours(place, archive, owner, tmp_path):
    keys = make_keys(tmp_path)
    ledger = Ledger(place, keys.open())
    enter_run(ledger, archive.run())
    trusted = read_trust(keys.trust())
    assert check(ledger, archive.path, trusted).findings == []
    owner(_insert(_forged(ledger, after=2)))
    found = check(ledger, archive.path, trusted).findings
    assert ("entry 3 (verification/uk-prod/forged)", State.INCOMPLETE) in {(each.path, each.state) for each in found}
    assert any(each.path == "entry 3 (verification/uk-prod/forged)" and "run folder" in each.what for each in found)


def test_a_signature_moved_to_another_entry_is_located(place, archive, owner, tmp_path):
    keys = make_keys(tmp_path)
    ledger = Ledger(place, keys.open())
    enter_run(ledger, archive.run())
    owner("update ledger_event set signature = (select signature from ledger_event where seq = 1) where seq = 2")
    found = [spot(each) for each in check(ledger, archive.path, read_trust(keys.trust())).findings]
    assert [each for each in found if not each.startswith("ledger_")] == ["entry 2"]


def test_a_chain_written_anew_contradicts_the_receipts(filled, archive, owner):
    head, rows = Head(), []
    for each in filled.entries():
        payload = each.payload.replace('"verdict":"passed"', '"verdict":"failed"')
        entry = link(head, each.event_id, each.event_type, payload, each.recorded_at)
        head = Head(entry.seq, entry.entry_hash)
        rows.append(entry)
    owner("delete from ledger_event", *map(_insert, rows))
    found = [each for each in check(filled, archive.path).findings if each.path == "entry 2"]
    assert any("is another one than" in each.what for each in found)


def test_a_chain_written_anew_contradicts_the_signed_records_where_receipts_were_rewritten_too(ledger, archive, owner):
    enter_run(ledger, archive.run())
    second = archive.run(ledger=ledger.head())
    enter_run(ledger, second)
    first = ledger.entries()[0]
    anew = link(Head(), first.event_id, first.event_type, first.payload.replace("v1", "v9"), first.recorded_at)
    owner(
        "delete from ledger_event where seq > 2",
        f"update ledger_event set entry_hash = '{anew.entry_hash}' where seq = 2",
    )
    for each in archive.path.rglob("receipt.json"):
        each.unlink()
    found = [each for each in check(ledger, archive.path).findings if each.path == "entry 2"]
    assert any(f"the record of uk-prod/{second.run_id}" in each.what for each in found)


def spot(finding: Finding) -> str:
    """Entry or table, without the id that the test cannot know."""
    return re.sub(r":[0-9a-f]{32}$", "", finding.path.partition(" (")[0])


def _forged(ledger: Ledger, after: int) -> Entry:
    """What follows an entry, made as we make it."""
    entries = ledger.entries()
    payload = entries[1].payload.replace(entries[1].event_id.rpartition("/")[2], "forged")
    before = entries[after - 1]
    return link(
        Head(before.seq, before.entry_hash), "verification/uk-prod/forged", "verification", payload, before.recorded_at
    )


def _insert(entry: Entry) -> str:
    import msgspec

    values = ", ".join(
        str(each) if isinstance(each, int) else "'" + each.replace("'", "''") + "'"
        for each in msgspec.structs.astuple(entry)
    )
    return f"insert into ledger_event values ({values})"
