"""Who writes cannot change, who audits cannot write: as PostgreSQL itself holds it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from postdeploy.evidence.ledger.checking import check
from postdeploy.evidence.ledger.entering import enter_run
from postdeploy.evidence.ledger.ledger import Ledger

SCRIPT = Path(__file__).parents[3] / "docs/ledger-roles.sql"


@pytest.fixture
def roles(new_database, archive) -> tuple[str, str]:
    """The URLs of a writer and of an auditor, each with a login of its own."""
    owner = new_database()
    enter_run(Ledger(owner), archive.run())
    with psycopg.connect(owner, autocommit=True) as connection:
        for _ in range(2):
            connection.execute(SCRIPT.read_text())
        for role in ("writer", "auditor"):
            connection.execute(f"drop role if exists a_{role}")
            connection.execute(f"create role a_{role} login in role ledger_{role}")
    return tuple(owner.replace("//postgres@", f"//a_{role}@") for role in ("writer", "auditor"))


def test_the_writer_enters_runs_and_changes_nothing(roles, archive):
    writer, _ = roles
    receipt, said = enter_run(Ledger(writer), archive.run("v2"))
    assert (receipt.status, said) == ("entered", [])
    for statement in (
        "update ledger_event set payload = ''",
        "delete from ledger_finding",
        "truncate ledger_note",
        "alter table ledger_event disable trigger all",
        "set session_replication_role = replica",
        "update ledger_actor set login = ''",
        "update ledger_about set value = '9'",
    ):
        with psycopg.connect(writer) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_auditor_checks_everything_and_writes_nothing(roles, archive):
    _, auditor = roles
    assert check(Ledger(auditor), archive.path).findings == []
    with psycopg.connect(auditor) as connection:
        assert connection.execute("select count(*) from audit_trail").fetchone() == (1,)
    with psycopg.connect(auditor) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("insert into ledger_about values ('x', 'y')")
    receipt, _ = enter_run(Ledger(auditor), archive.run("v2"))
    assert receipt.status == "pending"
