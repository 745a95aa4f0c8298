"""The cookie banner."""

import pytest

from journeys.pages.frame import FrontPage
from postdeploy.browser import expect


@pytest.mark.check("journeys.cookies.dismissed", over="shop", owner="compliance", controls=["DORA-9.4e"])
def test_cookie_banner_is_answered_once(guest, shop):
    """The cookie banner can be answered, and does not come back."""
    with guest.step("answer the cookie banner"):
        front = guest.open(FrontPage)
        front.answer_the_cookie_banner()
        expect(front.cookie_banner).to_be_hidden()
    with guest.step("come back"):
        front.come_back()
        expect(front.cookie_banner).to_be_hidden()
