"""Every trap, and every healthy rehearsal, stays green: nothing that is only odd may turn a run red."""

from __future__ import annotations

import pytest

from postdeploy.environment import load
from postdeploy.verdict import State
from rehearsal.catalogue import TRAPS
from tests.rehearsal.judged import Rehearsal

IN_MOTION = {"surge-settles", "slow-rollout-converges", "old-pods-drain", "kustomization-catches-up"}
ONE_RUNTIME = {"docker-pullable-image-ids", "foreign-repo-digest", "bare-image-ids", "index-vs-platform-digests"}
"""A node has one runtime: these contradict each other, and the last one needs a registry that answers."""
ONE_END = {"migration-job-deleted-pod-left", "migration-deleted-by-hook", "job-retry-then-complete"}
"""A Job is there or it is not."""

OF_LOGS = {name for name, each in TRAPS.items() if each.catches.startswith("infra.logs.")}
"""They write lines at moments that a release which has been live for days would have to move, or none at all."""


def whys(rehearsal: Rehearsal) -> str:
    return "\n".join(f"{check} {each.why}" for check, found in rehearsal.red().items() for each in found.values())


@pytest.mark.parametrize(("name", "seed"), [("uk-prod", 1), ("hk-prod", 2)])
@pytest.mark.parametrize("trap", TRAPS)
def test_trap_stays_green(trap, name, seed):
    rehearsal = Rehearsal(trap, seed=seed, environment=load(TRAPS[trap].only_in or name))
    rehearsal.move()
    assert whys(rehearsal) == ""


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_is_not_even_degraded(trap):
    rehearsal = Rehearsal(trap, environment=load(TRAPS[trap].only_in or "uk-prod"))
    rehearsal.move()
    states = {check: {each.state for each in found.values()} for check, found in rehearsal.judged().items()}
    soft = {check for check, found in states.items() if not found <= {State.PASSED, State.NOT_APPLICABLE}}
    assert soft == set(TRAPS[trap].softens)


@pytest.mark.parametrize("trap", sorted(IN_MOTION))
def test_trap_in_motion_is_pending_at_first_and_never_doomed(trap):
    rehearsal = Rehearsal(trap)
    first = [each for found in rehearsal.red().values() for each in found.values()]
    assert {each.state for each in first} == {State.PENDING}
    assert not any(each.doomed for each in first)
    rehearsal.move()
    assert whys(rehearsal) == ""


def test_all_traps_at_once_stay_green():
    apart = IN_MOTION | ONE_RUNTIME | ONE_END | OF_LOGS
    anywhere = [name for name, each in TRAPS.items() if not each.only_in]
    assert whys(Rehearsal(*(each for each in anywhere if each not in apart), seed=5)) == ""


@pytest.mark.parametrize("seed", range(30, 40))
def test_healthy_rehearsal_is_green_whatever_its_seed(seed):
    assert whys(Rehearsal(seed=seed)) == ""
