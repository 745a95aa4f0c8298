"""Where the journal and the leases live: SQLite in a folder (WAL, every commit on disk), or PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy.evidence.database import is_url, open_postgres, open_sqlite, reason_of, undisturbed
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

FILE = "journal.sqlite"
LOCK = 7_018_405_511_202
"""One number for all that write here, so that they write one after another."""
APPEND_ONLY = (
    "create trigger if not exists journal_{word}s before {word} on journal "
    "begin select raise(abort, 'the journal is only ever added to'); end"
)


class StateUnusable(Unverified):
    """The journal cannot be written or read: nothing may be changed without it."""


@dataclass(frozen=True)
class Tables:
    """The tables; `postdeploy_` keeps them apart in a database that is shared."""

    journal: Table
    leases: Table


class Store:
    """The journal's rows and the leases, in transactions of which each is on disk before the next line runs."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.shown = state if is_url(state) else str(Path(state) / FILE)
        self._engine: Engine | None = None
        self._tables: Tables | None = None

    def __repr__(self) -> str:
        return f"<state in {self.shown}>"

    @property
    def tables(self) -> Tables:
        """The tables, for whoever writes a statement inside `writing`."""
        if self._tables is None:
            self._tables = _tables(prefix="postdeploy_" if is_url(self.state) else "")
        return self._tables

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that nobody else writes in at the same time. Raises StateUnusable."""
        with self._guarded(), self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK})")
                connection.exec_driver_sql("set local synchronous_commit = on")
            yield connection

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row to the journal; it is on disk when this returns."""
        with self.writing() as connection:
            connection.execute(self.tables.journal.insert().values(**row))

    def rows(self, environment: str, **where: Any) -> list[Mapping[str, Any]]:
        """The journal of one environment, oldest first; see `rows_within`."""
        with self.writing() as connection:
            return self.rows_within(connection, environment, **where)

    def rows_within(
        self, connection: Connection, environment: str, *, key: str = "", since: float | None = None
    ) -> list[Mapping[str, Any]]:
        """The same inside a transaction: all of it, one key's, or what was written since then."""
        journal = self.tables.journal
        query = journal.select().where(journal.c.environment == environment).order_by(journal.c.seq)
        if key:
            query = query.where(journal.c.key == key)
        if since is not None:
            query = query.where(journal.c.at >= since)
        return [dict(each) for each in connection.execute(query).mappings()]

    def unfinished(self, environment: str, closing: tuple[str, ...]) -> list[Mapping[str, Any]]:
        """Every row of the keys whose last row is none of these events."""
        from sqlalchemy import func, select

        journal = self.tables.journal
        newest = select(func.max(journal.c.seq)).where(journal.c.environment == environment).group_by(journal.c.key)
        keys = select(journal.c.key).where(journal.c.seq.in_(newest), journal.c.event.not_in(closing))
        of_environment = journal.c.environment == environment
        query = journal.select().where(of_environment, journal.c.key.in_(keys)).order_by(journal.c.seq)
        with self.writing() as connection:
            return [dict(each) for each in connection.execute(query).mappings()]

    @property
    def engine(self) -> Engine:
        """The database, opened and its tables made when first used. Raises StateUnusable."""
        if self._engine is None:
            with self._guarded():
                self._engine = self._open()
        return self._engine

    def close(self) -> None:
        """Let go of the database."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _open(self) -> Engine:
        engine = open_postgres(self.state) if is_url(self.state) else open_sqlite(Path(self.state) / FILE)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK})")
            self.tables.journal.metadata.create_all(connection)
            if engine.dialect.name == "sqlite":
                for word in ("update", "delete"):
                    connection.exec_driver_sql(APPEND_ONLY.format(word=word))
        return engine

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with undisturbed():
                yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise StateUnusable(_unusable(self.shown, error)) from None


def _tables(prefix: str) -> Tables:
    from sqlalchemy import JSON, BigInteger, Column, Float, Integer, MetaData, Table, Text

    metadata = MetaData()
    number = BigInteger().with_variant(Integer, "sqlite")

    def text(name: str) -> Column[Any]:
        return Column(name, Text, nullable=False, default="")

    journal = Table(
        f"{prefix}journal",
        metadata,
        Column("seq", number, primary_key=True, autoincrement=True),
        text("environment"),
        Column("key", Text, nullable=False, index=True),
        *(text(name) for name in ("event", "run_id", "account", "currency", "method")),
        Column("at", Float, nullable=False),
        Column("coins", number, nullable=False, default=0),
        Column("detail", JSON, nullable=False, default=dict),
        sqlite_autoincrement=True,
    )
    leases = Table(
        f"{prefix}leases",
        metadata,
        Column("account", Text, primary_key=True),
        *(text(name) for name in ("holder", "host", "process", "seed")),
        Column("until", Float, nullable=False),
        Column("step", number),
    )
    return Tables(journal, leases)


def _unusable(shown: str, error: Exception) -> str:
    reason = reason_of(error)
    advice = "Nothing was changed without it."
    if "file is not a database" in reason or "malformed" in reason:
        advice += " Move the file away: the next run finds what is left in the product by its tag."
    return f"the undo journal in {shown} cannot be used: {reason}. {advice}"
