"""Closed run folders of a few files, made in milliseconds."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from postdeploy.evidence import run_record
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.ledger.entering import events_of
from postdeploy.evidence.ledger.folders import CHANGE, RUNNING, ChangeSeen, Facts, Running
from postdeploy.evidence.ledger.ledger import Ledger, Writing
from postdeploy.evidence.manifest import write_manifest
from postdeploy.verdict import Verdict
from tests.evidence.makers import STARTED, planned, ran

SUITE = run_record.Suite("c" * 40, False, "e" * 64, "a" * 64, "3.11.7", {"pytest": "9.2.0"})
PLAN = (
    planned("infra.images.tag", controls=("DORA-9.4e",)),
    planned("endpoints.health.status", "northgate.example"),
    planned("smoke.login.token", "uk-prod"),
)
PIPELINE = run_record.Pipeline(
    url="https://gitlab.example/crm/-/pipelines/77",
    commit="d" * 40,
    actor="dora",
    approver="ann",
    ticket="CHG-1",
    id="77",
    project="brokerage/crm",
    created="2026-11-22T19:50:00Z",
    approved_at="2026-11-22T19:40:00Z",
)


def bits(release: str, of: str = "") -> tuple[Running, ...]:
    """The release's image as it runs; another `of` is another build."""
    return (Running("registry.example/crm", release, hashlib.sha256((of or release).encode()).hexdigest()),)


@dataclass(frozen=True)
class Told:
    """What a run folder would tell, without the folder."""

    facts: Facts

    def enter(self, ledger: Ledger) -> None:
        with ledger.store.writing() as connection:
            writing = Writing(ledger, connection)
            writing.enter(list(events_of(writing, self.facts)))


def facts(run_id: str, release: str, verdict: Verdict = Verdict.PASSED, **record: Any) -> Told:
    """A run of uk-prod, or of another environment, that is nowhere on disk."""
    results = (ran(PLAN[0], verdict, "" if verdict is Verdict.PASSED else "it is not so"), *map(ran, PLAN[1:]))
    told = {"environment": "uk-prod", "scope": "full", "started": STARTED, "pipeline": run_record.Pipeline()} | record
    begun = run_record.begin(run_id=run_id, release=release, suite=SUITE, planned=len(PLAN), **told)
    code = 0 if verdict is Verdict.PASSED else 1
    ended = run_record.finish(begun, results, code, begun.started + timedelta(minutes=5))
    sha = hashlib.sha256(run_id.encode()).hexdigest()
    return Told(Facts(ended, results, bits(release), sha, f"{begun.environment}/{run_id}"))


@dataclass
class Archive:
    """An archive of run folders."""

    path: Path
    count: int = 0

    def run(
        self,
        release: str = "v1",
        *,
        verdict: Verdict = Verdict.PASSED,
        running: tuple[Running, ...] | None = None,
        environment: str = "uk-prod",
        started: datetime | None = None,
        change: ChangeSeen | None = None,
        **record: Any,
    ) -> RunFolder:
        """A closed run: of a release that runs as it should, unless something else is said."""
        self.count += 1
        began = started or STARTED + timedelta(hours=self.count)
        run_id = f"{began:%Y%m%dT%H%M%SZ}-{release}-{self.count:06x}"
        folder = RunFolder.create(self.path, environment, run_id)
        results = [ran(PLAN[0], verdict, "" if verdict is Verdict.PASSED else "it is not so"), *map(ran, PLAN[1:])]
        begun = run_record.begin(
            run_id=run_id,
            environment=environment,
            release=release,
            scope="full",
            started=began,
            suite=SUITE,
            pipeline=run_record.Pipeline(),
            planned=len(PLAN),
        )
        code = 0 if verdict is Verdict.PASSED else 1
        ended = run_record.finish(begun, results, code, began + timedelta(minutes=5))
        folder.write_json("plan.json", PLAN)
        folder.write_json("results.json", results)
        folder.write_json("run.json", msgspec.structs.replace(ended, **record))
        folder.write_json(RUNNING, bits(release) if running is None else running)
        if change is not None:
            folder.write_bytes(CHANGE, gzip.compress(msgspec.json.encode(change), mtime=0))
        write_manifest(folder)
        return folder
