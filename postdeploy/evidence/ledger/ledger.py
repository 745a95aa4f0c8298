"""The ledger: appended to in one transaction, read in one look."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from postdeploy.evidence.ledger.chain import Entry, Head, canonical, link, stamp
from postdeploy.evidence.ledger.events import Event, Kind
from postdeploy.evidence.ledger.projection import Projection
from postdeploy.evidence.ledger.store import Store
from postdeploy.evidence.signing import SigningKey

if TYPE_CHECKING:
    from sqlalchemy import Connection

Clock = Callable[[], datetime]


def now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def pseudonym(salt: str, login: str) -> str:
    """What stands for a login in the chain."""
    return "actor:" + hashlib.sha256(f"{salt}\0{login}".encode()).hexdigest()[:32]


class Ledger:
    """One ledger, in whichever database."""

    def __init__(self, place: str | Store, key: SigningKey | None = None, clock: Clock = now) -> None:
        """`key` signs what is entered; without one entries are bound by the chain alone."""
        self.store = place if isinstance(place, Store) else Store(place)
        self.key, self.clock = key, clock

    def __repr__(self) -> str:
        return repr(self.store)

    def append(self, events: Sequence[Event]) -> tuple[Entry, ...]:
        """Enter what is not in yet, all of it or nothing. Raises LedgerUnusable."""
        with self.store.writing() as connection:
            return Writing(self, connection).enter(events)

    def head(self) -> Head:
        """The newest entry; of a ledger that is not made yet, the one before the first. Raises LedgerUnusable."""
        if not self.store.is_made():
            return Head()
        with self.store.reading() as connection:
            return Reading(self.store, connection).head()

    def entries(self) -> tuple[Entry, ...]:
        """The whole chain, in its order. Raises LedgerUnusable."""
        with self.store.reading() as connection:
            return tuple(Reading(self.store, connection).entries())

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


class Reading:
    """Questions to the ledger inside one transaction."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self.tables, self.connection = store.tables, connection

    def head(self) -> Head:
        """The newest entry."""
        event = self.tables.event.c
        newest = self.tables.event.select().with_only_columns(event.seq, event.entry_hash).order_by(event.seq.desc())
        found = self.connection.execute(newest.limit(1)).first()
        return Head(found.seq, found.entry_hash) if found else Head()

    def entries(self) -> Iterator[Entry]:
        """The chain in its order."""
        for each in self.connection.execute(self.tables.event.select().order_by(self.tables.event.c.seq)):
            yield Entry(*each)

    def known(self, event_ids: Sequence[str]) -> dict[str, Entry]:
        """Those of these events that are in already."""
        event = self.tables.event
        found = self.connection.execute(event.select().where(event.c.event_id.in_(event_ids)))
        return {each.event_id: Entry(*each) for each in found}

    def runs(self, environment: str) -> frozenset[str]:
        """The ids of the runs of an environment that are in."""
        run = self.tables.verification
        query = run.select().with_only_columns(run.c.run_id).where(run.c.environment == environment)
        return frozenset(self.connection.execute(query).scalars())

    def deployment(self, deployment_id: str) -> Mapping[str, Any] | None:
        """What is known of a deployment: the newest that was said."""
        table = self.tables.deployment
        query = table.select().where(table.c.deployment_id == deployment_id).order_by(table.c.seq.desc()).limit(1)
        found = self.connection.execute(query).mappings().first()
        return dict(found) if found else None

    def corrections(self, deployment_id: str) -> int:
        """How often a deployment was corrected."""
        note = self.tables.note
        query = note.select().where(note.c.kind == Kind.CORRECTION.value, note.c.deployment_id == deployment_id)
        return len(self.connection.execute(query).all())

    def actor(self, login: str) -> str | None:
        """The pseudonym of a login."""
        actor = self.tables.actor
        found = self.connection.execute(actor.select().where(actor.c.login == login)).first()
        return str(found.actor) if found is not None and login else None

    def last_seen(self, environment: str, *, rehearsal: bool) -> tuple[str, Mapping[str, frozenset[str]]]:
        """The deployment whose bits were seen last in an environment, and the digests by image; "" for none."""
        table, event = self.tables.deployment, self.tables.event
        where = (table.c.environment == environment, table.c.digest != "", table.c.rehearsal == int(rehearsal))
        query = table.select().where(*where).order_by(table.c.seq.desc()).limit(1)
        found = self.connection.execute(query).mappings().first()
        if found is None:
            return "", {}
        told = event.select().with_only_columns(event.c.payload).join(table, table.c.seq == event.c.seq)
        told = told.where(table.c.deployment_id == found["deployment_id"], table.c.digest == found["digest"])
        for payload in self.connection.execute(told.order_by(event.c.seq.desc())).scalars():
            images: dict[str, set[str]] = {}
            for each in json.loads(payload).get("images", ()):
                images.setdefault(each["name"], set()).add(each["sha256"])
            if images:
                return found["deployment_id"], {name: frozenset(each) for name, each in images.items()}
        return found["deployment_id"], {}


class Writing(Reading):
    """Enters events inside one transaction."""

    def __init__(self, ledger: Ledger, connection: Connection) -> None:
        super().__init__(ledger.store, connection)
        self.key, self.clock = ledger.key, ledger.clock

    def enter(self, events: Sequence[Event]) -> tuple[Entry, ...]:
        """The entries made, without those that were there before."""
        there = self.known([each.event_id for each in events])
        made: list[Entry] = []
        head = self.head()
        for each in events:
            if each.event_id in there:
                continue
            entry = self._signed(link(head, each.event_id, each.kind, self._payload(each), stamp(self.clock())))
            self.connection.execute(self.tables.event.insert().values(**msgspec.structs.asdict(entry)))
            self._project(entry, each)
            there[each.event_id] = entry
            made.append(entry)
            head = Head(entry.seq, entry.entry_hash)
        return tuple(made)

    def _payload(self, event: Event) -> str:
        return canonical({**event.payload, **{name: self.pseudonym(login) for name, login in event.people.items()}})

    def _signed(self, entry: Entry) -> Entry:
        if self.key is None:
            return entry
        signature = self.key.signer.sign(entry.signed_text)
        return msgspec.structs.replace(entry, key_id=self.key.keyid, signature=signature.signature)

    def _project(self, entry: Entry, event: Event) -> None:
        projection = Projection()
        if event.kind is Kind.CORRECTION and (before := self.deployment(event.payload["deployment_id"])):
            projection.deployments[before["deployment_id"]] = dict(before)
        for name, row in projection.rows(entry):
            self.connection.execute(self.tables.metadata.tables[name].insert().values(**row))
        if event.kind is Kind.ERASURE:
            actor = self.tables.actor
            gone = actor.update().where(actor.c.actor == event.payload["actor"]).values(salt="", login="")
            self.connection.execute(gone)

    def pseudonym(self, login: str) -> str:
        """A name for a login that says nothing once login and salt are destroyed; "" for none."""
        if not login:
            return ""
        if (known := self.actor(login)) is not None:
            return known
        salt = secrets.token_hex(16)
        made = pseudonym(salt, login)
        self.connection.execute(self.tables.actor.insert().values(actor=made, salt=salt, login=login))
        return made
