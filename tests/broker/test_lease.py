"""Two living runs never share an account, and a dead one keeps nobody waiting."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pydantic import SecretStr

from postdeploy.broker.undo.lease import LASTS_S, Lease, Leased
from postdeploy.broker.undo.store import Store
from tests.broker.making import Clock

SEED, OTHER = SecretStr("JBSWY3DPEHPK3PXP"), SecretStr("KRSXG5CTMVRXEZLU")


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path))


def test_a_living_run_keeps_its_account(store):
    clock = Clock()
    Lease(store, "SYN-1", "run-1", clock).take()
    with pytest.raises(Leased, match="SYN-1 is in use by run run-1"):
        Lease(store, "SYN-1", "run-2", clock).take()
    Lease(store, "SYN-2", "run-2", clock).take()


def test_the_holder_may_take_it_again_and_anybody_once_it_is_given_back(store):
    first, second = Lease(store, "SYN-1", "run-1"), Lease(store, "SYN-1", "run-2")
    first.take()
    first.take()
    first.give_back()
    second.take()
    first.give_back()  # no longer its own to give
    with pytest.raises(Leased):
        first.take()


def test_a_run_on_another_machine_that_is_not_heard_of_loses_it(store):
    clock = Clock()
    Lease(store, "SYN-1", "run-1", clock).take()
    elsewhere(store)
    with pytest.raises(Leased):
        Lease(store, "SYN-1", "run-2", clock).take()
    clock.now += LASTS_S + 1
    Lease(store, "SYN-1", "run-2", clock).take()


def elsewhere(store):
    with store.writing() as connection:
        connection.execute(store.tables.leases.update().values(host="another-runner", process="1@boot/1"))


def test_a_killed_run_on_this_machine_loses_it_at_once(store):
    script = f"""
import os, signal
from postdeploy.broker.undo.lease import Lease
from postdeploy.broker.undo.store import Store
Lease(Store({store.state!r}), "SYN-1", "run-1").take()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    Lease(store, "SYN-1", "run-2").take()


def test_a_lease_is_renewed_before_it_ends_and_its_loss_is_noticed(store):
    clock = Clock()
    mine = Lease(store, "SYN-1", "run-1", clock)
    mine.take()
    for _ in range(20):
        clock.now += 50
        mine.renew()
    with pytest.raises(Leased):
        Lease(store, "SYN-1", "run-2", clock).take()
    clock.now += LASTS_S + 1
    Lease(store, "SYN-1", "run-2", clock).take()
    with pytest.raises(Leased):
        mine.renew()


def test_the_last_step_is_kept_for_its_own_seed(store):
    first = Lease(store, "SYN-1", "run-1")
    first.take()
    assert first.last_step(SEED) is None
    first.use_step(SEED, 77)
    first.give_back()
    second = Lease(store, "SYN-1", "run-2")
    second.take()
    assert second.last_step(SEED) == 77
    assert second.last_step(OTHER) is None, "a rotated seed begins anew"


def test_nothing_of_the_seed_is_in_the_database(store, tmp_path):
    mine = Lease(store, "SYN-1", f"run-{os.getpid()}")
    mine.take()
    mine.use_step(SEED, 77)
    store.close()
    assert SEED.get_secret_value().encode() not in (tmp_path / "journal.sqlite").read_bytes()
