"""The journal is only added to, says what is open, and gives every deposit a key that was never used."""

from __future__ import annotations

import sqlite3
import stat
from decimal import Decimal

import pytest
from sqlalchemy.exc import DatabaseError

from postdeploy.broker.keys import Origin, operation_key, undo_key
from postdeploy.broker.undo.operations import fold
from postdeploy.broker.undo.store import FILE, StateUnusable, Store
from tests.broker.making import PROVEN, PURPOSE, Clock, journal, paid, plan, rules

WIDE = rules(run="1000", day="1000")


def intend(mine, product=None):
    return mine.intend(plan(), PURPOSE, PROVEN, WIDE, product or {})


def test_an_operation_says_how_far_it_came(tmp_path):
    mine = journal(tmp_path)
    made = intend(mine)
    assert (made.state, made.never_left, made.is_open) == ("intent", True, True)
    made = mine.note(made, "sent")
    assert (made.state, made.never_left, made.answered) == ("sent", False, False)
    made = mine.note(made, "confirmed", payments=["pay_1"])
    assert (made.payments, made.answered) == (("pay_1",), True)
    made = mine.note(made, "undoing", payment="pay_1")
    assert made.undoing == "pay_1"
    made = mine.note(made, "denied")
    assert (made.denials, made.undoing_at) == (1, 0.0)
    made = mine.note(made, "residue", why="the product refuses")
    assert (made.is_open, made.residue) == (True, "the product refuses")
    made = mine.note(made, "undone")
    assert (made.is_open, made.residue, made.cycles) == (False, "", 1)
    assert made.money.amount == Decimal(10)


def test_what_is_open_comes_latest_first(tmp_path):
    first, second, third = (journal(tmp_path, f"run-{n}", f"p{n}") for n in range(3))
    keys = [intend(each).key for each in (first, second, third)]
    second.note(second.one(keys[1]), "void")
    assert [each.key for each in first.open()] == [keys[2], keys[0]]
    assert fold(first.store.rows("alpha")) == first.operations()


def test_another_environments_entries_are_nobody_elses(tmp_path):
    mine = journal(tmp_path)
    intend(mine)
    mine.origin = Origin("p", "beta", "v1", "run")
    assert mine.open() == []


@pytest.mark.parametrize("statement", ["delete from journal", "update journal set coins = 0"])
def test_no_entry_is_ever_changed_or_removed(tmp_path, statement):
    mine = journal(tmp_path)
    intend(mine)
    with pytest.raises(DatabaseError, match="only ever added to"), mine.store.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert len(mine.open()) == 1


def test_every_commit_is_on_disk_and_readers_do_not_wait(tmp_path):
    mine = journal(tmp_path)
    with mine.store.engine.connect() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2  # full: fsync with each commit


def test_a_retried_job_uses_the_same_key_until_it_is_undone(tmp_path):
    """Nothing came of the first attempt: the retry repeats its request instead of making another one."""
    first = journal(tmp_path, "run-1")
    made = first.note(intend(first), "sent")
    first.note(made, "void")
    again = intend(journal(tmp_path, "run-2"))
    assert (again.key, again.epoch) == (made.key, 0)


def test_an_undone_deposits_key_is_not_used_again(tmp_path):
    """It would be answered with the deposit that was refunded."""
    first = journal(tmp_path)
    made = first.note(first.note(intend(first), "confirmed", payments=["pay_1"]), "undone")
    again = intend(journal(tmp_path, "run-2"))
    assert (again.epoch, again.key != made.key) == (1, True)


def test_the_epoch_comes_from_the_product_where_the_journal_was_lost(tmp_path):
    origin = Origin("p", "alpha", "v1", "run-1")
    keys = [operation_key(origin, "smoke.deposit", "card", epoch) for epoch in range(3)]
    known = {key: (paid(key, "refunded"),) for key in keys[:2]}
    assert intend(journal(tmp_path), known).key == keys[2]


def test_keys_differ_by_everything_they_are_made_of():
    origin = Origin("p", "alpha", "v1", "run")
    others = [Origin("q", "alpha", "v1", "run"), Origin("p", "beta", "v1", "run"), Origin("p", "alpha", "v2", "run")]
    keys = {operation_key(each, "check", "card", 0) for each in (origin, *others)}
    keys |= {
        operation_key(origin, *rest) for rest in (("check", "card", 1), ("check", "sepa", 0), ("other", "card", 0))
    }
    assert len(keys) == 7
    assert operation_key(Origin("p", "alpha", "v1", "another run"), "check", "card", 0) in keys
    assert undo_key("k", "pay", 0) != undo_key("k", "pay", 1)


def test_a_run_sees_what_the_one_before_left(tmp_path):
    made = intend(journal(tmp_path, "run-1"))
    found = journal(tmp_path, "run-2").open()
    assert [each.key for each in found] == [made.key]
    assert found[0].row("how")["command"] == "how"
    assert found[0].row("how")["amount"] == "10.00"


def test_a_deposit_met_in_the_product_is_written_down_and_opens_again_what_was_closed(tmp_path):
    mine = journal(tmp_path)
    stray = mine.found(paid("stray"), "SYN-1")
    assert (stray.state, stray.is_open, stray.answered, stray.coins) == ("found", True, True, 1000)
    assert mine.note(stray, "undone").is_open is False
    assert mine.found(paid("stray"), "SYN-1").is_open is True


def test_a_file_that_is_no_journal_stops_what_would_spend(tmp_path):
    (tmp_path / FILE).write_text("not a database, " * 100)
    with pytest.raises(StateUnusable, match=r"file is not a database.*Move the file away"):
        intend(journal(tmp_path))


def test_a_folder_that_cannot_be_written_stops_what_would_spend(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable, match="cannot be used"):
        Store(str(tmp_path / "file" / "state")).rows("alpha")


def test_a_server_that_is_away_is_said_without_its_address_in_pieces():
    with pytest.raises(StateUnusable, match="the undo journal in postgresql://"):
        Store("postgresql://127.0.0.1:1/none").rows("alpha")


def test_an_old_clock_does_not_hide_what_was_spent(tmp_path):
    """The clock was set back between two runs: what is dated ahead still counts."""
    clock = Clock()
    first = journal(tmp_path, "run-1", clock=clock)
    clock.now += 3600
    first.note(intend(first), "sent")
    back = journal(tmp_path, "run-2", "q", clock=Clock())
    with pytest.raises(Exception, match="in one day"):
        back.intend(plan(), PURPOSE, PROVEN, rules(run="10", day="10"), {})


def test_the_file_is_where_a_person_looks_for_it(tmp_path):
    intend(journal(tmp_path / "new" / "state"))
    path = tmp_path / "new" / "state" / FILE
    assert path.is_file()
    assert stat.S_ISREG(path.stat().st_mode)
    with sqlite3.connect(path) as db:
        assert db.execute("select count(*) from journal").fetchone() == (1,)
