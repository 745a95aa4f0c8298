"""Databases as we open them: SQLite in a file (WAL, every commit on disk), or PostgreSQL by URL."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

WAIT_S = 10
URL = re.compile(r"^postgres(ql)?(\+psycopg)?://", re.I)
PASSWORD = re.compile(r"(://[^/@\s:]*):[^/@\s]*@|([?&]password=)[^&\s]*", re.I)


def is_url(place: str) -> bool:
    """Whether a place is a database server rather than a file or a folder."""
    return "://" in place


def shown(place: str) -> str:
    """A place as it may be printed: without the password a URL may hold."""
    return PASSWORD.sub(lambda found: f"{found[1]}@" if found[1] else f"{found[2]}***", place)


def open_postgres(url: str, wait_s: int = WAIT_S) -> Engine:
    """A PostgreSQL; nothing is asked of it yet. Raises ImportError without the `postgres` extra."""
    from sqlalchemy import create_engine

    options = {"connect_timeout": wait_s, "options": f"-c statement_timeout={wait_s * 1000}"}
    return create_engine(URL.sub("postgresql+psycopg://", url), connect_args=options, pool_pre_ping=True)


def open_sqlite(file: Path, wait_s: int = WAIT_S) -> Engine:
    """A file to write to, made with its folder where there is none: one writer at a time from the first statement on.

    Write-ahead log, and on disk with every commit.
    """
    from sqlalchemy import create_engine, event

    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": wait_s})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("begin immediate")

    return engine


def open_sqlite_to_read(file: Path, wait_s: int = WAIT_S) -> Engine:
    """A file that is only read, also where neither it nor its folder may be written to; readers hinder no writer."""
    from sqlalchemy import create_engine, event

    how = "mode=ro" if os.access(file.parent, os.W_OK) else "immutable=1"
    engine = create_engine(
        f"sqlite:///file:{quote(str(file.absolute()))}?{how}&uri=true", connect_args={"timeout": wait_s}
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("begin")

    return engine


def reason_of(error: Exception) -> str:
    """What a database said, in one line and without a password."""
    said = str(getattr(error, "orig", None) or error).strip()
    return shown(said.splitlines()[0]) if said else type(error).__name__


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait for the end of a transaction: what they broke into could not be used any more."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
