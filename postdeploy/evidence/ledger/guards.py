"""What the database itself refuses: any change or removal, and an entry that does not follow the last one.

Whoever owns the database can switch this off, which is why the chain is checked as well (`postdeploy ledger verify`).
"""

from __future__ import annotations

from collections.abc import Iterator

from postdeploy.evidence.ledger.tables import Tables

ONLY_ADDED = "the ledger is only ever added to"
NOT_NEXT = "an entry of the ledger follows the last one"


def statements(dialect: str, tables: Tables) -> Iterator[str]:
    """The triggers, made once with the tables; no semicolon at the end."""
    yield from _postgres(tables) if dialect == "postgresql" else _sqlite(tables)


def _sqlite(tables: Tables) -> Iterator[str]:
    """`INSERT OR REPLACE` deletes without asking the delete trigger, so a key that exists is refused before that."""
    for table in (*tables.append_only, tables.about):
        words = ("update", "delete") if table is not tables.about else ("delete",)
        for word in words:
            yield (
                f"create trigger {table.name}_no_{word} before {word} on {table.name} "
                f"begin select raise(abort, '{ONLY_ADDED}'); end"
            )
        same = " and ".join(f"{key.name} = new.{key.name}" for key in table.primary_key)
        unique = [column.name for column in table.columns if column.unique]
        taken = " or ".join([f"({same})", *(f"{name} = new.{name}" for name in unique)])
        yield (
            f"create trigger {table.name}_no_replace before insert on {table.name} "
            f"when exists (select 1 from {table.name} where {taken}) begin select raise(abort, '{ONLY_ADDED}'); end"
        )
    event = tables.event.name
    yield (
        f"create trigger {event}_follows before insert on {event} when "
        f"new.seq <> (select coalesce(max(seq), 0) + 1 from {event}) or "
        f"new.prev_hash <> coalesce((select entry_hash from {event} order by seq desc limit 1), "
        f"'{'0' * 64}') begin select raise(abort, '{NOT_NEXT}'); end"
    )


def _postgres(tables: Tables) -> Iterator[str]:
    yield (
        "create or replace function ledger_refuse() returns trigger language plpgsql as "
        f"$$ begin raise exception '{ONLY_ADDED}'; end $$"
    )
    for table in tables.append_only:
        yield (
            f"create trigger {table.name}_no_change before update or delete on {table.name} "
            "for each row execute function ledger_refuse()"
        )
        yield (
            f"create trigger {table.name}_no_truncate before truncate on {table.name} "
            "for each statement execute function ledger_refuse()"
        )
    event = tables.event.name
    yield (
        "create or replace function ledger_follows() returns trigger language plpgsql as $$ begin "
        f"if new.seq <> (select coalesce(max(seq), 0) + 1 from {event}) or new.prev_hash <> "
        f"coalesce((select entry_hash from {event} order by seq desc limit 1), '{'0' * 64}') then "
        f"raise exception '{NOT_NEXT}'; end if; return new; end $$"
    )
    yield (f"create trigger {event}_follows before insert on {event} for each row execute function ledger_follows()")
