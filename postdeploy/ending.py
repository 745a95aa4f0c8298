"""The end of a run: one result for every planned check, the exit code, the closed run folder, the last lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from postdeploy.acting import HEADLINE
from postdeploy.booking import Book, place_of
from postdeploy.evidence import closing, results, run_record
from postdeploy.evidence.closing import Extras
from postdeploy.evidence.looks import Looks
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import Attempt, Result, result_of
from postdeploy.outcome import Outcome
from postdeploy.run import Key, Run
from postdeploy.verdict import ExitCode, State, Verdict, exit_code

if TYPE_CHECKING:
    from postdeploy.cluster.objects import Gap, Snapshot
    from postdeploy.evidence.statements import Image

QUIET = (Verdict.PASSED, Verdict.NOT_APPLICABLE)
CLAIM = re.compile(rf"^.*?: (?:{'|'.join(State)}): ")
SHOWN = 20
"""Findings shown in the terminal; the reports have them all."""


def end(run: Run, exitstatus: int) -> int:
    """Complete, record and close the run; returns the exit code of the contract."""
    run.keep("exchanges")
    judged = [judged_as(run, each) for each in run.outcomes.values() if each.finished]
    strangers = results.unplanned(run.plan, judged)
    found = results.complete(run.plan, judged, why_not_run(run))
    run.results = tuple(closing.clean(each, run.redactor.text) for each in found)
    code = final_code(run, exitstatus, harness_error=bool(strangers or run.broken))
    book = book_of(run)
    run.record = book.carried(run_record.finish(run.record, run.results, code), run.said)
    run.said += strangers
    keep_running(run)
    extras = Extras(
        looks=looks(run),
        allure=run.recorder,
        journal=run.journal,
        redact=run.redactor.text,
        redactor=run.redactor,
        key=run.key,
        timestamps=run.record.timestamps,
        images=observed(run.snapshot),
        report=os.environ.get("POSTDEPLOY_REPORT") != "0",
    )
    run.record, lost = closing.close(run.folder, run.record, run.plan, run.results, extras)
    run.said += lost
    run.occupied.release()
    run.said += book.enter(run.folder)
    return run.record.exit_code


def book_of(run: Run) -> Book:
    """The ledger this run is entered in."""
    asked = run.options
    place = place_of(asked.ledger, asked.archive, run.root, rehearsal=run.record.rehearsal)
    return Book(place, run.key, replay=run.record.replay_of is not None)


def keep_running(run: Run) -> None:
    """Save which bits of the release were seen running: what the ledger knows a deployment by."""
    if run.snapshot is None:
        return
    from postdeploy.evidence.ledger.folders import RUNNING, Running
    from postdeploy.readings import release_parts

    declared = {each.image for each in release_parts(run.environment)}
    found = {Running(image, tag, digest) for image, tag, digest in live_images(run.snapshot) if image in declared}
    with suppress(OSError):  # a full disk is said by every step of the closing that follows
        run.folder.write_json(RUNNING, sorted(found))


def observed(snapshot: Snapshot | None) -> tuple[Image, ...]:
    """The images whose digest a node reports for a container of a live pod, by repository."""
    if snapshot is None:
        return ()
    from postdeploy.evidence.statements import Image

    return tuple(sorted({Image(image, digest) for image, _, digest in live_images(snapshot)}))


def live_images(snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Repository, tag and digest of each container of a live pod, as far as a node reports one."""
    from postdeploy.cluster.images import digest_of, parse

    for pod in snapshot.pods:
        named = {each.name: each.image for each in pod.spec.all_containers} if pod.is_live else {}
        for status in pod.status.all_statuses:
            digest = digest_of(status.image_id)
            if digest is not None and status.name in named:
                image = parse(named[status.name])
                yield image.repository, image.tag or "", digest.value.removeprefix("sha256:")


def judged_as(run: Run, outcome: Outcome) -> Result:
    """The result of a check that ran to its end."""
    key = (outcome.check_id, outcome.subject)
    planned = run.planned.get(key) or Planned(*key, "", "", "", (), applicable=True)
    attempt = Attempt(outcome.started, round(outcome.duration_s, 6), outcome.verdict, outcome.message)
    return result_of(
        planned,
        outcome.verdict,
        outcome.message,
        nodeid=outcome.nodeid,
        started=outcome.started,
        duration_s=outcome.duration_s,
        attempts=outcome.attempts or (attempt,),
    )


def result_of_node(run: Run, nodeid: str) -> Result | None:
    """Our result of pytest's node id, once it is known."""
    key = run.keys.get(nodeid)
    found = run.outcomes.get(key) if key else None
    return judged_as(run, found) if found is not None else None


