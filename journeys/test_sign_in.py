import pytest

from journeys.pages.account import AccountPage
from journeys.pages.sign_in import CodePage, SignInPage
from postdeploy.browser import expect


@pytest.mark.check("journeys.signin.opened", owner="identity", controls=["DORA-9.4e"])
def test_client_signs_in(guest, visitor):
    """A client signs in with password and one-time code, and sees the account."""
    with guest.step("give name and password"):
        guest.open(SignInPage).sign_in(visitor.login, visitor.password())
        expect(guest.at(CodePage).code).to_be_visible()
    with guest.step("give the one-time code"):
        guest.at(CodePage).confirm(visitor.code())
        expect(guest.at(AccountPage).signed_in).to_have_text(visitor.login)


@pytest.mark.check("journeys.signout.ended", owner="identity", controls=["DORA-9.4c"])
def test_client_signs_out(leaver):
    """A client who signs out is signed out: the account is shown to nobody any more."""
    with leaver.step("sign out"):
        leaver.open(AccountPage).sign_out()
        expect(leaver.at(SignInPage).invitation).to_be_visible()
    with leaver.step("try to see the account again"):
        leaver.open(AccountPage)
        expect(leaver.at(SignInPage).password).to_be_visible()
