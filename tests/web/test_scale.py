"""As many checks as hosts and not as endpoints, and no answer looked for among all the others."""

from __future__ import annotations

import pytest

from benchmarks.endpoints import estate
from postdeploy.environment import known, load
from postdeploy.evidence import catalogue, plan
from postdeploy.verdict import State
from postdeploy.web import page_rules
from postdeploy.web.seen import Seen

MOST_CHECKS = 1500


def checks(environment) -> int:
    return sum(each.tier == "endpoints" for each in plan.expand(catalogue.load(), environment))


@pytest.mark.parametrize("name", known())
def test_tier_of_every_environment_stays_within_the_bound(name):
    assert checks(load(name)) <= MOST_CHECKS


def test_sixty_hosts_stay_within_the_bound_however_many_endpoints_they_have():
    few, many = checks(estate.pages(60, 10)), checks(estate.pages(60, 100))
    assert few == many <= MOST_CHECKS


def test_each_script_of_a_page_is_looked_up_and_not_searched_for():
    environment = estate.pages(2, 20)
    seen = Seen(estate.seen(environment), environment, "v1")
    host = next(iter(environment.brands.values())).host
    assert page_rules.current(seen, host).state is State.PASSED
    pages = len(seen.expected(host, "page"))
    assert len(seen.consulted) == pages + pages * (3 + estate.CHUNKS), "each page once, and each of its files"
