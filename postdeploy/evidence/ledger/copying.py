"""A ledger for somebody who has no access to it: one file, of which everything can be checked and asked offline."""

from __future__ import annotations

from pathlib import Path

import msgspec

from postdeploy.evidence.ledger.ledger import Ledger, Reading
from postdeploy.evidence.ledger.store import Store

BATCH = 1000


class CannotExport(Exception):
    """The copy cannot be written there; the message says what to do."""


def export(ledger: Ledger, target: Path) -> int:
    """Copy the ledger: `.jsonl` has the chain, an entry a line; everything else is a SQLite ledger like any other.

    Returns how many entries there are. Raises LedgerUnusable, CannotExport.
    """
    if target.exists():
        raise CannotExport(f"{target} is already there, and an export never writes over anything. Name another file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return _lines(ledger, target) if target.suffix == ".jsonl" else _database(ledger, target)
    except OSError as error:
        raise CannotExport(f"{target} cannot be written: {error.strerror or error}.") from error


def _lines(ledger: Ledger, target: Path) -> int:
    entries = ledger.entries()
    target.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in entries))
    return len(entries)


def _database(ledger: Ledger, target: Path) -> int:
    """Row by row, so that an altered ledger is copied as it is and found out in the copy as well."""
    source, copy = ledger.store, Store(str(target))
    try:
        with source.reading() as reading, copy.writing() as writing:
            count = 0
            for table in source.tables.metadata.sorted_tables:
                if table is source.tables.about:
                    continue
                ordered = table.select().order_by(*table.primary_key)
                for rows in reading.execute(ordered).mappings().partitions(BATCH):
                    into = copy.tables.metadata.tables[table.name].insert()
                    writing.execute(into, [dict(each) for each in rows])
                    count += len(rows) if table is source.tables.event else 0
        return count
    finally:
        copy.close()


def head_of(ledger: Ledger) -> str:
    """The head in a line, for whoever receives a copy."""
    with ledger.store.reading() as connection:
        head = Reading(ledger.store, connection).head()
    return f"head: entry {head.seq}, {head.entry_hash}"
