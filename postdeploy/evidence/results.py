"""What came out: exactly one result for every planned check, whatever happened to the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from postdeploy.evidence.catalogue import runbook
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.waivers import Waived
from postdeploy.verdict import Verdict

NOT_RUN = "unverified: not run"
WORST_FIRST = (
    Verdict.RESIDUE,
    Verdict.FAILED,
    Verdict.UNVERIFIED,
    Verdict.FLAKY,
    Verdict.DEGRADED,
    Verdict.PASSED,
    Verdict.NOT_APPLICABLE,
)
Key = tuple[str, str]


class Attempt(msgspec.Struct, frozen=True):
    """One look at one subject."""

    at: datetime
    duration_s: float
    outcome: Verdict
    reason: str


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdict on one planned check, with what an auditor needs to understand it."""

    id: str
    subject: str
    nodeid: str | None
    """pytest's name of the test; none when no test ran for it."""
    title: str
    tier: str
    controls: tuple[str, ...]
    verdict: Verdict
    started: datetime | None
    duration_s: float
    message: str
    attempts: tuple[Attempt, ...]
    owner: str
    runbook: str
    waiver: Waived | None = None
    """Who accepted that it was not run; left out of the file where nobody had to."""

    @property
    def key(self) -> Key:
        """What a plan's entry is matched by."""
        return self.id, self.subject

    @property
    def executed(self) -> bool:
        """Whether a test ran for it at all."""
        return self.started is not None


def result_of(
    planned: Planned,
    verdict: Verdict,
    message: str = "",
    *,
    nodeid: str | None = None,
    started: datetime | None = None,
    duration_s: float = 0.0,
    attempts: tuple[Attempt, ...] = (),
    waiver: Waived | None = None,
) -> Result:
    """The result of a planned check, with everything the plan already knows."""
    return Result(
        id=planned.id,
        subject=planned.subject,
        nodeid=nodeid,
        title=planned.title,
        tier=planned.tier,
        controls=planned.controls,
        verdict=verdict,
        started=started,
        duration_s=round(duration_s, 6),
        message=message,
        attempts=attempts,
        owner=planned.owner,
        runbook=runbook(planned.id),
        waiver=waiver,
    )


def complete(
    plan: Iterable[Planned], results: Iterable[Result], why_not: Mapping[Key, str] | None = None
) -> tuple[Result, ...]:
    """Exactly one result for each planned check, in the plan's order; `why_not` explains what did not run."""
    seen: dict[Key, list[Result]] = {}
    for each in results:
        seen.setdefault(each.key, []).append(each)
    reasons = why_not or {}
    return tuple(_settled(planned, seen.get(planned.key, []), reasons.get(planned.key)) for planned in plan)


def unplanned(plan: Iterable[Planned], results: Iterable[Result]) -> tuple[str, ...]:
    """A line for each result that no plan asked for: a harness error, since nobody would ever miss such a check."""
    known = {each.key for each in plan}
    strangers = dict.fromkeys(each.key for each in results if each.key not in known)
    return tuple(
        f"harness error: {check}[{subject}] gave a result but is not in the plan; is postdeploy/catalogue.json stale?"
        for check, subject in strangers
    )


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each verdict, every verdict named."""
    tally = {verdict.value: 0 for verdict in Verdict}
    for each in results:
        tally[each.verdict.value] += 1
    return tally


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that decides among several; none at all is unverified."""
    seen = set(verdicts)
    return next((each for each in WORST_FIRST if each in seen), Verdict.UNVERIFIED)


def _settled(planned: Planned, seen: list[Result], reason: str | None) -> Result:
    if not planned.applicable:
        return result_of(planned, Verdict.NOT_APPLICABLE, "not applicable: nothing of the kind is declared here")
    if not seen and planned.waiver and not reason:
        return result_of(planned, Verdict.DEGRADED, planned.waiver.words, waiver=planned.waiver)
    if not seen:
        return result_of(planned, Verdict.UNVERIFIED, f"{NOT_RUN}: {reason}" if reason else NOT_RUN)
    if len(seen) == 1:
        return seen[0]
    chosen = min(seen, key=lambda each: WORST_FIRST.index(each.verdict))
    note = f"judged {len(seen)} times ({', '.join(each.verdict for each in seen)}), the worst verdict counts"
    return msgspec.structs.replace(chosen, message=f"{chosen.message}\n{note}".lstrip())
