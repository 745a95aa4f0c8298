import pytest


@pytest.mark.check("endpoints.dns.answers", over="host", owner="platform")
def test_names_lead_where_they_should(web, host):
    """A and AAAA records of every name that leads to the host answer within the declared set."""
    claim = web.dns(host)
    assert claim.holds, claim.why
