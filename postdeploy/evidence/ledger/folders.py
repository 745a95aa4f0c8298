"""What a closed run folder tells the ledger. The folder is read, never believed where its own hashes contradict it."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from postdeploy.evidence.ledger.chain import stamp
from postdeploy.evidence.ledger.events import Event, Kind
from postdeploy.evidence.manifest import MANIFEST, NotEvidence, read_manifest
from postdeploy.evidence.results import WORST_FIRST, Result
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.statements import sha256_of
from postdeploy.evidence.unfinished import is_closed
from postdeploy.evidence.waivers import Waived
from postdeploy.verdict import Verdict

RUNNING, CHANGE = "observation/running.json", "observation/change.json.gz"
"""The release's images as they were seen running, and who deployed them."""
QUIET = (Verdict.PASSED, Verdict.NOT_APPLICABLE)
FINDINGS = 100
"""How many findings of a run the ledger repeats; results.json has them all."""
REASON = 300
"""Characters of a finding's reason."""


class NotReady(Exception):
    """The run folder is not closed yet, so it has no hash to enter."""


class Altered(Exception):
    """The run folder is not what it was when it was closed: it is evidence of nothing, and is not entered."""


class Running(msgspec.Struct, frozen=True, order=True):
    """An image of the release as a node reports it for a live pod."""

    name: str
    tag: str
    sha256: str


class Approved(msgspec.Struct, frozen=True):
    """An approval, as far as the ledger keeps it."""

    by: str
    status: str
    at: datetime | None = None


class Deployed(msgspec.Struct, frozen=True):
    """A deployment of GitLab, as far as the ledger keeps it (the whole of it is in the run folder)."""

    iid: int
    environment: str
    sha: str = ""
    ref: str = ""
    status: str = ""
    by: str = ""
    created: datetime | None = None
    began: datetime | None = None
    finished: datetime | None = None
    pipeline: str = ""
    pipeline_url: str = ""
    approvals: tuple[Approved, ...] | None = None


class Login(msgspec.Struct, frozen=True):
    """Who the job's verified token says it is."""

    user_login: str = ""


class Ticket(msgspec.Struct, frozen=True):
    """What the job's variables say."""

    ticket: str = ""


class ChangeSeen(msgspec.Struct, frozen=True):
    """What was seen of the change."""

    project: str = ""
    said: Ticket = Ticket()
    identity: Login | None = None
    deployment: Deployed | None = None
    listed: tuple[Deployed, ...] = ()
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Facts:
    """A closed run, as far as the ledger is concerned."""

    record: RunRecord
    results: tuple[Result, ...]
    running: tuple[Running, ...]
    manifest_sha256: str
    bundle: str
    """Its place in the archive: ENVIRONMENT/RUN_ID."""

    change: ChangeSeen | None = None
    """Who deployed and who allowed it, where that was looked at."""

    @property
    def environment(self) -> str:
        """The environment's name, which is that of the folder above."""
        return self.record.environment


