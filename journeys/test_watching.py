"""What the browser told while the journeys were made: judged last, over all that was seen at each shop."""

import pytest


@pytest.mark.check("journeys.watch.errors", over="shop", owner="crm", controls=["DORA-9.4e"])
def test_no_script_fails(watch, shop):
    """No script of a page ends with an error that nobody caught."""
    quiet = watch.errors(shop)
    assert quiet.holds, quiet.why


@pytest.mark.check("journeys.watch.requests", over="shop", owner="platform", controls=["DORA-9.4e"])
def test_every_request_is_answered(watch, shop):
    """Every request of a page to our own hosts is answered."""
    answered = watch.requests(shop)
    assert answered.holds, answered.why


@pytest.mark.check("journeys.watch.answers", over="shop", owner="platform", controls=["DORA-9.4e"])
def test_no_answer_is_an_error(watch, shop):
    """No answer that a page gets of our own hosts is 4xx or 5xx."""
    answers = watch.answers(shop)
    assert answers.holds, answers.why


@pytest.mark.check("journeys.watch.console", over="shop", owner="crm", controls=["DORA-9.4e"])
def test_console_is_quiet(watch, shop):
    """No page writes errors to the browser's console, but those that are accepted for a while."""
    quiet = watch.console(shop)
    assert quiet.holds, quiet.why


@pytest.mark.check("journeys.watch.mixed", over="shop", owner="security", controls=["DORA-9.4c"])
def test_nothing_is_loaded_in_the_clear(watch, shop):
    """Nothing is loaded without encryption."""
    encrypted = watch.mixed(shop)
    assert encrypted.holds, encrypted.why


@pytest.mark.check("journeys.watch.blank", over="shop", owner="crm", controls=["DORA-9.4e"])
def test_no_page_is_blank(watch, shop):
    """No page is blank at the end of any step."""
    shown = watch.blank(shop)
    assert shown.holds, shown.why


@pytest.mark.check("journeys.session.kept", over="shop", owner="identity", controls=["DORA-9.4e"])
def test_session_is_kept(watch, shop):
    """A client who is signed in stays so through every journey."""
    kept = watch.session(shop)
    assert kept.holds, kept.why


@pytest.mark.check("journeys.watch.vitals", over="shop", owner="crm")
def test_pages_come_soon(watch, shop):
    """Pages come soon; one that does not is a finding and no failure."""
    vitals = watch.vitals(shop)
    assert vitals.holds, vitals.why


@pytest.mark.check("journeys.watch.accessible", owner="crm")
def test_pages_keep_nobody_out(watch):
    """No page has a serious barrier for people with disabilities; one that has is a finding and no failure."""
    accessible = watch.accessible()
    assert accessible.holds, accessible.why
