"""The end of a run: everything written in an order in which a crash loses least, and hashed last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.journal import Journal, Redact, as_is
from postdeploy.evidence.looks import Looks
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import Result, complete, unplanned
from postdeploy.evidence.run_record import RunRecord

if TYPE_CHECKING:
    from postdeploy.evidence.allure import AllureRecorder

PLAN, RUN, RESULTS = "plan.json", "run.json", "results.json"


@dataclass(frozen=True)
class Extras:
    """What closing needs beside the record, the plan and the results."""

    looks: Looks = field(default_factory=Looks)
    allure: AllureRecorder | None = None
    journal: Journal | None = None
    redact: Redact = as_is
    report: bool = True
    """Whether to try report.html, which takes about a second."""


def commit_plan(folder: RunFolder, plan: Iterable[Planned]) -> str:
    """Write the plan before the first look; the hash says later that it was this one."""
    return hashlib.sha256(folder.write_json(PLAN, tuple(plan)).read_bytes()).hexdigest()


def close(
    folder: RunFolder,
    record: RunRecord,
    plan: Iterable[Planned],
    results: Iterable[Result],
    extras: Extras | None = None,
) -> list[str]:
    """Write all that a finished run leaves, verdict first, manifest last; returns what to say of steps that failed."""
    extras = extras or Extras()
    planned, given = tuple(plan), tuple(results)
    known = tuple(_clean(each, extras.redact) for each in complete(planned, given))
    steps: list[tuple[str, Callable[[], object]]] = [
        (RESULTS, lambda: folder.write_json(RESULTS, known)),
        (RUN, lambda: folder.write_json(RUN, record)),
        ("junit.xml", lambda: _junit(folder, record, known)),
        ("allure-results", lambda: _allure(folder, record, known, extras)),
        ("auditor.html", lambda: _auditor(folder, record, known, extras.looks)),
    ]
    if extras.report:
        steps.append(("report.html", lambda: _report(folder, record)))
    lines = list(unplanned(planned, given))
    lines += [line for what, step in steps if (line := _guarded(what, step))]
    lines += _seal(folder, record, lines, extras.journal)
    return lines


def _seal(folder: RunFolder, record: RunRecord, lines: Iterable[str], journal: Journal | None) -> list[str]:
    """Say the end in the log, close it, and hash what is there."""
    if journal is not None:
        for line in lines:
            journal.event(line, level="warning")
        journal.event("run ended", verdict=record.verdict, exit_code=record.exit_code, counts=record.counts)
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("postdeploy.log", lambda: journal.close() if journal is not None else None),
        ("manifest.json", lambda: _manifest(folder)),
    )
    return [said for what, step in steps if (said := _guarded(what, step))]


def _guarded(what: str, step: Callable[[], object]) -> str | None:
    """One step's failure, or an impatient Ctrl-C in it, never costs the steps after it."""
    try:
        step()
    except KeyboardInterrupt:
        return f"{what} was not written: interrupted"
    except Exception as error:  # noqa: BLE001  whatever it is, it is said and the evidence of the other steps is kept
        return f"{what} was not written: {error or type(error).__name__}"
    return None


def _clean(result: Result, redact: Redact) -> Result:
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
