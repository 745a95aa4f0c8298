"""What a client is spoken to in."""

import pytest

from journeys.pages.account import AccountPage
from journeys.pages.frame import FrontPage
from postdeploy.browser import expect


@pytest.mark.check("journeys.language.spoken", over="shop", owner="crm", controls=["DORA-9.4e"])
def test_menu_speaks_the_language(client, shop):
    """The menu of a client who is signed in is in the client's language, without a word of another."""
    with client.step("read the menu"):
        account = client.open(AccountPage)
        expect(account.menu).to_have_text(account.entries)
        expect(account.leave).to_be_visible()


@pytest.mark.check("journeys.language.switched", over="bilingual", owner="crm", controls=["DORA-9.4e"])
def test_client_switches_the_language(guest, bilingual):
    """A client switches to another language of the brand, and is spoken to in it."""
    with guest.step("switch the language"):
        guest.open(FrontPage).switch_to(bilingual.other)
        front = guest.speaking(bilingual.other).at(FrontPage)
        expect(front.root).to_have_attribute("lang", bilingual.other)
        expect(front.invitation).to_be_visible()
