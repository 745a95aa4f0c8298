import pytest


@pytest.mark.check("smoke.session.refresh", owner="identity", controls=["DORA-9.4e"])
def test_session_can_be_renewed(broker):
    """A session can be renewed, and the new token is accepted."""
    renewal = broker.refreshes()
    assert renewal.holds, renewal.why


@pytest.mark.check("smoke.session.logout", owner="identity", controls=["DORA-9.4c"])
def test_logout_ends_the_session(broker):
    """After a logout the session's token is dead."""
    logout = broker.ends_session()
    assert logout.holds, logout.why
