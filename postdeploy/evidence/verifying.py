"""Whether a run folder is whole and unaltered: hashes, order of its making, signatures, and that its parts agree."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import msgspec

from postdeploy.evidence.agreement import disagreements
from postdeploy.evidence.attestation import FILES
from postdeploy.evidence.findings import Finding, State
from postdeploy.evidence.manifest import MANIFEST, OUTSIDE, RECEIPT, SUMS, Entry, NotEvidence, read_manifest, sums
from postdeploy.evidence.receipt import intact_receipt
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.signatures import signatures
from postdeploy.evidence.statements import sha256_of
from postdeploy.evidence.timestamps import STAMPS
from postdeploy.evidence.trust import Trust
from postdeploy.evidence.unfinished import MARK, how_far, is_closed

RUN = "run.json"
SEALS = (MANIFEST, SUMS, *FILES)
"""Written last, in this order: what is missing before something that is there was taken away."""


LAST = frozenset({*SEALS, *STAMPS, RECEIPT})
HALF_WRITTEN = re.compile(r"\.(.+)\.[a-z0-9_]{8}\.tmp")


@dataclass
class Report:
    """What was found out about one run folder."""

    name: str
    record: RunRecord | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    """How many files the manifest binds."""

    @property
    def state(self) -> State:
        """The gravest finding decides."""
        return max((each.state for each in self.findings), default=State.WHOLE)


def verify_folder(folder: Path, keys: Trust | None = None, name: str | None = None) -> Report:
    """Every alteration and every gap of a run folder; without keys its signatures are not checked, and that is said."""
    report = Report(name or str(folder), findings=list(_links(folder)))
    if report.findings:
        return report  # what a link leads to is none of the folder's, and is not opened
    report.record = _record(folder, report.findings)
    entries = _manifest(folder, report)
    if entries is not None:
        report.files = len(entries)
        report.findings += _files(folder, entries)
    report.findings += signatures(folder, report.record, keys, report.notes)
    report.findings += _receipt(folder, report)
    if report.record is not None:
        report.findings += disagreements(folder, report.record)
    return report


def _links(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            name = path.relative_to(folder).as_posix()
            yield Finding(name, State.TAMPERED, "is a symbolic link: no evidence of ours holds one; all else unchecked")


def _record(folder: Path, findings: list[Finding]) -> RunRecord | None:
    try:
        record = msgspec.json.decode((folder / RUN).read_bytes(), type=RunRecord)
    except FileNotFoundError:
        findings.append(Finding(RUN, State.INCOMPLETE, f"is missing: the run came as far as {how_far(folder)}"))
        return None
    except (OSError, msgspec.MsgspecError) as error:
        findings.append(Finding(RUN, State.TAMPERED, f"cannot be read: {error}"))
        return None
    if record.finished is None:
        said = f"the run never ended; it came as far as {how_far(folder)}"
        findings.append(Finding(RUN, State.INCOMPLETE, said))
    return record


def _manifest(folder: Path, report: Report) -> tuple[Entry, ...] | None:
    """The manifest's entries, after the order of the seals and the agreement of manifest and sums."""
    report.findings += _seals(folder, report.record)
    try:
        entries = read_manifest(folder / MANIFEST)
    except FileNotFoundError:
        return None
    except (NotEvidence, OSError) as error:
        report.findings.append(Finding(MANIFEST, State.TAMPERED, str(error)))
        return None
    path = folder / SUMS
    if path.is_file() and path.read_bytes() != sums(entries).encode():
        report.findings.append(Finding(SUMS, State.TAMPERED, f"does not say what {MANIFEST} says"))
    return entries


def _seals(folder: Path, record: RunRecord | None) -> Iterator[Finding]:
    expected = SEALS if record is None or record.is_signed else SEALS[:2]
    present = [(folder / each).is_file() for each in expected]
    for place, name in enumerate(expected):
        if present[place]:
            continue
        if any(present[place + 1 :]):
            later = next(each for each, there in zip(expected[place + 1 :], present[place + 1 :], strict=True) if there)
            yield Finding(name, State.TAMPERED, f"is missing, though {later}, written after it, is there")
        else:
            yield Finding(name, State.INCOMPLETE, "is missing: the run folder was never closed, or it was taken away")


