"""A test only asserts: what could not be looked at is raised for it, and what is soft is noted beside its verdict."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from postdeploy.evidence.results import Attempt
from postdeploy.fixtures import Judges
from postdeploy.outcome import Outcome
from postdeploy.verdict import Judgement, NotApplicable, State, Unverified, Verdict

AT = datetime(2026, 11, 22, tzinfo=UTC)


class Claims:
    """One rule that answers as told, after as many looks as told."""

    def __init__(self, state: State, looks: int = 1) -> None:
        self.state, self.count = state, looks

    def rule(self, subject: str) -> Judgement:
        return Judgement(self.state, f"{subject} is well")

    def looks(self, rule: str, subject: str) -> tuple[Attempt, ...]:
        failed = [Attempt(AT, 0.1, Verdict.FAILED, "connection refused")] * (self.count - 1)
        return (*failed, Attempt(AT, 0.1, Verdict.PASSED, f"{rule} of {subject} answered"))


def test_pass_says_what_it_was_based_on() -> None:
    outcome = Outcome("a.b", "crm", "node")
    Judges(Claims(State.PASSED), outcome).rule("crm")
    assert outcome.message == "crm is well: passed"


@pytest.mark.parametrize(("state", "error"), [(State.UNVERIFIED, Unverified), (State.NOT_APPLICABLE, NotApplicable)])
def test_what_is_no_answer_is_raised(state: State, error: type[Exception]) -> None:
    with pytest.raises(error, match="crm is well"):
        Judges(Claims(state), Outcome("a.b", "crm", "node")).rule("crm")


@pytest.mark.parametrize(
    ("state", "looks", "verdict"),
    [
        (State.PASSED, 1, Verdict.PASSED),
        (State.DEGRADED, 1, Verdict.DEGRADED),
        (State.PASSED, 2, Verdict.FLAKY),
        (State.DEGRADED, 3, Verdict.FLAKY),
        (State.FAILED, 2, Verdict.PASSED),
    ],
)
def test_soft_findings_are_noted_and_a_failure_is_left_to_the_assertion(
    state: State, looks: int, verdict: Verdict
) -> None:
    outcome = Outcome("a.b", "crm", "node")
    answer = Judges(Claims(state, looks), outcome).rule("crm")
    assert answer.state is state
    assert outcome.verdict is verdict
    assert len(outcome.attempts) == looks
