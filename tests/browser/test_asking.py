"""A page whose script never ends costs a journey its time, and never the run: nothing waits for it for ever."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import TimeoutError as TimedOut

from postdeploy.browser.album import Album
from postdeploy.browser.asking import ask
from postdeploy.browser.experience import Experience
from postdeploy.browser.launching import Launcher
from postdeploy.browser.page import BasePage
from postdeploy.browser.watching import Watched
from postdeploy.environment import load
from postdeploy.redact import Redactor
from tests.browsers import needs_browser

ENDLESS = "<!doctype html><title>x</title><p>hello</p>"
ADDRESS = "https://northgate.example/en-GB/"


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    needs_browser()
    with Launcher() as launcher:
        made = launcher.launch({"headless": True, "slow_mo": 0.0, "args": []}).new_context()
        made.set_default_timeout(1000)
        made.route("**/*", lambda route: route.fulfill(body=ENDLESS, content_type="text/html"))
        yield made


@pytest.fixture
def hung(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.goto(ADDRESS)
    page.locator("p").evaluate("() => { setTimeout(() => { for (;;); }) }")
    yield page
    page.close()


@pytest.mark.parametrize(
    "look",
    [
        lambda page: ask(page, "() => 1"),
        lambda page: Experience().look(page, "northgate"),
        lambda page: BasePage(page, load("uk-prod").shops[0]).shows(page.locator("p")),
        lambda page: BasePage(page, load("uk-prod").shops[0]).scroll_to_the_end(),
        lambda page: album().picture(page, "look"),
    ],
    ids=["a question", "measures", "whether something is there", "scrolling", "a picture"],
)
def test_page_whose_script_never_ends_is_timed_out(hung: Page, look) -> None:
    with pytest.raises(TimedOut):
        look(hung)


def test_evidence_of_a_journey_does_without_what_such_a_page_cannot_give(hung: Page) -> None:
    kept = album()
    with kept.of(hung.context):
        pass
    assert kept.end() == []
    Watched("A client looks", "northgate en-GB").look(hung)


def album() -> Album:
    return Album(Redactor(), Watched("A client looks", "northgate en-GB"), lambda: True, typed=True, no_film="none")


def test_page_that_answers_is_asked_under_any_policy(context: BrowserContext) -> None:
    page = context.new_page()
    page.route("**/*", lambda route: route.fulfill(body=ENDLESS, headers=STRICT))
    page.goto(ADDRESS)
    assert ask(page, "() => document.title") == "x"
    assert ask(page, "/* a script */ 1 + 1") == 2
    page.close()


STRICT = {"content-type": "text/html", "content-security-policy": "default-src 'none'"}