def _files(folder: Path, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Every difference between the manifest and the folder."""
    known = {each.path: each for each in entries}
    owners = {each.sha256: each.path for each in known.values()}
    there = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    for name, each in known.items():
        yield from _entry(name, each, there, owners)
    for name, path in there.items():
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) or name in known or name in FILES or name in STAMPS or name in OUTSIDE:
            continue
        if name == MARK and not is_closed(folder):
            continue
        if (unwritten := _half_written(name)) and (unwritten in LAST or not is_closed(folder)):
            yield Finding(name, State.INCOMPLETE, f"is what is left of {unwritten}: the run was killed as it wrote it")
            continue
        yield Finding(name, State.TAMPERED, "is not in the manifest: it was added or renamed" + _origin(path, owners))


def _half_written(name: str) -> str:
    """Which file a temporary one was to become; empty where it is none of ours."""
    place, _, file = name.rpartition("/")
    found = HALF_WRITTEN.fullmatch(file)
    return "/".join(filter(None, (place, found[1]))) if found else ""


def _entry(name: str, entry: Entry, there: dict[str, Path], owners: dict[str, str]) -> Iterator[Finding]:
    parts = PurePosixPath(name)
    path = there.get(name)
    if parts.is_absolute() or ".." in parts.parts:
        yield Finding(name, State.TAMPERED, "is no name of a file inside a run folder")
    elif path is None:
        yield Finding(name, State.TAMPERED, f"is missing: the manifest has it with {entry.size} bytes")
    elif not stat.S_ISREG(path.lstat().st_mode):
        yield Finding(name, State.TAMPERED, "is no regular file")
    elif (size := path.stat().st_size) != entry.size:
        yield Finding(name, State.TAMPERED, f"has {size} bytes, the manifest says {entry.size}{_origin(path, owners)}")
    elif (found := sha256_of(path)) != entry.sha256:
        said = f"has sha256 {found[:12]}…, the manifest says {entry.sha256[:12]}…"
        yield Finding(name, State.TAMPERED, said + _origin(path, owners))


def _origin(path: Path, owners: dict[str, str]) -> str:
    if not stat.S_ISREG(path.lstat().st_mode):
        return " (and is no regular file)"
    other = owners.get(sha256_of(path))
    return f" (its content is that of {other})" if other else ""


def _receipt(folder: Path, report: Report) -> Iterator[Finding]:
    """The ledger's answer, made last of all: there wherever a ledger was, about this run and this manifest."""
    record = report.record
    if not (folder / RECEIPT).is_file():
        if record is not None and record.finished is not None and record.ledger is not None:
            yield Finding(RECEIPT, State.INCOMPLETE, "is missing: the run was killed before it, or it was taken away")
        return
    try:
        receipt = intact_receipt(folder)
    except (NotEvidence, OSError) as error:
        yield Finding(RECEIPT, State.TAMPERED, str(error))
        return
    if record is not None and receipt.run_id != record.run_id:
        yield Finding(RECEIPT, State.TAMPERED, f"is that of {receipt.run_id}")
    bound = receipt.manifest_sha256
    if bound and (folder / MANIFEST).is_file() and bound != sha256_of(folder / MANIFEST):
        yield Finding(RECEIPT, State.TAMPERED, f"is about another {MANIFEST}")
    if receipt.status == "entered":
        report.notes.append(f"entry {receipt.seq} of the ledger {receipt.ledger} (postdeploy ledger verify)")
    else:
        report.notes.append(f"ledger: {receipt.status}: {receipt.reason or 'no reason given'}")


def to_json(reports: Iterable[Report]) -> str:
    """The reports for a machine."""
    return json.dumps(
        [
            {
                "run": each.name,
                "state": each.state.name.lower(),
                "files": each.files,
                "findings": [
                    {"file": found.path, "state": found.state.name.lower(), "what": found.what}
                    for found in each.findings
                ],
                "notes": each.notes,
            }
            for each in reports
        ],
        indent=2,
    )
