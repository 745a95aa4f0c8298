"""Which deployment a run is about: the pipeline's, or the one that shows in the bits that are seen running. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from postdeploy.evidence.ledger.chain import stamp
from postdeploy.evidence.ledger.events import Event, Kind
from postdeploy.evidence.ledger.folders import ChangeSeen, Deployed, Facts, Running

SAID_LATER = ("digest", "ticket", "approved_by", "approved_at", "commit_sha")
"""Facts that a later run of the same pipeline may know first."""
PIPELINE, SEEN = "pipeline", "seen"
BEGUN = ("success", "running", "failed", "canceled")
"""Statuses of GitLab in which something was, or may have been, deployed."""


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
    """The deployments a run tells of; the sum over several environments tells of none."""
    record = facts.record
    if record.environment == "all":
        return Population((), "")
    mine = tuple(each for each in facts.running if each.tag == record.release)
    # A Job of the release before may still be at work: of each image some bits have to be this release's.
    is_mine = bool(mine) and {each.name for each in mine} == {each.name for each in facts.running}
    named = own(facts, mine if is_mine else ())
    said = known.deployment(named.payload["deployment_id"]) if named is not None else None
    last, digests = known.last_seen(record.environment, rehearsal=record.rehearsal)
    events = list(_others(facts, known, named))
    events += [news] if named is not None and (news := _news(named, said, record.run_id)) else []
    if named is not None and is_mine and (not said or said["digest"] in ("", named.payload["digest"])):
        return Population(tuple(events), named.payload["deployment_id"])
    running = mine if is_mine else facts.running
    if running and is_new(running, digests):
        found = _seen(facts, running)
        events.append(found)
        last = found.payload["deployment_id"]
    if named is not None:
        return Population(tuple(events), named.payload["deployment_id"])
    return Population(tuple(events), last if is_mine else "")


def _others(facts: Facts, known: Known, named: Event | None) -> Iterator[Event]:
    """GitLab's other deployments of this environment, oldest first."""
    change = facts.change
    if change is None:
        return
    for each in sorted(change.listed, key=lambda each: each.iid):
        found = of_gitlab(facts, change, each)
        if found is None or (named and found.payload["deployment_id"] == named.payload["deployment_id"]):
            continue
        if (news := _news(found, known.deployment(found.payload["deployment_id"]), facts.record.run_id)) is not None:
            yield news


def _news(event: Event, said: Mapping[str, Any] | None, run_id: str) -> Event | None:
    """What is to be entered of a deployment: all of it at first, later only what was not known before."""
    if said is None:
        return event
    if not any(not said[each] and _value(event, each) for each in SAID_LATER):
        return None
    kept = {name: said[name] for name in ("digest", "ticket", "approved_at", "commit_sha", "status", "gap")}
    told = {**event.payload, **{name: value for name, value in kept.items() if not event.payload.get(name)}}
    return Event(f"{event.event_id}/{run_id}", event.kind, told | {"deployed_at": said["deployed_at"]}, event.people)


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


def own(facts: Facts, running: tuple[Running, ...]) -> Event | None:
    """The deployment this run is about, by GitLab's word where there is one, else by the pipeline's variables."""
    record, pipeline, change = facts.record, facts.record.pipeline, facts.change
    by_gitlab = of_gitlab(facts, change, change.deployment, running) if change and change.deployment else None
    if by_gitlab is not None and change is not None:
        told = {"ticket": change.said.ticket or ("" if record.rehearsal else pipeline.ticket or "")}
        return Event(by_gitlab.event_id, by_gitlab.kind, {**by_gitlab.payload, **told}, by_gitlab.people)
    if record.rehearsal or not pipeline.id:
        return None
    name = f"{PIPELINE}:{pipeline.project or '?'}#{pipeline.id}@{record.environment}"
    told = _told(facts, name, PIPELINE, record.release, running)
    told |= {"pipeline_id": pipeline.id, "pipeline_url": pipeline.url or "", "commit_sha": pipeline.commit or ""}
    told |= {"ticket": pipeline.ticket or "", "approved_at": _moment(pipeline.approved_at)}
    told |= {"deployed_at": _moment(pipeline.created) or stamp(record.started)}
    who = change.identity.user_login if change and change.identity else pipeline.actor
    return Event(
        f"deployment/{name}", Kind.DEPLOYMENT, told, {"deployed_by": who or "", "approved_by": pipeline.approver or ""}
    )


def of_gitlab(facts: Facts, change: ChangeSeen, seen: Deployed, running: tuple[Running, ...] = ()) -> Event | None:
    """A deployment as GitLab's API tells it; None for one that has not begun."""
    if seen.status not in BEGUN:
        return None
    number = f"{PIPELINE}:{change.project}#{seen.pipeline}" if seen.pipeline else f"gitlab:{change.project}!{seen.iid}"
    name = f"{number}@{facts.record.environment}"
    told = _told(facts, name, "gitlab", seen.ref, running)
    at = seen.finished or seen.began or seen.created or facts.record.started
    given = [each for each in seen.approvals or () if each.status == "approved"]
    # Who approved beside the deployer counts; a deployer alone is shown as what he is.
    given.sort(key=lambda each: each.by.casefold() == seen.by.casefold())
    approved_at = given[0].at if given else None
    told |= {"deployed_at": stamp(at), "commit_sha": seen.sha, "iid": seen.iid, "status": seen.status}
    told |= {"pipeline_id": seen.pipeline, "pipeline_url": seen.pipeline_url, "gap": gap(seen.iid, change.numbers)}
    told |= {"approved_at": stamp(approved_at) if approved_at else ""}
    people = {"deployed_by": seen.by, "approved_by": given[0].by if given else ""}
    return Event(f"deployment/{name}", Kind.DEPLOYMENT, told, people)


def gap(number: int, numbers: Iterable[int]) -> str:
    """Which numbers are missing just before one, in what a project has; "" for none, and at the end of the list."""
    before = max((each for each in numbers if each < number), default=number - 1)
    if before == number - 1:
        return ""
    return str(number - 1) if before == number - 2 else f"{before + 1} to {number - 1}"


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
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return ""
    return stamp(found) if found is not None and found.tzinfo is not None else ""
