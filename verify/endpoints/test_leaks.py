import pytest


@pytest.mark.check("endpoints.leaks.none", over="host", owner="security", controls=["DORA-9.4d"])
def test_nothing_leaks(web, host):
    """No repository, setting, source map or stack trace is told to whoever asks."""
    claim = web.leaks(host)
    assert claim.holds, claim.why
