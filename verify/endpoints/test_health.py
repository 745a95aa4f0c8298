import pytest


@pytest.mark.check("endpoints.health.status", over="host", owner="platform", controls=["DORA-9.4e"])
def test_host_is_healthy(web, host):
    """The host answers 200 and says in JSON that it is healthy; a page in front of it does not count."""
    claim = web.health(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.health.deep", over="deep", owner="platform", controls=["DORA-9.4e"])
def test_integrations_work(web, deep):
    """Every declared integration is listed and works; one that does not means what is declared for it."""
    claim = web.deep(deep)
    assert claim.holds, claim.why
