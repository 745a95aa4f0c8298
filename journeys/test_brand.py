"""The face that each brand shows in each of its languages."""

import re

import pytest

from journeys.pages.frame import FrontPage
from postdeploy.browser import expect


@pytest.mark.check("journeys.brand.shown", over="shop", owner="crm", controls=["DORA-9.4e"])
def test_brand_shows_its_own_face(guest, shop):
    """A brand shows its own name and logo, at its own host and in its own language."""
    with guest.step("open the front page"):
        front = guest.open(FrontPage)
        expect(front.logo).to_have_attribute("alt", shop.brand.name)
        expect(front.logo).not_to_have_js_property("naturalWidth", 0)
        expect(front.heading).to_have_text(shop.brand.name)
        expect(front.root).to_have_attribute("lang", shop.locale)
        expect(front.page).to_have_url(re.compile(f"^https://{re.escape(shop.brand.host)}/{shop.locale}/$"))


@pytest.mark.check("journeys.brand.direction", over="shop", owner="crm", controls=["DORA-9.4e"])
def test_page_runs_in_the_direction_of_its_language(guest, shop):
    """The page is laid out in the direction in which its language is written."""
    with guest.step("open the front page"):
        expect(guest.open(FrontPage).root).to_have_css("direction", shop.direction)
