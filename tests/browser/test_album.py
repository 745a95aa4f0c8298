"""Pictures are small, and a window that is not drawn yet is looked at once more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from playwright.sync_api import BrowserContext, Error

from postdeploy.browser.album import DRAWN, LARGEST_PICTURE, Album
from postdeploy.browser.watching import Watched
from postdeploy.redact import Redactor


def album() -> Album:
    return Album(Redactor(), Watched("A client looks", "northgate en-GB"), lambda: False, typed=False, no_film="none")


def window(*shots: bytes | Exception) -> Any:
    """A page whose pictures come out like this, one after another; what it was asked meanwhile is in `asked`."""
    left, asked = list(shots), list[object]()

    def screenshot(**how: object) -> bytes:
        asked.append(how["quality"])
        shot = left.pop(0)
        if isinstance(shot, Exception):
            raise shot
        return shot

    document = SimpleNamespace(evaluate=asked.append)
    return SimpleNamespace(screenshot=screenshot, locator=lambda _: document, asked=asked)


def test_picture_that_is_too_large_is_taken_again_with_less_detail() -> None:
    page = window(b"x" * (LARGEST_PICTURE + 1), b"small")
    album().picture(page, "look")
    assert page.asked == [80, 40]


def test_window_that_is_not_drawn_yet_is_looked_at_once_more() -> None:
    page = window(Error("Unable to capture screenshot"), b"drawn")
    album().picture(page, "look")
    assert page.asked == [80, DRAWN, 80]


def test_window_that_cannot_be_drawn_says_so() -> None:
    with pytest.raises(Error, match="the second"):
        album().picture(window(Error("the first"), Error("the second")), "look")


def test_document_is_kept_also_of_a_page_that_cannot_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, bytes] = {}
    monkeypatch.setattr("postdeploy.browser.album.attach", lambda data, name, kind: kept.update({name: data}))
    page = window(*[Error("not drawn")] * 2)
    page.on, page.locator = lambda *_: None, lambda _: SimpleNamespace(evaluate=lambda _: "<html>balance</html>")
    failed = Album(Redactor(), Watched("A client looks", "northgate en-GB"), lambda: True, typed=True, no_film="none")
    with failed.of(cast("BrowserContext", SimpleNamespace(on=lambda *_: None, pages=[page]))):
        pass
    failed.end()
    assert kept["DOM"] == b"<html>balance</html>"
    assert "what the client saw last" not in kept
