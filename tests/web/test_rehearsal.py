"""Every fault of the public hosts is red by the check it names, every trap and every healthy environment is not."""

from __future__ import annotations

import pytest

from postdeploy.environment import known
from postdeploy.verdict import State
from postdeploy.web.replies import load, save
from rehearsal.catalogue import FAULTS, TRAPS
from tests.web.public import at, flaky, judged, not_well, small

IDENTITY = "endpoints.version.identity"
"""Needs the cluster too: whole runs prove it."""
OF_WEB = [each for each in FAULTS.values() if each.tier == "endpoints" and each.catches != IDENTITY]
ODD = [each for each in TRAPS.values() if each.tier == "endpoints"]
STATES = {"failed": State.FAILED, "unverified": State.UNVERIFIED, "degraded": State.DEGRADED, "flaky": State.PASSED}


def whys(found) -> str:
    return "\n".join(f"{check}: {each.why}" for check, of in found.items() for each in of.values())


@pytest.mark.parametrize("fault", OF_WEB, ids=lambda each: each.name)
def test_fault_is_told_by_the_check_it_names(fault):
    environment = small(fault.only_in or "uk-prod")
    sweep = at(environment, fault.name)
    judgements = judged(sweep, environment)
    states = {each.state for each in judgements[fault.catches].values()}
    assert STATES[fault.verdict] in states, whys(not_well(judgements))
    assert judged(load(save(sweep)), environment) == judgements, "a saved sweep is judged alike"
    assert (fault.verdict == "flaky") == (fault.catches in flaky(sweep, environment))
    red = [each for of in judgements.values() for each in of.values() if each.state is State.FAILED]
    assert all(each.claim and each.seen and each.where and each.cause for each in red), "a failure has four parts"


@pytest.mark.parametrize("trap", ODD, ids=lambda each: each.name)
def test_trap_stays_green(trap):
    environment = small(trap.only_in or "uk-prod")
    sweep = at(environment, trap.name)
    assert whys(not_well(judged(sweep, environment))) == ""
    assert flaky(sweep, environment) == set()


@pytest.mark.parametrize("name", known())
def test_healthy_environment_is_green(name):
    environment = small(name, brands=99 if name == "uk-prod" else 2)
    assert whys(not_well(judged(at(environment), environment))) == ""
