"""The end of a run: everything written in an order in which a crash loses least, and hashed last."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.journal import Journal, Redact, as_is
from postdeploy.evidence.looks import Looks
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import Result, complete, unplanned
from postdeploy.evidence.run_record import RunRecord, unproven
from postdeploy.evidence.signing import UNSIGNED, SigningKey
from postdeploy.redact import Redactor

if TYPE_CHECKING:
    from postdeploy.evidence.allure import AllureRecorder
    from postdeploy.evidence.statements import Image

PLAN, RUN, RESULTS, AUDITOR, LOG = "plan.json", "run.json", "results.json", "auditor.html", "postdeploy.log"
SIGNATURE = "attestations"
REPORT = "report.html"
ESSENTIAL = (RESULTS, RUN, "manifest.json", "redactions.json", "leak scan", SIGNATURE)
"""A run that lost one of these proves nothing, whatever it found."""
PENDING = "timestamp pending: "
"""Begins the line of the one thing that can be had later."""


@dataclass(frozen=True)
class Extras:
    """What closing needs beside the record, the plan and the results."""

    looks: Looks = field(default_factory=Looks)
    allure: AllureRecorder | None = None
    journal: Journal | None = None
    redact: Redact = as_is
    redactor: Redactor = field(default_factory=Redactor)
    """Masks what is in the closed folder once more."""
    key: SigningKey | None = None
    timestamps: str = ""
    """Address of the authority that says when the signatures were made; none: nobody is asked."""
    images: tuple[Image, ...] = ()
    """Observed running: what the signed statements are about."""
    report: bool = True
    """Whether to try report.html, which takes about a second."""


class Closed(NamedTuple):
    """How closing ended."""

    record: RunRecord
    """As it was written: a good verdict whose evidence could not be made has become unverified."""
    lines: list[str]
    """What to say of the steps that failed."""


def commit_plan(folder: RunFolder, plan: Iterable[Planned]) -> str:
    """Write the plan before the first look; the hash says later that it was this one."""
    return hashlib.sha256(folder.write_json(PLAN, tuple(plan)).read_bytes()).hexdigest()


def close(
    folder: RunFolder,
    record: RunRecord,
    plan: Iterable[Planned],
    results: Iterable[Result],
    extras: Extras | None = None,
) -> Closed:
    """Write all that a finished run leaves: verdict first, then masked, rendered, scanned, hashed, signed."""
    planned, given = tuple(plan), tuple(results)
    extras = extras or Extras()
    known = tuple(clean(each, extras.redact) for each in complete(planned, given))
    closing = _Closing(folder, record, known, extras, list(unplanned(planned, given)))
    closing.write()
    closing.gate()
    closing.end_log()
    closing.seal()
    return Closed(closing.record, closing.lines)


@dataclass
class _Closing:
    """A run folder on its way to being closed; each step's failure is kept and costs no later step."""

    folder: RunFolder
    record: RunRecord
    results: tuple[Result, ...]
    extras: Extras
    lines: list[str]

    def write(self) -> None:
        """The record and what shows it."""
        self._try(RESULTS, lambda: self.folder.write_json(RESULTS, self.results))
        self._try(RUN, lambda: self.folder.write_json(RUN, self.record))
        self._try("junit.xml", lambda: _junit(self.folder, self.record, self.results))
        self._try("allure-results", lambda: _allure(self.folder, self.record, self.results, self.extras))
        self._try(AUDITOR, self._auditor)

    def gate(self) -> None:
        """Mask, render from what was masked, and take out what still leaks."""
        self._try("redactions.json", self._gate)
        self._prove()

    def _gate(self) -> None:
        from postdeploy.evidence import gate, report

        redactor = self.extras.redactor
        found = gate.sift(self.folder, redactor, gate.files(self.folder, but=[LOG]))
        if self.extras.report:
            self._try(REPORT, lambda: _report(self.folder, self.record))
            leaking = gate.withdraw(self.folder, redactor, report.made(self.folder.path))
            found = msgspec.structs.replace(found, withdrawn=(*found.withdrawn, *leaking))
        self.lines += gate.said(found.withdrawn)
        self.folder.write_json(gate.REDACTIONS, found)

    def end_log(self) -> None:
        """Say the end in the log, close it, and mask it like the rest."""
        journal = self.extras.journal
        if journal is None:
            return
        for line in self.lines:
            journal.event(line, level="warning")
        journal.event(
            "run ended", verdict=self.record.verdict, exit_code=self.record.exit_code, counts=self.record.counts
        )
        self._try(LOG, journal.close)
        self._try(LOG, lambda: self._sift([LOG]))

    def seal(self) -> None:
        """Hash what is there, and sign the hashes."""
        self._try("manifest.json", lambda: _manifest(self.folder))
        if self.extras.key is None or (self.folder.path / "manifest.json").is_file() is False:
            self._prove()
            return
        before = len(self.lines)
        self._try(SIGNATURE, self._sign)
        if len(self.lines) > before:
            self._give_up_signing()
        elif self.extras.timestamps:
            self._stamp()

    def _sign(self) -> None:
        from postdeploy.evidence.attestation import attest

        assert self.extras.key is not None  # noqa: S101  for the type checker: seal has looked
        results = msgspec.json.decode((self.folder.path / RESULTS).read_bytes(), type=tuple[Result, ...])
        record = msgspec.json.decode((self.folder.path / RUN).read_bytes(), type=RunRecord)
        attest(self.folder, record, results, self.extras.images, self.extras.key)

    def _stamp(self) -> None:
        """Evidence is as good without a timestamp as it was before; it can be asked for later."""
        from postdeploy.evidence import timestamps

        try:
            timestamps.stamp(self.folder, self.extras.timestamps)
        except (timestamps.NoTimestamp, OSError) as error:
            self.lines.append(f"{PENDING}{error}; {timestamps.LATER}")

    def _give_up_signing(self) -> None:
        """The record says that nothing is signed, and the manifest binds that record."""
        shutil.rmtree(self.folder.path / SIGNATURE, ignore_errors=True)
        self.record = msgspec.structs.replace(self.record, signing=UNSIGNED)
        self._prove()
        self._write_again()
        self._try("manifest.json", lambda: _manifest(self.folder))

    def _prove(self) -> None:
        """A good verdict whose evidence is lost is unverified, in the record and on the page."""
        if not any(each.startswith(ESSENTIAL) for each in self.lines):
            return
        proven, self.record = self.record, unproven(self.record)
        if self.record != proven:
            self._write_again()

    def _write_again(self) -> None:
        """The record and its page as they are now, masked like those that went through the gate."""
        self._try(RUN, lambda: self.folder.write_json(RUN, self.record))
        self._try(AUDITOR, self._auditor)
        self._try("redactions.json", lambda: self._sift([RUN, AUDITOR]))

    def _sift(self, names: Iterable[str]) -> None:
        from postdeploy.evidence import gate

        there = [each for each in names if (self.folder.path / each).is_file()]
        self.lines += gate.said(gate.sift(self.folder, self.extras.redactor, there).withdrawn)

    def _auditor(self) -> None:
        notes = (*self.extras.looks.notes, *(each for each in self.lines if each not in self.extras.looks.notes))
        _auditor(self.folder, self.record, self.results, dataclasses.replace(self.extras.looks, notes=notes))

    def _try(self, what: str, step: Callable[[], object]) -> None:
        if line := _guarded(what, step):
            self.lines.append(line)


