import pytest


@pytest.mark.check("endpoints.tls.chain", over="host", owner="platform", controls=["DORA-9.4d"])
def test_certificate_is_trusted(web, host):
    """The certificate chain is trusted and names the host, here and at each redirect that leads to it."""
    claim = web.chain(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.tls.expiry", over="host", owner="platform", controls=["DORA-9.4d"])
def test_certificate_is_renewed_in_time(web, host):
    """Enough of each certificate's lifetime is left, measured by that lifetime."""
    claim = web.expiry(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.tls.protocol", over="host", owner="platform", controls=["DORA-9.4d"])
def test_old_protocols_are_refused(web, host):
    """TLS 1.2 or newer is spoken; TLS 1.0 and 1.1 are refused when they are really offered."""
    claim = web.protocol(host)
    assert claim.holds, claim.why
