import pytest


@pytest.mark.check("endpoints.quotes.login", over="feed", owner="trading")
def test_feed_lets_in_who_may_listen(web, feed):
    """The quote feed connects, takes our token, and refuses a client that has none."""
    claim = web.feed_login(feed)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.quotes.heartbeat", over="feed", owner="trading")
def test_feed_is_alive(web, feed):
    """The quote feed confirms the subscription, and its heart beats in time."""
    claim = web.feed_heartbeat(feed)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.quotes.fresh", over="feed", owner="trading")
def test_quotes_are_fresh(web, feed):
    """Quotes of open markets are fresh with the bid below the ask; closed markets are quiet."""
    claim = web.feed_fresh(feed)
    assert claim.holds, claim.why
