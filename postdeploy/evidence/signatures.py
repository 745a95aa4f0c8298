"""Whether the envelopes of a run folder are about it, signed by a key that counts, at a time that is proved or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from postdeploy.evidence.attestation import FILES, Attestation, NotAnAttestation, read_attestation
from postdeploy.evidence.findings import Finding, State
from postdeploy.evidence.manifest import ATTESTATIONS
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.statements import BOUND, VERIFICATION, facts, moment, sha256_of
from postdeploy.evidence.timestamps import LATER, STAMPS, SUFFIX, NotATimestamp, Stamp, expect_about, read_stamp
from postdeploy.evidence.trust import Trust, Trusted, find, objection

RUN = "run.json"
CLOCKS_DIFFER = timedelta(seconds=60)
"""How far a run's clock may be ahead of an authority's."""


def signatures(folder: Path, record: RunRecord | None, keys: Trust | None, notes: list[str]) -> Iterator[Finding]:
    """What is wrong with envelopes and timestamps; `notes` hears who signed, when, and what was not checked."""
    present = [name for name in FILES if (folder / name).is_file()]
    if record is not None and not record.is_signed:
        notes.append("UNSIGNED: nothing proves who made it, or that it was not made anew")
        for name in (each for each in (*FILES, *STAMPS) if (folder / each).is_file()):
            yield Finding(name, State.TAMPERED, f"is there, though {RUN} says that the run was not signed")
        if keys is not None:
            yield Finding(ATTESTATIONS, State.INCOMPLETE, "no signature: the run was not signed")
        return
    if keys is None and present:
        notes.append("SIGNATURE NOT CHECKED: give --keys=keys.json (docs/auditors.md)")
    for name in present:
        try:
            attestation = read_attestation(folder / name)
            yield from _about(folder, name, attestation, record)
        except (NotAnAttestation, OSError, KeyError, TypeError, AttributeError) as error:
            yield Finding(name, State.TAMPERED, str(error))
            continue
        stamp, wrong = _stamp(folder, name, record, keys, notes)
        yield from wrong
        yield from _signature(name, attestation, record, keys, stamp, notes)


def _about(folder: Path, name: str, attestation: Attestation, record: RunRecord | None) -> Iterator[Finding]:
    """Whether the statement is the one that belongs here, and binds this folder's manifest."""
    statement = attestation.statement
    if statement["predicateType"] != FILES[name]:
        yield Finding(name, State.TAMPERED, f"holds {statement['predicateType']}, expected {FILES[name]}")
    bound = facts(statement)
    for each in BOUND:
        path = folder / each
        if path.is_file() and bound.get(each) != sha256_of(path):
            yield Finding(each, State.TAMPERED, f"is not the one that {name} was signed over")
    if record is not None and statement["predicateType"] == VERIFICATION:
        said = statement["predicate"]
        expected = {"runId": record.run_id, "environment": record.environment, "release": record.release}
        expected |= {"verdict": record.verdict.value, "scope": record.scope}
        wrong = [key for key, value in expected.items() if said.get(key) != value]
        if wrong:
            yield Finding(name, State.TAMPERED, f"says another {', '.join(wrong)} than {RUN}")


def _stamp(
    folder: Path, name: str, record: RunRecord | None, keys: Trust | None, notes: list[str]
) -> tuple[Stamp | None, list[Finding]]:
    """When an authority saw the envelope, as far as that can be told here, and what is wrong with its word."""
    beside, path = f"{name}{SUFFIX}", folder / f"{name}{SUFFIX}"
    if not path.is_file():
        asked = record.timestamps if record is not None else ""
        missing = f"is missing: {asked} was not reached, or it was taken away; {LATER}"
        return None, [Finding(beside, State.INCOMPLETE, missing)] if asked else []
    envelope = (folder / name).read_bytes()
    try:
        if keys is None or not keys.authorities:
            expect_about(path, envelope)
            _note(notes, "TIMESTAMP NOT CHECKED: the trust file names no authority (timestamp_authorities)")
            return None, []
        stamp = read_stamp(path, envelope, keys.authorities)
    except (NotATimestamp, OSError) as error:
        return None, [Finding(beside, State.TAMPERED, str(error))]
    _note(notes, f"seen at {moment(stamp.at)} by {stamp.by}")
    if record is not None and record.finished is not None and stamp.at < record.finished - CLOCKS_DIFFER:
        early = f"is of {moment(stamp.at)}, before the run ended at {moment(record.finished)} by its own clock"
        return stamp, [Finding(beside, State.INCOMPLETE, early)]
    return stamp, []


def _signature(
    name: str,
    attestation: Attestation,
    record: RunRecord | None,
    keys: Trust | None,
    stamp: Stamp | None,
    notes: list[str],
) -> Iterator[Finding]:
    short = f"{attestation.keyid[:12]}…"
    if record is not None and attestation.keyid != record.signing:
        yield Finding(name, State.TAMPERED, f"is signed by {short}, {RUN} says {record.signing[:12]}…")
    if keys is None:
        return
    trusted = find(keys, attestation.keyid)
    if trusted is None:
        yield Finding(name, State.TAMPERED, f"is signed by {short}, which is no key of the trust file")
    elif not _is_signed_by(trusted, attestation):
        yield Finding(name, State.TAMPERED, f"its signature is not one of key {short} over its content")
    elif wrong := _objections(name, trusted, record, stamp.at if stamp else None):
        yield from wrong
    else:
        _note(notes, f"signed by {trusted.name or attestation.keyid[:12]}")


def _is_signed_by(trusted: Trusted, attestation: Attestation) -> bool:
    from securesystemslib.exceptions import VerificationError

    try:
        attestation.envelope.verify([trusted.public], threshold=1)
    except VerificationError:
        return False
    return True


def _objections(name: str, trusted: Trusted, record: RunRecord | None, seen: datetime | None) -> list[Finding]:
    """Judged by the time that an authority gave, else by the run's own word."""
    signed = seen or (record.finished if record is not None else None)
    if record is None or signed is None:
        return []
    against = objection(trusted, record.environment, signed, is_proven=seen is not None)
    if against is None:
        return []
    return [Finding(name, State.TAMPERED if against.is_final else State.INCOMPLETE, against.reason)]


def _note(notes: list[str], line: str) -> None:
    if line not in notes:
        notes.append(line)
