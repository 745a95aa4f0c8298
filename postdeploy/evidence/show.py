"""What a run folder says of itself, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from postdeploy.evidence.results import WORST_FIRST, Result
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.statements import moment
from postdeploy.evidence.unfinished import how_far
from postdeploy.verdict import Verdict

QUIET = (Verdict.PASSED, Verdict.NOT_APPLICABLE)


class Unreadable(Exception):
    """There is no record to show."""


def show(folder: Path) -> str:
    """Verdict first, then who, what, when and with which approval, then what was found and not checked."""
    try:
        record = msgspec.json.decode((folder / "run.json").read_bytes(), type=RunRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise Unreadable(
            f"{folder} has no run.json that can be read ({error}). Give a run folder, such as "
            "reports/archive/uk-prod/RUN_ID; of a damaged one `postdeploy verify-evidence` says what is wrong."
        ) from error
    return "\n".join([_headline(record), *_marks(record, folder), *_facts(record), *_results(folder)])


def _headline(record: RunRecord) -> str:
    return f"{record.verdict.upper()}: {record.release} in {record.environment} (exit code {record.exit_code})"


def _marks(record: RunRecord, folder: Path) -> Iterator[str]:
    if record.finished is None:
        yield f"NOT FINISHED: the run ended before its record did; it came as far as {how_far(folder)}"
    if record.rehearsal:
        yield "REHEARSAL: a stand-in was verified, this is no evidence of production"
    if not record.is_full:
        yield f"PARTIAL SCOPE ({record.scope}): this does not count as a verification of the release"
    if record.replay_of:
        yield f"REPLAY of {record.replay_of}: a saved observation was judged again"
    if not record.is_signed:
        yield "UNSIGNED: nothing proves who made it"


def _facts(record: RunRecord) -> Iterator[str]:
    pipeline, suite = record.pipeline, record.suite
    dirty = " with uncommitted changes" if suite.dirty else ""
    tally = ", ".join(f"{count} {name}" for name, count in record.counts.items() if count)
    rows = {
        "run": record.run_id,
        "started": moment(record.started),
        "finished": moment(record.finished) if record.finished else "never",
        "run by": pipeline.actor or "not recorded",
        "approved by": pipeline.approver or "not recorded",
        "ticket": pipeline.ticket or "not recorded",
        "job": pipeline.url or "not recorded",
        "judged by": f"suite {suite.commit}{dirty}, Python {suite.python}",
        "signed by": record.signing,
        "timestamps": record.timestamps or "not asked for",
        "checks": f"{record.planned} planned, {record.executed} executed: {tally or 'none judged'}",
    }
    yield from (f"  {name:<12}{value}" for name, value in rows.items())


def _results(folder: Path) -> Iterator[str]:
    try:
        results = msgspec.json.decode((folder / "results.json").read_bytes(), type=tuple[Result, ...])
    except (OSError, msgspec.MsgspecError):
        yield "no results.json that can be read"
        return
    loud = sorted((each for each in results if each.verdict not in QUIET), key=lambda e: WORST_FIRST.index(e.verdict))
    for each in loud:
        yield f"{each.verdict.upper()} {each.id}[{each.subject}]: {each.message.partition(chr(10))[0]}"
    absent = [each for each in results if each.verdict is Verdict.NOT_APPLICABLE]
    for each in absent:
        yield f"not applicable: {each.id}[{each.subject}]"
