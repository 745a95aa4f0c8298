"""What the ledger is told: events, each with an id that makes telling it twice harmless."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The types of events."""

    DEPLOYMENT = "deployment"
    VERIFICATION = "verification"
    WAIVER = "waiver"
    CORRECTION = "correction"
    """A fact about a deployment was recorded wrongly; what was said before stays readable."""
    RETRACTION = "retraction"
    """A run does not count as a verification any more; it stays in the ledger."""
    ANCHOR = "anchor"
    """Somebody outside of the ledger holds the hash of an entry."""
    ERASURE = "erasure"
    """The name behind a pseudonym was destroyed; the chain holds pseudonyms alone and still verifies."""


@dataclass(frozen=True)
class Event:
    """Something that happened, before it has its place in the chain."""

    event_id: str
    kind: Kind
    payload: Mapping[str, Any]
    people: Mapping[str, str] = field(default_factory=dict)
    """Field of the payload to a login: the ledger puts a pseudonym there, and the login where it can be erased."""


def retraction(run_id: str, environment: str, made_by: str, because: str) -> Event:
    """The run does not count any more."""
    told = {"run_id": run_id, "environment": environment, "because": because}
    return Event(f"retraction/{environment}/{run_id}", Kind.RETRACTION, told, {"made_by": made_by})


def anchor(covers: int, entry_hash: str, kind: str, place: str) -> Event:
    """Somebody else holds the hash of an entry: which one, and where."""
    told = {"covers": covers, "entry_hash": entry_hash, "kind": kind, "place": place}
    return Event(f"anchor/{place}", Kind.ANCHOR, told)


CORRECTABLE = ("release", "deployed_by", "deployed_at", "ticket", "approved_by", "approved_at", "commit_sha")
"""What of a deployment a person may set right; a verdict is never corrected, a run is retracted and made again."""
PEOPLE = ("deployed_by", "approved_by")


def correction(deployment_id: str, name: str, value: str, made_by: str, because: str, number: int) -> Event:
    """One field of a deployment was recorded wrongly; `number` is how often it was corrected before."""
    told = {"deployment_id": deployment_id, "field": name, "because": because}
    people = {"made_by": made_by}
    if name in PEOPLE:
        people["value"] = value
    else:
        told["value"] = value
    return Event(f"correction/{deployment_id}/{number + 1}", Kind.CORRECTION, told, people)


def erasure(actor: str, made_by: str, because: str) -> Event:
    """The name behind a pseudonym is destroyed with this entry."""
    return Event(f"erasure/{actor}", Kind.ERASURE, {"actor": actor, "because": because}, {"made_by": made_by})
