import pytest


@pytest.mark.check("smoke.login.token", over="environment", owner="identity", controls=["DORA-9.4e"])
def test_account_can_log_in(broker):
    """The synthetic test account logs in and is given a token that will expire."""
    login = broker.logs_in()
    assert login.holds, login.why


@pytest.mark.check("smoke.login.required", over="environment", owner="identity", controls=["DORA-9.4c"])
def test_login_is_required(broker):
    """Without a token the API answers 401 and lists nothing."""
    refusal = broker.refuses_strangers()
    assert refusal.holds, refusal.why
