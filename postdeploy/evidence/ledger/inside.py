"""Whether what stands beside the chain in the database is what the chain says: tables, names, the view, the guards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postdeploy.evidence.findings import Finding, State
from postdeploy.evidence.ledger import guards, view
from postdeploy.evidence.ledger.chain import Entry
from postdeploy.evidence.ledger.events import Kind
from postdeploy.evidence.ledger.ledger import pseudonym
from postdeploy.evidence.ledger.projection import project
from postdeploy.evidence.ledger.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

SHOWN = 5
"""Differences of a derived table that are named one by one."""
ACTOR = re.compile(r'"(actor:[0-9a-f]{32})"')
TRIGGERS = {
    "sqlite": "select name from sqlite_master where type = 'trigger'",
    "postgresql": "select tgname from pg_trigger where not tgisinternal and tgenabled in ('O', 'A')",
}


def inside(store: Store, connection: Connection, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every difference, with where it is."""
    yield from _derived(store, connection, entries)
    yield from _names(store, connection, entries)
    yield from _view(connection)
    yield from _guards(store, connection)


def _derived(store: Store, connection: Connection, entries: Sequence[Entry]) -> Iterator[Finding]:
    """The tables that queries read are what the chain says they are."""
    try:
        rows = list(project(entries))
    except (ValueError, KeyError, TypeError):
        return  # a payload that cannot be read is reported where the chain is checked
    expected: dict[str, list[dict[str, Any]]] = {each.name: [] for each in store.tables.derived}
    for name, row in rows:
        expected[name].append(row)
    for table in store.tables.derived:
        keys = [each.name for each in table.primary_key]
        there = {tuple(row[key] for key in keys): dict(row) for row in connection.execute(table.select()).mappings()}
        should = {tuple(row[key] for key in keys): row for row in expected[table.name]}
        differs = sorted(key for key in there.keys() | should.keys() if there.get(key) != should.get(key))
        for key in differs[:SHOWN]:
            yield Finding(f"{table.name}, entry {key[0]}", State.TAMPERED, _difference(there.get(key), should.get(key)))
        if len(differs) > SHOWN:
            yield Finding(table.name, State.TAMPERED, f"{len(differs) - SHOWN} more rows are not what the chain says")


def _difference(there: Mapping[str, Any] | None, should: Mapping[str, Any] | None) -> str:
    if there is None:
        return "its row was deleted, though the chain has it"
    if should is None:
        return "has a row that the chain does not have: it was made up"
    names = [name for name in should if there.get(name) != should[name]]
    return "; ".join(f"{name} is {there.get(name)!r}, the chain says {should[name]!r}" for name in names[:SHOWN])


def _names(store: Store, connection: Connection, entries: Sequence[Entry]) -> Iterator[Finding]:
    """A pseudonym is made of its name, so another name cannot be put behind it; one without a name was erased."""
    erased = {json.loads(each.payload)["actor"] for each in entries if each.event_type == Kind.ERASURE and _reads(each)}
    there = {each.actor: (each.salt, each.login) for each in connection.execute(store.tables.actor.select())}
    for actor, (salt, login) in sorted(there.items()):
        if login and pseudonym(salt, login) != actor:
            yield Finding(f"ledger_actor, {actor}", State.TAMPERED, "another name was put behind it")
        elif not login and actor not in erased:
            yield Finding(f"ledger_actor, {actor}", State.TAMPERED, "its name was destroyed, and no entry says so")
    used = {actor: each.seq for each in reversed(entries) for actor in ACTOR.findall(each.payload)}
    for actor in sorted(used.keys() - there.keys()):
        yield Finding(f"ledger_actor, {actor}", State.TAMPERED, f"is missing, though entry {used[actor]} names it")


def _reads(entry: Entry) -> bool:
    try:
        return bool(json.loads(entry.payload).get("actor"))
    except (ValueError, AttributeError):
        return False


def _view(connection: Connection) -> Iterator[Finding]:
    """The view is that of this version: whoever changes it changes what auditors are shown."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    columns = ", ".join(view.COLUMNS)
    ours, theirs = f"select {columns} from ({view.BODY}) as ours", f"select {columns} from {view.NAME}"
    for one, other in ((ours, theirs), (theirs, ours)):
        try:
            with connection.begin_nested():  # what fails here must not cost the looks after it
                found = connection.execute(text(f"select count(*) from ({one} except {other}) as differing")).scalar()
        except SQLAlchemyError:
            yield Finding(view.NAME, State.TAMPERED, "the view is not the one that was made")
            return
        if found:
            yield Finding(view.NAME, State.TAMPERED, f"{found} rows are others than its query gives: it was replaced")
            return


def _guards(store: Store, connection: Connection) -> Iterator[Finding]:
    dialect = connection.dialect.name
    made = "\n".join(guards.statements(dialect, store.tables))
    there = set(connection.exec_driver_sql(TRIGGERS[dialect]).scalars())
    for name in re.findall(r"create trigger (\w+)", made):
        if name not in there:
            yield Finding(name, State.TAMPERED, "this guard was switched off or removed")
