"""What the regulator prescribes, as a client sees it."""

import pytest

from journeys.pages.frame import RiskPage, TermsPage
from postdeploy.browser import expect


@pytest.mark.check("journeys.legal.warning", over="shop", owner="compliance", controls=["DORA-9.4e"])
def test_risk_warning_stays_in_sight(guest, shop, risk_warning):
    """The prescribed risk warning, with this environment's own percentage, is in sight, after scrolling too."""
    with guest.step("open the risk page"):
        page = guest.open(RiskPage)
        expect(page.risk_warning).to_have_text(risk_warning)
        expect(page.risk_warning).to_be_in_viewport(ratio=1)
    with guest.step("scroll to its end"):
        page.scroll_to_the_end()
        expect(page.risk_warning).to_be_in_viewport(ratio=1)


@pytest.mark.check("journeys.legal.entity", over="shop", owner="compliance", controls=["DORA-9.4e"])
def test_legal_entity_and_licence_are_named(guest, shop, environment):
    """The legal pages name the entity a client contracts with, and its licence."""
    with guest.step("open the terms"):
        terms = guest.open(TermsPage)
        expect(terms.heading).to_have_text(terms.text("terms"))
        expect(terms.legal_entity).to_contain_text(shop.brand.legal_entity)
        expect(terms.legal_entity).to_contain_text(environment.web.licence)
