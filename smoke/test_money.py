"""One deposit a method, and everything that is claimed about it. It is undone in any case, also when nobody asks."""

import pytest

pytestmark = pytest.mark.mutates


@pytest.mark.check("smoke.journal.clean", owner="payments", controls=["DORA-9.4e"])
def test_nothing_is_left_of_earlier_runs(trader):
    """Whatever an earlier run left open is undone before anything is spent again."""
    journal = trader.is_clean()
    assert journal.holds, journal.why


@pytest.mark.check("smoke.deposit.accepted", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_deposit_is_accepted(trader, deposit):
    """A deposit by this method is offered and accepted as declared: amount, currency, fee, key."""
    accepted = trader.deposit_accepted(deposit)
    assert accepted.holds, accepted.why


@pytest.mark.check("smoke.deposit.ends", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_deposit_reaches_its_end_state(trader, deposit):
    """A deposit reaches the state declared for its method in time."""
    ended = trader.deposit_ends(deposit)
    assert ended.holds, ended.why


@pytest.mark.check("smoke.deposit.credited", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_deposit_is_credited_once(trader, deposit):
    """A settled deposit is in ledger and balance exactly once, in its currency, less its fee; a pending one is not."""
    credited = trader.deposit_credited(deposit)
    assert credited.holds, credited.why


@pytest.mark.check("smoke.deposit.idempotent", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_same_key_twice_is_one_deposit(trader, deposit):
    """The same deposit asked for twice under one key is one deposit."""
    repeated = trader.deposit_idempotent(deposit)
    assert repeated.holds, repeated.why


@pytest.mark.check("smoke.deposit.undone", over="deposit", owner="payments", controls=["DORA-9.4e"])
def test_deposit_is_undone(trader, deposit):
    """A deposit can be taken back, and ledger and balance are as before."""
    undone = trader.deposit_undone(deposit)
    assert undone.holds, undone.why
