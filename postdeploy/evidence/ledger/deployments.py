"""Which deployment a run is about: the pipeline's, or the one that shows in the bits that are seen running. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from postdeploy.evidence.ledger.chain import stamp
from postdeploy.evidence.ledger.events import Event, Kind
from postdeploy.evidence.ledger.folders import Facts, Running

SAID_LATER = ("digest", "ticket", "approved_by", "approved_at", "commit_sha")
"""Facts that a later run of the same pipeline may know first."""
PIPELINE, SEEN = "pipeline", "seen"


class Known(Protocol):
    """What the ledger knows already."""

    def deployment(self, deployment_id: str) -> Mapping[str, Any] | None:
        """The newest that was said of a deployment."""

    def last_seen(self, environment: str, *, rehearsal: bool) -> tuple[str, Mapping[str, frozenset[str]]]:
        """The deployment whose bits were seen last, and its digests by image."""


@dataclass(frozen=True)
class Population:
    """What a run adds to the deployments that are known."""

    events: tuple[Event, ...]
    verified: str
    """The deployment that the run is a verification of; "" where none is known."""


def population(facts: Facts, known: Known) -> Population:
    """The deployments a run tells of; `replay_of` and the sum over several environments tell of none."""
    record = facts.record
    if record.replay_of or record.environment == "all":
        return Population((), "")
    mine = tuple(each for each in facts.running if each.tag == record.release)
    # A Job of the release before may still be at work: of each image some bits have to be this release's.
    is_mine = bool(mine) and {each.name for each in mine} == {each.name for each in facts.running}
    named = _pipeline(facts, mine if is_mine else ())
    last, digests = known.last_seen(record.environment, rehearsal=record.rehearsal)
    events: list[Event] = []
    if named is not None:
        said = known.deployment(named.payload["deployment_id"])
        if said is None:
            events.append(named)
        elif any(not said[each] and _value(named, each) for each in SAID_LATER):
            again = {**named.payload, "deployed_at": said["deployed_at"]}
            events.append(Event(f"{named.event_id}/{record.run_id}", Kind.DEPLOYMENT, again, named.people))
        known_bits = not said or not said["digest"] or said["digest"] == named.payload["digest"]
        if is_mine and known_bits:
            return Population(tuple(events), named.payload["deployment_id"])
    running = mine if is_mine else facts.running
    if running and is_new(running, digests):
        found = _seen(facts, running)
        events.append(found)
        last = found.payload["deployment_id"]
    if named is not None:
        return Population(tuple(events), named.payload["deployment_id"])
    return Population(tuple(events), last if is_mine else "")


def is_new(running: Iterable[Running], before: Mapping[str, frozenset[str]]) -> bool:
    """Whether some image runs in none of the bits it ran in before; another platform's beside them is nothing new."""
    now: dict[str, set[str]] = {}
    for each in running:
        now.setdefault(each.name, set()).add(each.sha256)
    return any(not digests & before.get(name, frozenset()) for name, digests in now.items())


def fingerprint(running: Iterable[Running]) -> str:
    """One hash for the bits of a release: over sorted lines of `image@sha256:digest`; "" for none."""
    lines = sorted({f"{each.name}@sha256:{each.sha256}\n" for each in running})
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""


def _value(event: Event, name: str) -> Any:
    return event.people.get(name) or event.payload.get(name)


def _pipeline(facts: Facts, running: tuple[Running, ...]) -> Event | None:
    """The deployment that the pipeline's variables name."""
    record, pipeline = facts.record, facts.record.pipeline
    if record.rehearsal or not pipeline.id:
        return None
    name = f"pipeline:{pipeline.project or '?'}#{pipeline.id}"
    told = _told(facts, f"{name}@{record.environment}", PIPELINE, record.release, running)
    told |= {"pipeline_id": pipeline.id, "pipeline_url": pipeline.url or "", "commit_sha": pipeline.commit or ""}
    told |= {"ticket": pipeline.ticket or "", "approved_at": _moment(pipeline.approved_at)}
    told |= {"deployed_at": _moment(pipeline.created) or stamp(record.started)}
    people = {"deployed_by": pipeline.actor or "", "approved_by": pipeline.approver or ""}
    return Event(f"deployment/{told['deployment_id']}", Kind.DEPLOYMENT, told, people)


def _seen(facts: Facts, running: tuple[Running, ...]) -> Event:
    """A deployment that nobody announced: its bits were seen running for the first time by this run."""
    record = facts.record
    tags = sorted({each.tag for each in running})
    told = _told(facts, f"seen:{record.environment}@{record.run_id}", SEEN, ", ".join(tags), running)
    told |= {"deployed_at": stamp(record.started), "status": "first seen running then"}
    return Event(f"deployment/{told['deployment_id']}", Kind.DEPLOYMENT, told)


def _told(facts: Facts, deployment_id: str, source: str, release: str, running: tuple[Running, ...]) -> dict[str, Any]:
    return {
        "deployment_id": deployment_id,
        "source": source,
        "environment": facts.record.environment,
        "release": release,
        "rehearsal": facts.record.rehearsal,
        "digest": fingerprint(running),
        "images": [msgspec.to_builtins(each) for each in sorted(running)],
    }


def _moment(text: str | None) -> str:
    """A moment as the CI writes it, as the ledger does; what is no moment is none."""
    from datetime import datetime

    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return ""
    return stamp(found) if found is not None and found.tzinfo is not None else ""