def _guarded(what: str, step: Callable[[], object]) -> str | None:
    """One step's failure, or an impatient Ctrl-C in it, never costs the steps after it."""
    try:
        step()
    except KeyboardInterrupt:
        return f"{what} was not written: interrupted"
    except Exception as error:  # noqa: BLE001  whatever it is, it is said and the evidence of the other steps is kept
        return f"{what} was not written: {error or type(error).__name__}"
    return None


def clean(result: Result, redact: Redact) -> Result:
    """The result with its message and its attempts' reasons masked."""
    attempts = tuple(msgspec.structs.replace(each, reason=redact(each.reason)) for each in result.attempts)
    return msgspec.structs.replace(result, message=redact(result.message), attempts=attempts)


# Each writer is imported when it is first needed: a run's start pays for none of them.


def _junit(folder: RunFolder, record: RunRecord, results: tuple[Result, ...]) -> None:
    from postdeploy.evidence.junit import junit

    folder.write_bytes("junit.xml", junit(record, results))


def _allure(folder: RunFolder, record: RunRecord, results: tuple[Result, ...], extras: Extras) -> None:
    from postdeploy.evidence.allure_context import write_context

    if extras.allure is not None:
        extras.allure.rehearsal = record.rehearsal
        ended = record.finished or datetime.now(UTC)
        extras.allure.finish(results, int(ended.timestamp() * 1000))
        write_context(folder, record)


def _auditor(folder: RunFolder, record: RunRecord, results: tuple[Result, ...], looks: Looks) -> None:
    from postdeploy.evidence.auditor import auditor_page

    hashes = {}
    for name in (PLAN, RESULTS):
        path = folder.path / name
        if path.is_file():
            hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    folder.write_text("auditor.html", auditor_page(record, results, looks, hashes))


def _report(folder: RunFolder, record: RunRecord) -> None:
    from postdeploy.evidence.report import render

    render(folder, record)


def _manifest(folder: RunFolder) -> None:
    from postdeploy.evidence.manifest import write_manifest

    write_manifest(folder)
