import pytest


@pytest.mark.check("smoke.login.clock", owner="platform", controls=["DORA-9.4c"])
def test_clocks_agree(broker):
    """This machine and the API agree on the time, so that a one-time code is no failed login."""
    clock = broker.keeps_time()
    assert clock.holds, clock.why


@pytest.mark.check("smoke.login.required", owner="identity", controls=["DORA-9.4c"])
def test_login_is_required(broker):
    """Without a token the API answers 401 and lists nothing."""
    refusal = broker.refuses_strangers()
    assert refusal.holds, refusal.why


@pytest.mark.check("smoke.login.token", owner="identity", controls=["DORA-9.4e"])
def test_account_can_log_in(broker):
    """The synthetic test account logs in at the first try and is given a token that will expire."""
    login = broker.logs_in()
    assert login.holds, login.why


@pytest.mark.check("smoke.login.second-factor", owner="identity", controls=["DORA-9.4c"])
def test_password_alone_opens_nothing(broker):
    """After the password the account is asked for a one-time code, and has no token before it."""
    factor = broker.asks_second_factor()
    assert factor.holds, factor.why
