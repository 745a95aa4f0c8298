import pytest


@pytest.mark.check("endpoints.redirects.target", over="host", owner="platform")
def test_redirects_end_where_they_should(web, host):
    """Every declared redirect to the host ends where it should, without ever leaving TLS again."""
    claim = web.redirects(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.redirects.open", over="brand", owner="crm", controls=["DORA-9.4d"])
def test_nobody_is_sent_to_a_stranger(web, brand):
    """A link to the login cannot be made to lead a client to somebody else."""
    claim = web.open_redirect(brand)
    assert claim.holds, claim.why
