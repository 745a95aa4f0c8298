"""Plan entries and results as the tests need them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import Attempt, Result, result_of
from postdeploy.verdict import Verdict

STARTED = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def planned(
    check: str, subject: str = "crm-web", *, applicable: bool = True, controls: tuple[str, ...] = ()
) -> Planned:
    tier = check.partition(".")[0]
    return Planned(check, subject, f"What {check} claims holds.", tier, "platform", controls, applicable)


def ran(entry: Planned, verdict: Verdict = Verdict.PASSED, message: str = "", looks: int = 1) -> Result:
    attempts = tuple(
        Attempt(
            STARTED + timedelta(seconds=each), 0.25, verdict if each == looks - 1 else Verdict.UNVERIFIED, "time-out"
        )
        for each in range(looks)
    )
    nodeid = f"verify/{entry.tier}/test_it.py::test_it[{entry.subject}]"
    return result_of(
        entry, verdict, message, nodeid=nodeid, started=STARTED, duration_s=0.25 * looks, attempts=attempts
    )
