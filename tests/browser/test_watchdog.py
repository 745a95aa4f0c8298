"""A journey that waits for ever is ended from outside, and the browser is there for the next one."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page

from postdeploy.browser.launching import Launcher
from postdeploy.browser.watchdog import Watchdog
from postdeploy.outcome import judge_phase
from postdeploy.verdict import Verdict
from tests.browsers import needs_browser

ENDLESS = "() => { for (;;); }"
LATER = "() => { setTimeout(() => { for (;;); }) }"
LONG_S = 3600.0


@pytest.mark.parametrize(
    "wait",
    [
        lambda page: page.evaluate(ENDLESS),
        lambda page: (page.locator("p").evaluate(LATER), page.locator("p").is_visible()),
        lambda page: (page.locator("p").evaluate(LATER), page.locator("p").count()),
        lambda page: page.wait_for_timeout(1_000_000),
    ],
    ids=["evaluate", "is_visible", "count", "a wait without an end"],
)
def test_what_waits_for_a_page_for_ever_is_ended_unverified_and_the_browser_lives_on(
    wait: Callable[[Page], object],
) -> None:
    needs_browser()
    with Launcher() as launcher:
        browser = launcher.launch({"headless": True, "slow_mo": 0.0, "args": []})
        page = browser.new_page()
        page.set_content("<p>here</p>")
        with Watchdog(0.5, LONG_S) as watchdog, pytest.raises(Error) as raised:
            wait(page)
        assert judge_phase(raised.value)[0] is Verdict.UNVERIFIED
        assert watchdog.said == "the journey was not over after 0.5 s, so its pages were ended"
        page.close()
        other = browser.new_page()
        other.set_content("<p>here</p>")
        assert other.locator("p").inner_text() == "here"


def test_what_waits_for_more_than_a_page_is_ended_with_the_browser() -> None:
    """That a page crashed is told to nobody who waits for its context."""
    needs_browser()
    with Launcher() as launcher:
        page = launcher.launch({"headless": True, "slow_mo": 0.0, "args": []}).new_page()
        with Watchdog(0.5, 0.5), pytest.raises(Error) as raised:
            page.context.wait_for_event("page", timeout=0)
        assert judge_phase(raised.value)[0] is Verdict.UNVERIFIED


@pytest.mark.parametrize("longest_s", [LONG_S, math.inf])
def test_journey_that_is_over_in_time_ends_nothing_and_leaves_no_thread(longest_s: float) -> None:
    ended: list[bool] = []
    before = {*threading.enumerate()}
    with Watchdog(longest_s, ends=[lambda: ended.append(True)]) as watchdog:
        pass
    assert not ended
    assert not watchdog.said
    assert {*threading.enumerate()} <= before
