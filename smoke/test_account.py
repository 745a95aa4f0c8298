import pytest


@pytest.mark.check("smoke.account.synthetic", owner="compliance", controls=["DORA-9.4c"])
def test_account_is_synthetic(trader):
    """The account says that it is synthetic and is the one agreed; until it does, nothing is changed with it."""
    proof = trader.is_synthetic()
    assert proof.holds, proof.why


@pytest.mark.check("smoke.account.profile", owner="crm", controls=["DORA-9.4e"])
def test_profile_has_every_agreed_field(trader):
    """The account's profile has every field that pages and apps read."""
    profile = trader.shows_profile()
    assert profile.holds, profile.why


@pytest.mark.check("smoke.account.balance", owner="payments", controls=["DORA-9.4e"])
def test_balances_add_up(trader):
    """What is available and what is reserved is the total, and the total is what the ledger says."""
    balances = trader.balances_add_up()
    assert balances.holds, balances.why


@pytest.mark.check("smoke.permissions.isolated", owner="identity", controls=["DORA-9.4c"])
def test_one_client_cannot_read_another(trader):
    """The account cannot read another account, while it can read its own by the same path."""
    isolation = trader.is_isolated()
    assert isolation.holds, isolation.why
