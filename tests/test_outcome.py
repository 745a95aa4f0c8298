"""What a phase raised becomes a verdict and a message that a person on call can read."""

from __future__ import annotations

from datetime import date

import pytest

from postdeploy.environment import Tolerance
from postdeploy.outcome import Outcome, claim_of, judge_phase, tolerated
from postdeploy.verdict import Held, ProductDown, Unverified, Verdict

DAY = date(2026, 11, 22)


def test_introspection_is_cut_from_an_assertions_own_words() -> None:
    said = "crm-web has rolled out: failed\nwhere to look: pod a\nassert False\n +  where False = <…>.holds"
    assert claim_of(said) == "crm-web has rolled out: failed\nwhere to look: pod a"


@pytest.mark.parametrize(
    ("error", "verdict", "message"),
    [
        (AssertionError("it is red\nassert False"), Verdict.FAILED, "it is red"),
        (ProductDown("no answer"), Verdict.FAILED, "no answer"),
        (Unverified("403"), Verdict.UNVERIFIED, "403"),
        (Unverified(), Verdict.UNVERIFIED, "Unverified without a message"),
        (Held("smoke.login.token"), Verdict.UNVERIFIED, "held because smoke.login.token"),
        (KeyError("oops"), Verdict.UNVERIFIED, "harness error: KeyError: 'oops'"),
    ],
)
def test_phase_is_judged_by_what_it_raised(error: BaseException, verdict: Verdict, message: str) -> None:
    assert judge_phase(error) == (verdict, message)


def test_what_does_not_apply_was_not_passed() -> None:
    outcome = Outcome("a.b", "x", "node")
    outcome.note(Verdict.NOT_APPLICABLE, "nothing of it runs")
    assert outcome.verdict is Verdict.NOT_APPLICABLE
    outcome.note(Verdict.FAILED, "teardown failed")
    assert outcome.verdict is Verdict.FAILED


def test_skip_is_no_way_out() -> None:
    with pytest.raises(BaseException) as skipped:  # noqa: PT011  Skipped is no Exception
        pytest.skip("not today")
    assert judge_phase(skipped.value) == (Verdict.UNVERIFIED, "did not look: not today")


def test_graver_finding_stays_and_every_finding_is_told() -> None:
    outcome = Outcome("a.b", "x", "node")
    outcome.note(Verdict.FAILED, "red")
    outcome.note(Verdict.FLAKY, "and slow")
    assert (outcome.verdict, outcome.message) == (Verdict.FAILED, "red\nand slow")


@pytest.mark.parametrize(
    ("verdict", "subject", "expires", "expected"),
    [
        (Verdict.FAILED, "x", DAY, Verdict.DEGRADED),
        (Verdict.FAILED, "x", date(2026, 11, 21), Verdict.FAILED),
        (Verdict.FAILED, "other", DAY, Verdict.FAILED),
        (Verdict.UNVERIFIED, "x", DAY, Verdict.UNVERIFIED),
    ],
)
def test_tolerance_degrades_its_own_failure_within_its_term(
    verdict: Verdict, subject: str, expires: date, expected: Verdict
) -> None:
    outcome = Outcome("a.b", "x", "node", verdict)
    accepted = Tolerance(check="a.b", subject=subject, owner="ops", reason="OPS-1", expires=expires)
    tolerated(outcome, [accepted], DAY)
    assert outcome.verdict is expected
