"""The hash chain: each entry binds the text of its payload and the entry before it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from postdeploy.evidence.findings import Finding, State

DOMAIN = b"POSTDEPLOY-LEDGER-v1\0"
"""Keeps a hash of ours from being taken for the hash of something else."""
EVENT_SCHEMA = 1
GENESIS = "0" * 64
"""What comes before the first entry."""


class Entry(msgspec.Struct, frozen=True):
    """One row of the chain, as it is stored."""

    seq: int
    event_id: str
    event_type: str
    schema_version: int
    recorded_at: str
    """RFC 3339 in UTC with microseconds: texts of one length, which sort as times."""
    payload: str
    """Canonical JSON (RFC 8785); it is this text that is hashed, not what a column made of it."""
    payload_sha256: str
    prev_hash: str
    entry_hash: str
    key_id: str = ""
    signature: str = ""
    """Hex, over the entry's hash; empty where the run that entered it signs nothing."""

    @property
    def place(self) -> str:
        """How findings name it."""
        return f"entry {self.seq} ({self.event_id})"

    @property
    def signed_text(self) -> bytes:
        """What the signature is over."""
        return DOMAIN + self.entry_hash.encode()


class Head(msgspec.Struct, frozen=True):
    """The newest entry of a ledger at some moment: who holds it can tell that nothing up to there was changed."""

    seq: int = 0
    entry_hash: str = GENESIS


def stamp(moment: datetime) -> str:
    """A moment as the ledger writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(value: object) -> str:
    """RFC 8785: one text for one value."""
    import rfc8785

    return rfc8785.dumps(value).decode()  # type: ignore[arg-type]


def link(head: Head, event_id: str, event_type: str, payload: str, recorded_at: str) -> Entry:
    """The entry that comes after `head`, not signed yet."""
    sha = _sha256(payload)
    bound = _hash(head.seq + 1, event_id, event_type, EVENT_SCHEMA, recorded_at, sha, head.entry_hash)
    return Entry(head.seq + 1, event_id, event_type, EVENT_SCHEMA, recorded_at, payload, sha, head.entry_hash, bound)


def broken(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Every place where the chain is not what was written, each with the entry where it shows."""
    before = Head()
    for each in entries:
        if each.seq != before.seq + 1:
            yield _at(f"entry {before.seq + 1}", _missing(before.seq + 1, each.seq))
        elif each.prev_hash != before.entry_hash:
            yield _at(each.place, f"does not follow entry {before.seq}: that one, or this, was replaced or moved")
        yield from _altered(each)
        before = Head(each.seq, each.entry_hash)


def _altered(entry: Entry) -> Iterator[Finding]:
    if _sha256(entry.payload) != entry.payload_sha256:
        yield _at(entry.place, "its payload is not the one that was hashed: it was edited")
        return
    bound = _hash(
        *(entry.seq, entry.event_id, entry.event_type, entry.schema_version, entry.recorded_at),
        *(entry.payload_sha256, entry.prev_hash),
    )
    if bound != entry.entry_hash:
        yield _at(entry.place, "its hash is not that of its columns: it was edited, moved or made up")


def _missing(first: int, until: int) -> str:
    if until <= first - 1:
        return f"comes twice, or out of order: after {first - 1} there is {until}"
    return "is missing: it was deleted" if until == first + 1 else f"to {until - 1} are missing: they were deleted"


def _at(place: str, what: str) -> Finding:
    return Finding(place, State.TAMPERED, what)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hash(
    seq: int, event_id: str, event_type: str, schema: int, recorded_at: str, payload_sha256: str, prev_hash: str
) -> str:
    columns = {
        "seq": seq,
        "event_id": event_id,
        "event_type": event_type,
        "schema_version": schema,
        "recorded_at": recorded_at,
        "payload_sha256": payload_sha256,
        "prev_hash": prev_hash,
    }
    return hashlib.sha256(DOMAIN + canonical(columns).encode()).hexdigest()
