"""What the browser told is judged by kind: with the journey and the step it came from, and without what is accepted."""

from __future__ import annotations

from datetime import date

import pytest

from postdeploy.browser.experience import Experience, Vitals
from postdeploy.browser.watch_claims import WatchClaims
from postdeploy.browser.watching import Watched
from postdeploy.environment import ConsoleSuppression, Environment, load
from postdeploy.verdict import State

TODAY = date(2026, 11, 25)
ACCEPTED = ConsoleSuppression(message="ResizeObserver", owner="crm", reason="OPS-1", expires="2027-01-31")


@pytest.fixture
def environment() -> Environment:
    return load("uk-prod").model_copy(update={"console_suppressions": (ACCEPTED,)})


def told(environment: Environment, *troubles: tuple[str, str], shop: int = 0) -> Watched:
    watched = Watched("A client deposits", environment.shops[shop].name, step="pay")
    for kind, text in troubles:
        watched.note(kind, text)  # type: ignore[arg-type]
    return watched


@pytest.mark.parametrize("kind", ["errors", "requests", "answers", "console", "mixed", "blank", "session"])
def test_each_kind_is_a_claim_of_its_own_that_names_where_it_came_from(environment: Environment, kind: str) -> None:
    claims = WatchClaims(environment, [told(environment, (kind, "boom"))], TODAY)
    (shop, *_) = environment.shops
    judged = getattr(claims, kind)(shop)
    assert (judged.state, judged.seen) == (State.FAILED, "boom")
    assert judged.where == "'A client deposits', step 'pay'"
    others = {"errors", "requests", "answers", "console", "mixed", "blank", "session"} - {kind}
    assert {getattr(claims, each)(shop).state for each in others} == {State.PASSED}


def test_storm_is_told_once_with_its_number(environment: Environment) -> None:
    watched = told(environment, *[("console", "no data")] * 200, *[("console", f"chart {n}") for n in range(9)])
    judged = WatchClaims(environment, [watched], TODAY).console(environment.shops[0])
    assert judged.seen.startswith("no data (200 times); chart 0; ")
    assert judged.seen.endswith("; and 5 more")


def test_what_is_accepted_is_counted_until_its_last_day(environment: Environment) -> None:
    watched = told(environment, ("console", "ResizeObserver loop limit exceeded"))
    shop = environment.shops[0]
    judged = WatchClaims(environment, [watched], TODAY).console(shop)
    assert (judged.state, judged.seen) == (State.PASSED, "1 journeys, 1 accepted by console_suppressions")
    assert WatchClaims(environment, [watched], date(2027, 2, 1)).console(shop).state is State.FAILED


def test_suppression_of_another_brand_accepts_nothing(environment: Environment) -> None:
    of_cambria = ACCEPTED.model_copy(update={"brand": "cambria"})
    narrowed = environment.model_copy(update={"console_suppressions": (of_cambria,)})
    watched = [told(narrowed, ("console", "ResizeObserver"), shop=each) for each in (0, 1)]
    claims = WatchClaims(narrowed, watched, TODAY)
    assert [claims.console(each).state for each in narrowed.shops[:2]] == [State.FAILED, State.PASSED]


def test_other_kinds_are_not_accepted_by_it(environment: Environment) -> None:
    watched = told(environment, ("errors", "ResizeObserver is not defined"))
    assert WatchClaims(environment, [watched], TODAY).errors(environment.shops[0]).state is State.FAILED


def test_shop_where_no_journey_was_made_is_unverified(environment: Environment) -> None:
    claims = WatchClaims(environment, [told(environment)], TODAY)
    assert claims.blank(environment.shops[1]).state is State.UNVERIFIED


def test_slow_page_is_a_finding_and_a_rehearsal_has_more_time(environment: Environment) -> None:
    shop = environment.shops[0]
    experience = Experience({(shop.name, "/account"): Vitals("a.example/en-GB/account", 900.0, 1200.0)})
    judged = WatchClaims(environment, [], TODAY, experience).vitals(shop)
    assert judged.state is State.DEGRADED
    assert judged.seen == "a.example/en-GB/account: first byte after 900 ms, more than 800"
    assert WatchClaims(environment, [], TODAY, experience, patience=5.0).vitals(shop).state is State.PASSED
    assert WatchClaims(environment, [], TODAY, experience).vitals(environment.shops[1]).state is State.UNVERIFIED


def test_barrier_is_a_finding_that_names_page_and_element(environment: Environment) -> None:
    barrier = "/account: Form elements must have labels (label, input)"
    claims = WatchClaims(environment, [], TODAY, Experience(barriers={"/account": [barrier], "/": []}))
    assert (claims.accessible().state, claims.accessible().seen) == (State.DEGRADED, barrier)
    assert WatchClaims(environment, [], TODAY, Experience(barriers={"/": []})).accessible().state is State.PASSED
    assert WatchClaims(environment, [], TODAY).accessible().state is State.UNVERIFIED
