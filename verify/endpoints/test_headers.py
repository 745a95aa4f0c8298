import pytest


@pytest.mark.check("endpoints.headers.security", over="host", owner="platform", controls=["DORA-9.4d"])
def test_security_headers_are_sent(web, host):
    """Every answer carries its security headers, error pages and redirects included."""
    claim = web.security(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.headers.cookies", over="host", owner="crm", controls=["DORA-9.4d"])
def test_cookies_are_safe(web, host):
    """Every cookie is Secure, bound to its site, and hidden from scripts unless declared."""
    claim = web.cookies(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.cors.policy", owner="api", controls=["DORA-9.4d"])
def test_only_the_brands_may_call_the_api(web, environment):
    """The brands' pages may call the API, and no stranger's may."""
    claim = web.cors(environment.name)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.caching.policy", over="host", owner="platform")
def test_answers_are_kept_as_long_as_they_may(web, host):
    """Pages are asked for anew, hashed files kept for a year, private answers never stored."""
    claim = web.caching(host)
    assert claim.holds, claim.why
