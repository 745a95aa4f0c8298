import pytest


@pytest.mark.check("endpoints.health.status", over="host", owner="platform", controls=["DORA-9.4e"])
def test_host_is_healthy(web, host):
    """The host answers 200 and says in JSON that it is healthy; a page in front of it does not count."""
    health = web.health(host)
    assert health.holds, health.why
