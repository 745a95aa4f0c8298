"""From the chain to the rows that queries read. Pure: the same entries always give the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from postdeploy.evidence.ledger.chain import Entry
from postdeploy.evidence.ledger.events import Kind
from postdeploy.evidence.ledger.tables import VERDICTS

Row = tuple[str, dict[str, Any]]
"""Name of the table, and the values."""
DEPLOYMENT = (
    *("deployment_id", "source", "environment", "release", "digest", "deployed_by", "deployed_at", "ticket"),
    *("approved_by", "approved_at", "commit_sha", "pipeline_id", "pipeline_url", "status", "gap"),
)
VERIFICATION = (
    *("run_id", "environment", "release", "verdict", "scope", "started", "finished", "deployment_id"),
    *("replay_of", "manifest_sha256", "plan_sha256", "signing", "bundle", "suite_commit", "ran_by"),
)


class Projection:
    """Turns one entry after another into rows; a correction needs to know what was said before."""

    def __init__(self) -> None:
        self.deployments: dict[str, dict[str, Any]] = {}
        """The newest row of each deployment."""

    def rows(self, entry: Entry) -> Iterator[Row]:
        """The rows of one entry; the entries before it came first."""
        told = json.loads(entry.payload)
        match entry.event_type:
            case Kind.DEPLOYMENT:
                yield "ledger_deployment", self._deployment(entry.seq, told)
            case Kind.VERIFICATION:
                yield "ledger_verification", _verification(entry.seq, told)
                yield from _findings(entry.seq, told)
            case Kind.ANCHOR:
                row = {"seq": entry.seq, "covers": told["covers"]}
                yield "ledger_anchor", row | {name: told.get(name, "") for name in ("entry_hash", "kind", "place")}
            case Kind.CORRECTION:
                yield "ledger_note", _note(entry, told)
                before = self.deployments.get(told["deployment_id"])
                if before is not None:
                    yield "ledger_deployment", self._corrected(entry.seq, told, before)
            case _:
                yield "ledger_note", _note(entry, told)

    def _deployment(self, seq: int, told: Mapping[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {"seq": seq, "remark": "", "corrects": None, "iid": told.get("iid")}
        row |= {name: told.get(name) or "" for name in DEPLOYMENT}
        row |= {"rehearsal": int(bool(told.get("rehearsal"))), "deployed_s": seconds(row["deployed_at"])}
        self.deployments[row["deployment_id"]] = row
        return row

    def _corrected(self, seq: int, told: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        row = {**before, "seq": seq, "corrects": before["seq"], told["field"]: told["value"]}
        said = f"{told['field']} was {before[told['field']] or 'empty'}: {told['because']}"
        row["remark"] = f"{before['remark']}; {said}" if before["remark"] else said
        row["deployed_s"] = seconds(row["deployed_at"])
        self.deployments[row["deployment_id"]] = row
        return row


def project(entries: Iterable[Entry]) -> Iterator[Row]:
    """The rows of a whole chain."""
    projection = Projection()
    for each in entries:
        yield from projection.rows(each)


def seconds(moment: str) -> float:
    """A moment as a number, so that SQL can subtract on every database; 0 where there is none."""
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0


def _verification(seq: int, told: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"seq": seq} | {name: told.get(name) or "" for name in VERIFICATION}
    counts = {name.replace("-", "_"): count for name, count in told["counts"].items()}
    row |= {name: counts.get(name, 0) for name in VERDICTS}
    row |= {name: told[name] for name in ("exit_code", "planned", "executed")}
    row |= {name: json.dumps(told[name], sort_keys=True) for name in ("tiers", "controls")}
    row["rehearsal"] = int(told["rehearsal"])
    row["counts"] = int(told["scope"] == "full" and bool(told["finished"]) and not told["replay_of"])
    row["finished_s"] = seconds(row["finished"])
    return row


def _findings(seq: int, told: Mapping[str, Any]) -> Iterator[Row]:
    for number, each in enumerate(told["findings"]):
        names = ("check_id", "subject", "verdict", "reason")
        yield "ledger_finding", {"seq": seq, "number": number} | {name: each[name] for name in names}


def _note(entry: Entry, told: Mapping[str, Any]) -> dict[str, Any]:
    names = ("environment", "run_id", "deployment_id", "field", "value", "made_by", "because", "until")
    row = {"seq": entry.seq, "kind": entry.event_type} | {name: str(told.get(name) or "") for name in names}
    if entry.event_type == Kind.ERASURE:
        row["value"] = told["actor"]
    return row
