import pytest


@pytest.mark.check("endpoints.latency.limits", over="timed", owner="platform")
def test_endpoints_are_fast_enough(web, timed):
    """Median and 95th percentile of at least twenty replies are within the declared limits."""
    claim = web.latency(timed)
    assert claim.holds, claim.why
