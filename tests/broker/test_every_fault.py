"""Whatever is broken: nobody is locked out, and no deposit is left that is not told of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.kills.house import RELEASE, house
from postdeploy.environment import load
from rehearsal.catalogue import FAULTS
from rehearsal.scene import Scene
from rehearsal.world import World
from tests.broker.conftest import PATIENCE, opened
from tests.broker.test_desk import everything

ABOUT = ("smoke.login", "smoke.session", "smoke.account", "smoke.permissions", "smoke.deposit", "smoke.journal")
BRIEF = replace(PATIENCE, within_s=0.4, reserve_s=1.5)
KNOWN = [each for each in FAULTS.values() if each.catches.startswith(ABOUT)]


@pytest.fixture(scope="module")
def world(environment):
    return World.build(environment, RELEASE, 1)


@pytest.mark.parametrize("fault", KNOWN, ids=lambda each: each.name)
def test_no_fault_locks_an_account_or_leaves_money_unsaid(fault, world, environment, tmp_path):
    there = load(fault.only_in) if fault.only_in else environment
    with house(there, tmp_path / "books") as at:
        at.api.money.settles_s, at.api.money.refunds_s = 0.02, 0.01
        at.run(lambda: fault.act(Scene(world, at.brokerage, fault.name)))
        with opened(at, tmp_path / "state", patience=BRIEF) as desk:
            everything(desk)
            desk.undo_all()
            told = {each.key for each in desk.visit.teller.journal.open() if each.state == "residue"}
        audit = at.audit()
        failed = at.rows("select count(*) from logins where outcome != 'granted' group by login")
    assert set(audit.standing) <= told
    assert not audit.coins_left or told, "a penny that only the ledger has is told as well"
    assert (audit.refunded_twice, audit.unbalanced) == ((), 0)
    assert all(count <= 1 for (count,) in failed), "one failed login an account at most"
