"""The verdict follows the exception's type, and the exit code follows the contract's list."""

from __future__ import annotations

import pytest

from postdeploy.verdict import (
    Held,
    Judgement,
    NotApplicable,
    ProductDown,
    Residue,
    State,
    Unverified,
    Verdict,
    exit_code,
    verdict_of,
)

V = Verdict


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, V.PASSED),
        (AssertionError("no"), V.FAILED),
        (ProductDown("no answer"), V.FAILED),
        (Unverified("403"), V.UNVERIFIED),
        (Held("smoke.login.token"), V.UNVERIFIED),
        (NotApplicable("not here"), V.NOT_APPLICABLE),
        (Residue("left behind"), V.RESIDUE),
        (ZeroDivisionError("a bug of ours"), V.UNVERIFIED),
    ],
)
def test_verdict_follows_the_exceptions_type(error: BaseException | None, expected: Verdict) -> None:
    assert verdict_of(error) is expected


@pytest.mark.parametrize(
    ("verdicts", "strict", "expected"),
    [
        ([V.RESIDUE, V.FAILED, V.UNVERIFIED], False, 12),
        ([V.FAILED, V.UNVERIFIED, V.PASSED], False, 1),
        ([V.UNVERIFIED, V.FLAKY], True, 10),
        ([V.FLAKY, V.PASSED], True, 11),
        ([V.DEGRADED], True, 11),
        ([V.DEGRADED, V.FLAKY, V.PASSED], False, 0),
        ([V.NOT_APPLICABLE], False, 0),
        ([], False, 5),
    ],
)
def test_first_code_of_the_list_that_applies(verdicts: list[Verdict], strict: bool, expected: int) -> None:
    assert exit_code(verdicts, fail_on_soft=strict) == expected


def test_failure_message_has_its_four_parts_in_order() -> None:
    why = Judgement(State.FAILED, "crm-web runs", "0 of 6", "pod a\nexit code 1", "a missing setting").why
    assert why.splitlines() == [
        "crm-web runs: failed: 0 of 6",
        "where to look: pod a",
        "  exit code 1",
        "usual cause: a missing setting",
    ]


@pytest.mark.parametrize("state", list(State))
def test_only_passed_and_degraded_hold(state: State) -> None:
    assert Judgement(state, "it holds").holds is (state in (State.PASSED, State.DEGRADED))
