"""The tables: the chain itself, what is derived from it for queries, and who the pseudonyms in it are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData, Table

SCHEMA = 1
"""Version of these tables; a ledger of a newer one is left alone."""
VERDICTS = ("passed", "degraded", "flaky", "failed", "unverified", "not_applicable", "residue")


class Tables(NamedTuple):
    """The tables by what they hold; `derived` are made from the chain alone."""

    metadata: MetaData
    event: Table
    deployment: Table
    verification: Table
    finding: Table
    note: Table
    anchor: Table
    actor: Table
    about: Table

    @property
    def derived(self) -> tuple[Table, ...]:
        """What `ledger verify` derives anew and compares."""
        return self.deployment, self.verification, self.finding, self.note, self.anchor

    @property
    def append_only(self) -> tuple[Table, ...]:
        """What is only ever added to."""
        return self.event, *self.derived


def tables() -> Tables:
    """Every table, declared anew: SQLAlchemy is imported when the first ledger is opened."""
    from sqlalchemy import Float, MetaData, Table

    metadata = MetaData()

    def table(name: str, *columns: Column[Any]) -> Table:
        return Table(f"ledger_{name}", metadata, *columns)

    event = table(
        "event",
        _number("seq", primary_key=True, autoincrement=False),
        _text("event_id", unique=True),
        _text("event_type"),
        _number("schema_version"),
        *map(_text, ("recorded_at", "payload", "payload_sha256", "prev_hash")),
        _text("entry_hash", unique=True),
        *map(_text, ("key_id", "signature")),
    )
    deployment = table(
        "deployment",
        _number("seq", primary_key=True, autoincrement=False),
        _text("deployment_id", index=True),
        _text("source"),
        _text("environment", index=True),
        *map(_text, ("release", "digest", "deployed_by", "deployed_at", "ticket", "approved_by", "approved_at")),
        *map(_text, ("commit_sha", "pipeline_id", "pipeline_url", "status", "gap", "remark")),
        _number("iid", nullable=True),
        _number("rehearsal"),
        _number("corrects", nullable=True),
        _plain("deployed_s", Float),
    )
    verification = table(
        "verification",
        _number("seq", primary_key=True, autoincrement=False),
        _text("run_id", index=True),
        _text("environment", index=True),
        _text("deployment_id", index=True),
        *map(_text, ("release", "verdict", "scope", "started", "finished", "replay_of")),
        *map(_text, ("manifest_sha256", "plan_sha256", "signing", "bundle", "suite_commit", "ran_by")),
        *map(_text, ("tiers", "controls")),
        *(_number(name) for name in ("exit_code", "rehearsal", "counts", "planned", "executed", *VERDICTS)),
        _plain("finished_s", Float),
    )
    finding = table(
        "finding",
        _number("seq", primary_key=True, autoincrement=False),
        _number("number", primary_key=True, autoincrement=False),
        *map(_text, ("check_id", "subject", "verdict", "reason")),
    )
    note = table(
        "note",
        _number("seq", primary_key=True, autoincrement=False),
        _text("run_id", index=True),
        *map(_text, ("kind", "environment", "deployment_id", "field", "value", "made_by", "because", "until")),
    )
    anchor = table(
        "anchor",
        _number("seq", primary_key=True, autoincrement=False),
        _number("covers"),
        *map(_text, ("entry_hash", "kind", "place")),
    )
    actor = table("actor", _text("actor", primary_key=True), _text("salt"), _text("login"))
    about = table("about", _text("name", primary_key=True), _text("value"))
    return Tables(metadata, event, deployment, verification, finding, note, anchor, actor, about)


def _text(name: str, **how: Any) -> Column[Any]:
    from sqlalchemy import Text

    return _plain(name, Text, **how)


def _number(name: str, **how: Any) -> Column[Any]:
    from sqlalchemy import BigInteger, Integer

    return _plain(name, BigInteger().with_variant(Integer, "sqlite"), **how)


def _plain(name: str, kind: Any, **how: Any) -> Column[Any]:
    from sqlalchemy import Column

    return Column(name, kind, **({"nullable": False} | how))
