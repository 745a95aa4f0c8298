import pytest


@pytest.mark.check("endpoints.pages.genuine", over="host", owner="platform", controls=["DORA-9.4e"])
def test_answers_are_the_products_own(web, host):
    """What answers is the endpoint itself, and no maintenance, CDN-error or fallback page behind a 200."""
    claim = web.genuine(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.robots.indexing", over="brand", owner="marketing")
def test_search_engines_are_told_right(web, brand):
    """Production may be found by search engines, and no other environment may."""
    claim = web.robots(brand)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.legal.text", over="brand", owner="compliance", controls=["COBS-22.5"])
def test_pages_carry_the_regulated_text(web, brand):
    """Every page names its legal entity and licence, and warns in the prescribed words of its language."""
    claim = web.legal(brand)
    assert claim.holds, claim.why
