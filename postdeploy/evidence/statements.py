"""What is signed: two in-toto statements over the images observed running and the manifest of the run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from postdeploy.evidence.manifest import MANIFEST, SUMS
from postdeploy.evidence.results import Result
from postdeploy.evidence.run_record import RunRecord
from postdeploy.verdict import Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VERIFICATION = "https://postdeploy.invalid/deployment-verification/v1"
"""A name, not an address: .invalid never resolves (RFC 2606), so nobody is called when it is read."""
BOUND = (MANIFEST, SUMS)
"""The files of the run folder that every statement names, and through which it binds all the others."""


NOT_CHECKED = (Verdict.UNVERIFIED, Verdict.NOT_APPLICABLE)


class Image(msgspec.Struct, frozen=True, order=True):
    """An image observed running."""

    name: str
    """Repository, without tag."""
    sha256: str


def statements(
    folder: Path, record: RunRecord, results: Iterable[Result], images: Iterable[Image]
) -> dict[str, dict[str, Any]]:
    """Both statements by the type of their predicate; the manifest and the sums are already in the folder."""
    known = tuple(results)
    subject = [{"name": name, "digest": {"sha256": sha256_of(folder / name)}} for name in BOUND]
    subject += [{"name": each.name, "digest": {"sha256": each.sha256}} for each in sorted(set(images))]
    predicates = {TEST_RESULT: _test_result(folder, record, known), VERIFICATION: _verification(record, known)}
    return {
        kind: {"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": predicate}
        for kind, predicate in predicates.items()
    }


def sha256_of(path: Path) -> str:
    """The hash of a file, as sha256sum prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _test_result(folder: Path, record: RunRecord, results: tuple[Result, ...]) -> dict[str, Any]:
    """in-toto's test-result v0.1: what has no place there (skipped, not run) is never a pass."""
    named = ("plan.json", "environment.json")
    configuration = [
        {"name": name, "digest": {"sha256": sha256_of(folder / name)}} for name in named if (folder / name).is_file()
    ]
    configuration.append({"name": "postdeploy/catalogue.json", "digest": {"sha256": record.suite.catalogue_sha256}})
    return {
        "result": _result(record),
        "configuration": configuration,
        **({"url": record.pipeline.url} if record.pipeline.url else {}),
        "passedTests": _names(results, Verdict.PASSED),
        "warnedTests": _names(results, Verdict.DEGRADED, Verdict.FLAKY),
        "failedTests": _names(results, Verdict.FAILED, Verdict.RESIDUE),
    }


def _result(record: RunRecord) -> str:
    """A partial scope and whatever could not be looked at are no pass: v0.1 knows no third answer."""
    if not record.is_full:
        return "FAILED"
    match record.verdict:
        case Verdict.PASSED:
            return "PASSED"
        case Verdict.DEGRADED | Verdict.FLAKY:
            return "WARNED"
        case _:
            return "FAILED"


def _verification(record: RunRecord, results: tuple[Result, ...]) -> dict[str, Any]:
    """Our own predicate: what test-result v0.1 has no field for."""
    return {
        "runId": record.run_id,
        "environment": record.environment,
        "release": record.release,
        "verdict": record.verdict.value,
        "exitCode": record.exit_code,
        "scope": record.scope,
        "rehearsal": record.rehearsal,
        "replayOf": record.replay_of,
        "startedOn": moment(record.started),
        "finishedOn": moment(record.finished) if record.finished else None,
        "suite": msgspec.to_builtins(record.suite),
        "pipeline": msgspec.to_builtins(record.pipeline),
        "planSha256": record.plan_sha256,
        "ledgerHead": msgspec.to_builtins(record.ledger),
        "planned": record.planned,
        "executed": record.executed,
        "counts": record.counts,
        "notChecked": [_not_checked(each) for each in results if each.verdict in NOT_CHECKED or each.waiver],
    }


def _not_checked(result: Result) -> dict[str, Any]:
    """What was not checked and why; of what was waived, also who accepted it."""
    said = {"id": result.id, "subject": result.subject, "verdict": result.verdict.value, "reason": result.message}
    return said | ({"waiver": msgspec.to_builtins(result.waiver)} if result.waiver else {})


def _names(results: Iterable[Result], *verdicts: Verdict) -> list[str]:
    return [f"{each.id}[{each.subject}]" for each in results if each.verdict in verdicts]


def moment(when: datetime) -> str:
    """RFC 3339 in UTC, as run.json has it."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def facts(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """The digests that a statement binds, by name of its subject; several images of one name keep the last."""
    return {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