def why_not_run(run: Run) -> Mapping[Key, str]:
    """Why a planned check has no outcome, as far as it is known."""
    reasons: dict[Key, str] = {}
    for each in run.plan:
        if each.waiver and (each.key in run.selected or run.is_broken(each.id)):
            continue
        if run.is_broken(each.id):
            reasons[each.key] = f"its module {run.checks[each.id].module} could not be imported"
        elif each.key not in run.selected:
            reasons[each.key] = f"not selected ({run.record.scope})"
        elif run.stopped:
            reasons[each.key] = run.stopped
    return reasons


def final_code(run: Run, exitstatus: int, *, harness_error: bool) -> ExitCode:
    """The first code of the contract's list that applies to what was selected."""
    if exitstatus == ExitCode.USAGE:
        return ExitCode.USAGE
    counted = [each.verdict for each in run.results if each.key in run.selected or run.is_broken(each.id)]
    if harness_error:
        counted.append(Verdict.UNVERIFIED)
    if run.acting.residue:
        counted.append(Verdict.RESIDUE)
    if counted and not any(each.executed for each in run.results):
        counted.append(Verdict.UNVERIFIED)  # whatever was waived: what looked at nothing verified nothing
    return exit_code(counted, fail_on_soft=run.options.fail_on_soft)


def looks(run: Run) -> Looks:
    """What a reader of the report should know beside the checks: how it settled, what could not be seen."""
    about = {"regulator": run.environment.regulator, "legal entity": run.environment.legal_entity}
    snapshot = run.snapshot
    if snapshot is None:
        return Looks(notes=tuple(run.said), about=about)
    about["cluster"] = f"Kubernetes {snapshot.server_version}, as of {snapshot.taken:%Y-%m-%d %H:%M:%S} UTC"
    return Looks(settled(snapshot), coverage(snapshot.gaps), tuple(run.said), about)


def settled(snapshot: Snapshot) -> str:
    """How waiting for the rollout ended, in one line."""
    ended = snapshot.settled
    if ended is None:
        return "not waited for"
    meaning = {
        "converged": "converged",
        "already-live": "already live at the first look (a no-op deploy, or it had converged before)",
        "doomed": "cannot converge, so waiting was ended early",
        "budget": "did not converge in the time given",
    }[ended.outcome]
    why = f": {'; '.join(ended.why)}" if ended.why else ""
    looks = f"{ended.looks} look" + ("s" if ended.looks != 1 else "")
    return f"{meaning}, after {ended.seconds:.1f} s and {looks}{why}"


def coverage(gaps: Iterable[Gap]) -> tuple[str, ...]:
    """What could not be read, a line each."""
    return tuple(f"{each.resource} in {each.namespace or 'any namespace'}: {each.reason}" for each in gaps)


def headline(run: Run) -> str:
    """The verdict in one line."""
    record = run.record
    kind = " (REHEARSAL, not evidence of production)" if record.rehearsal else ""
    unsigned = "" if record.is_signed else " UNSIGNED"
    return f"{record.environment} {record.release}: {record.verdict.upper()}{kind}{unsigned}"


def summary(run: Run) -> list[str]:
    """The findings, each with its cause in the first line, then where the record is."""
    found = [each for each in run.results if each.verdict not in QUIET and each.executed]
    lines = findings(found)
    if run.snapshot is not None:
        lines.append(f"rollout: {settled(run.snapshot)}")
        lines += [f"not read: {each}" for each in coverage(run.snapshot.gaps)]
    lines += run.said
    record = run.record
    tally = ", ".join(f"{count} {name}" for name, count in record.counts.items() if count)
    lines.append(f"{record.planned} checks planned, {record.executed} executed: {tally}; exit code {record.exit_code}")
    if not record.is_full:
        lines.append(f"PARTIAL SCOPE ({record.scope}): this does not count as a verification of the release")
    served = "report (serve it: python3 -m http.server)"
    pages = (("report.html", "report"), ("report/index.html", served), ("auditor.html", "auditor's page"))
    for name, meaning in pages:
        if (run.folder.path / name).is_file():
            lines.append(f"{meaning}: {run.folder.path / name}")
    return [*lines, f"run folder: {run.folder.path}"]


def findings(found: Iterable[Result]) -> list[str]:
    """One line a finding with its cause, gravest first; findings of one cause share a line."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for each in sorted(found, key=lambda each: (results.WORST_FIRST.index(each.verdict), each.id != HEADLINE)):
        groups.setdefault((each.verdict, each.id, seen(each.message)), []).append(each.subject)
    lines = []
    for (verdict, check, cause), subjects in groups.items():
        others = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
        lines.append(f"{verdict.upper()} {check}[{subjects[0]}]{others}: {cause}")
    more = len(lines) - SHOWN
    return lines[:SHOWN] + ([f"… and {more} more, see the report"] if more > 0 else [])


def seen(message: str) -> str:
    """What was seen: the first line of a message without the claim, which the check id already says."""
    line = message.partition("\n")[0]
    return CLAIM.sub("", line, count=1) or line