def read(folder: Path) -> Facts:
    """The facts of a closed run folder. Raises NotReady, Altered."""
    try:
        record = msgspec.json.decode((folder / "run.json").read_bytes(), type=RunRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise NotReady(f"{folder} has no run.json that can be read: {error}") from error
    if not is_closed(folder):
        raise NotReady(f"{folder} is not closed")
    _check(folder, record)
    results = _decoded(folder / "results.json", tuple[Result, ...])
    running = _decoded(folder / RUNNING, tuple[Running, ...])
    bundle = f"{folder.parent.name}/{folder.name}"
    change = _decoded(folder / CHANGE, ChangeSeen)
    return Facts(record, results or (), running or (), sha256_of(folder / MANIFEST), bundle, change)


def _check(folder: Path, record: RunRecord) -> None:
    """The files that are read here are those of the manifest; the whole folder is `verify-evidence`'s to check."""
    if (record.environment, record.run_id) != (folder.parent.name, folder.name):
        raise Altered(f"{folder} says that it is {record.environment}/{record.run_id}: it was renamed or copied")
    try:
        entries = {each.path: each.sha256 for each in read_manifest(folder / MANIFEST)}
    except (NotEvidence, OSError) as error:
        raise Altered(f"{folder / MANIFEST}: {error}") from error
    for name in ("run.json", "plan.json", "results.json", RUNNING, CHANGE):
        path = folder / name
        found = sha256_of(path) if path.is_file() else None
        if found != entries.get(name):
            raise Altered(f"{path} is not the one of the manifest; postdeploy verify-evidence {folder} says more")


def _decoded(path: Path, kind: Any) -> Any:
    try:
        data = path.read_bytes()
        return msgspec.json.decode(gzip.decompress(data) if path.suffix == ".gz" else data, type=kind)
    except FileNotFoundError:  # a run that was killed before
        return None
    except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
        raise Altered(f"{path} cannot be read: {error}") from error


def event_id(facts: Facts) -> str:
    """One id for one run: entering it twice is harmless."""
    return f"verification/{facts.bundle}"


def verification(facts: Facts, deployment_id: str) -> Event:
    """The run, as the ledger keeps it: sums, what was not well, and the hash that binds the rest."""
    record = facts.record
    findings = [each for each in facts.results if each.verdict not in QUIET]
    findings.sort(key=lambda each: WORST_FIRST.index(each.verdict))
    plain = {name: msgspec.to_builtins(getattr(record, name)) for name in ("verdict", "counts", "replay_of")}
    told: dict[str, Any] = plain | {
        "run_id": record.run_id,
        "environment": record.environment,
        "release": record.release,
        "exit_code": record.exit_code,
        "scope": record.scope,
        "rehearsal": record.rehearsal,
        "started": stamp(record.started),
        "finished": stamp(record.finished) if record.finished else "",
        "planned": record.planned,
        "executed": record.executed,
        "signing": record.signing,
        "plan_sha256": record.plan_sha256,
        "manifest_sha256": facts.manifest_sha256,
        "suite_commit": record.suite.commit,
        "suite_dirty": record.suite.dirty,
        "catalogue_sha256": record.suite.catalogue_sha256,
        "bundle": facts.bundle,
        "deployment_id": deployment_id,
        "ledger_head": msgspec.to_builtins(record.ledger),
        "tiers": tally((each.tier, each.verdict) for each in facts.results),
        "controls": tally((control, each.verdict) for each in facts.results for control in each.controls),
        "findings": [_finding(each) for each in findings[:FINDINGS]],
        "findings_in_all": len(findings),
    }
    return Event(event_id(facts), Kind.VERIFICATION, told, {"ran_by": record.pipeline.actor or ""})


def waivers(facts: Facts) -> Iterator[Event]:
    """What somebody allowed not to be checked, once for each word of theirs, with what it was used for at first."""
    used: dict[Waived, list[str]] = {}
    for each in facts.results:
        if each.waiver is not None:
            used.setdefault(each.waiver, []).append(f"{each.id}[{each.subject}]")
    for waiver, checks in used.items():
        told: dict[str, Any] = {"environment": facts.environment, "run_id": facts.record.run_id}
        told |= {"field": ", ".join(checks[:FINDINGS]), "because": waiver.reason, "value": waiver.ticket or ""}
        told |= {"until": waiver.expires.isoformat()}
        name = hashlib.sha256(f"{facts.record.rehearsal}{waiver}{checks}".encode()).hexdigest()[:16]
        yield Event(f"waiver/{facts.environment}/{name}", Kind.WAIVER, told, {"made_by": waiver.approver})


def tally(pairs: Iterable[tuple[str, Verdict]]) -> Mapping[str, Mapping[str, int]]:
    """How often each verdict for each name."""
    found: dict[str, Counter[str]] = {}
    for name, verdict in pairs:
        found.setdefault(name, Counter())[verdict.value] += 1
    return {name: dict(each) for name, each in found.items()}


def _finding(result: Result) -> dict[str, str]:
    reason = result.message.partition("\n")[0]
    short = reason if len(reason) <= REASON else reason[: REASON - 1] + "…"
    return {"check_id": result.id, "subject": result.subject, "verdict": result.verdict.value, "reason": short}
