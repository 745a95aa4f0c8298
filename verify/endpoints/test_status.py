import pytest


@pytest.mark.check("endpoints.status.code", over="host", owner="platform", controls=["DORA-9.4e"])
def test_endpoints_answer_as_declared(web, host):
    """Every declared endpoint of the host answers with its declared status, 401 without a token included."""
    claim = web.code(host)
    assert claim.holds, claim.why
