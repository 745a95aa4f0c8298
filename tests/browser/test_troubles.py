"""What happened decides the verdict: a silent page is the product's, a browser that is gone is ours."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as TimedOut

from postdeploy.browser.troubles import translated
from postdeploy.outcome import judge_phase
from postdeploy.verdict import ProductDown, Unverified, Verdict

LOG = 'Locator.click: Timeout 8000ms exceeded.\nCall log:\n  - waiting for get_by_role("button", name="Pay")\n'


def test_page_that_does_not_answer_is_the_products() -> None:
    told = translated(TimedOut(LOG), "A client deposits", "step 'pay'")
    assert isinstance(told, ProductDown)
    first, where, log = str(told).splitlines()
    assert first == (
        "A client deposits: failed: Locator.click: Timeout 8000ms exceeded. "
        '(looked for get_by_role("button", name="Pay"))'
    )
    assert where == "where to look: step 'pay'"
    assert log.startswith("what the browser did: - waiting for")


@pytest.mark.parametrize(
    "said", ["Page.goto: Target crashed", "Target page, context or browser has been closed", "Connection closed"]
)
def test_browser_that_is_gone_says_nothing_of_the_product(said: str) -> None:
    assert isinstance(translated(Error(said)), Unverified)
    assert judge_phase(Error(said))[0] is Verdict.UNVERIFIED


def test_claim_that_does_not_hold_stays_one_without_the_introspection() -> None:
    told = translated(AssertionError("Locator expected to be visible\nassert False"), "It shows", "step 'x'")
    assert isinstance(told, AssertionError)
    assert str(told) == "It shows: failed: Locator expected to be visible\nwhere to look: step 'x'"


def test_what_nobody_expected_is_a_harness_error_as_ever() -> None:
    error = KeyError("label")
    assert translated(error, "It shows", "step 'x'") is error
    assert judge_phase(error)[0] is Verdict.UNVERIFIED


def test_a_page_that_was_silent_outside_of_any_step_is_judged_alike() -> None:
    assert judge_phase(TimedOut(LOG))[0] is Verdict.FAILED
