"""Where a ledger lives: opened, made when it is not there yet, refused when it is of a newer version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.evidence.database import (
    WAIT_S,
    is_url,
    open_postgres,
    open_sqlite,
    open_sqlite_to_read,
    reason_of,
    shown,
    undisturbed,
)
from postdeploy.evidence.ledger import guards, view
from postdeploy.evidence.ledger.tables import SCHEMA, Tables, tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

LOCK = 7_018_405_511_203
"""One number for all that write to the ledger, so that they write one after another."""


class LedgerUnusable(Exception):
    """The ledger cannot be read or written; the message is one paragraph and says what to do."""


class NoLedger(LedgerUnusable):
    """There is none, and reading makes none."""


class Store:
    """The ledger's database, in transactions of which each is on disk before the next line runs."""

    def __init__(self, place: str, wait_s: int = WAIT_S) -> None:
        """`place`: a file, or a postgresql:// URL."""
        self.place = place
        self.shown = shown(place)
        self.wait_s = wait_s
        self._writer: Engine | None = None
        self._reader: Engine | None = None

    def __repr__(self) -> str:
        return f"<ledger {self.shown}>"

    @cached_property
    def tables(self) -> Tables:
        """The tables, for whoever writes a statement."""
        return tables()

    @property
    def exists(self) -> bool:
        """Whether there is something to read; of a server it is found out by asking."""
        return is_url(self.place) or Path(self.place).is_file()

    def is_made(self) -> bool:
        """Whether there is a ledger of whatever version. Raises LedgerUnusable where that cannot be found out."""
        try:
            with self.reading():
                return True
        except NoLedger:
            return False

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that nobody else writes in at the same time. Raises LedgerUnusable; then nothing is kept."""
        with self._guarded(), self._to_write().begin() as connection:
            _alone(connection)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent look; a ledger that does not exist is not made. Raises LedgerUnusable."""
        if not self.exists:
            raise NoLedger(self._none_here)
        with self._guarded(), self._to_read().begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        for each in (self._writer, self._reader):
            if each is not None:
                each.dispose()
        self._writer = self._reader = None

    def _to_write(self) -> Engine:
        if self._writer is None:
            url = is_url(self.place)
            engine = open_postgres(self.place, self.wait_s) if url else open_sqlite(Path(self.place), self.wait_s)
            self._writer = self._of_our_version(engine, make=True)
        return self._writer

    def _to_read(self) -> Engine:
        if self._writer is not None and is_url(self.place):
            return self._writer
        if self._reader is None:
            url = is_url(self.place)
            engine = (
                open_postgres(self.place, self.wait_s) if url else open_sqlite_to_read(Path(self.place), self.wait_s)
            )
            self._reader = self._of_our_version(engine, make=False)
        return self._reader

    def _of_our_version(self, engine: Engine, *, make: bool) -> Engine:
        """The tables, triggers and view, all in one transaction, where they are not there yet and may be made."""
        try:
            self._expect(engine, make=make)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _expect(self, engine: Engine, *, make: bool) -> None:
        from sqlalchemy import inspect, select

        about = self.tables.about
        with engine.connect() as connection:
            known = inspect(connection).has_table(about.name)
        if not known and not make:
            raise NoLedger(self._none_here)
        if not known:
            with engine.begin() as connection:
                _alone(connection)
                if not inspect(connection).has_table(about.name):
                    self._create(connection)
        with engine.connect() as connection:
            found = connection.execute(select(about.c.value).where(about.c.name == "schema")).scalar()
        if found != str(SCHEMA):
            raise LedgerUnusable(
                f"The ledger at {self.shown} is of version {found}, and this postdeploy knows version {SCHEMA}. "
                "Nothing was read or written. Use the version of the suite that wrote it, or a newer one; run folders "
                "lose nothing, and `postdeploy ledger rebuild` enters them later."
            )

    @property
    def _none_here(self) -> str:
        return (
            f"There is no ledger at {self.shown}. Name it with --ledger or LEDGER_URL, or make it from run folders: "
            "postdeploy ledger rebuild --archive DIR."
        )

    def _create(self, connection: Connection) -> None:
        self.tables.metadata.create_all(connection)
        for each in guards.statements(connection.dialect.name, self.tables):
            connection.exec_driver_sql(each)
        connection.exec_driver_sql(view.AUDIT_TRAIL)
        connection.execute(self.tables.about.insert().values(name="schema", value=str(SCHEMA)))

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with undisturbed():
                yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise LedgerUnusable(f"The ledger at {self.shown} cannot be used: {reason_of(error)}.") from None


def _alone(connection: Connection) -> None:
    """SQLite's transactions begin as the only writer already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK})")
        connection.exec_driver_sql("set local synchronous_commit = on")
