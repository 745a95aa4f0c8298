"""What happened decides the verdict: a silent page is the product's, a browser that is gone is ours."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as TimedOut

from postdeploy.browser.troubles import translated
from postdeploy.outcome import judge_phase
from postdeploy.verdict import Judgement, ProductDown, State, Unverified, Verdict

LOG = 'Locator.click: Timeout 8000ms exceeded.\nCall log:\n  - waiting for get_by_role("button", name="Pay")\n'


def test_page_that_does_not_answer_is_the_products() -> None:
    told = translated(TimedOut(LOG), "A client deposits", "step 'pay'")
    assert isinstance(told, ProductDown)
    first, where, log, cause = str(told).splitlines()
    assert first == (
        "A client deposits: failed: Locator.click: Timeout 8000ms exceeded. "
        '(looked for get_by_role("button", name="Pay"))'
    )
    assert where == "where to look: step 'pay'"
    assert log.startswith("  what the browser did: - waiting for")
    assert cause.startswith("usual cause: the page, or a request that it waits for, is slow or failed")


@pytest.mark.parametrize(
    "said", ["Page.goto: Target crashed", "Target page, context or browser has been closed", "Connection closed"]
)
def test_browser_that_is_gone_says_nothing_of_the_product(said: str) -> None:
    assert isinstance(translated(Error(said)), Unverified)
    assert judge_phase(Error(said))[0] is Verdict.UNVERIFIED


def test_claim_that_does_not_hold_stays_one_without_the_introspection() -> None:
    told = translated(AssertionError("Locator expected to be visible\nassert False"), "It shows", "step 'x'")
    assert isinstance(told, AssertionError)
    first, where, cause = str(told).splitlines()
    assert (first, where) == ("It shows: failed: Locator expected to be visible", "where to look: step 'x'")
    assert cause.startswith("usual cause: this release changed the page")


def test_judgement_in_a_step_keeps_its_four_parts_and_says_at_which_step() -> None:
    seen = Judgement(State.FAILED, "the price moves", "it stays at '1.3'", "the price at /en-GB", "its script stopped")
    told = translated(AssertionError(f"{seen.why}\nassert False"), "A client sees the price move.", "step 'watch it'")
    assert str(told) == (
        "the price moves: failed: it stays at '1.3'\n"
        "where to look: step 'watch it'\n  the price at /en-GB\n"
        "usual cause: its script stopped"
    )


def test_what_nobody_expected_is_a_harness_error_as_ever() -> None:
    error = KeyError("label")
    assert translated(error, "It shows", "step 'x'") is error
    assert judge_phase(error)[0] is Verdict.UNVERIFIED


def test_a_page_that_was_silent_outside_of_any_step_is_judged_alike() -> None:
    assert judge_phase(TimedOut(LOG))[0] is Verdict.FAILED
