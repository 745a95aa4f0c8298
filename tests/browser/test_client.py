"""A step fails by what its journey claims; what only our evidence of it lacks is not the product's fault."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as TimedOut

from postdeploy.browser.client import Client
from postdeploy.environment import load
from postdeploy.verdict import ProductDown, Unverified

SHOP = load("uk-prod").shops[0]


def client(picture: Exception | None = None) -> Client:
    """One whose pictures come out, or raise."""

    def take(page: object, words: str) -> None:
        if picture:
            raise picture

    watched = SimpleNamespace(
        journey="A client deposits", step="", look=lambda page: None, experience=SimpleNamespace(look=lambda *_: None)
    )
    page: Any = SimpleNamespace(url="https://northgate.example/en-GB/deposit?token=1")
    album: Any = SimpleNamespace(picture=take)
    return Client(page, SHOP, album, watched)  # type: ignore[arg-type]


def test_step_of_which_no_picture_can_be_taken_is_unverified_and_not_red() -> None:
    slow = TimedOut("Page.screenshot: Timeout 10000ms exceeded.\nCall log:\n  - taking page screenshot")
    with pytest.raises(Unverified) as raised, client(slow).step("send it"):
        pass
    assert str(raised.value) == (
        "A client deposits: unverified: what step 'send it' claims was so, but no picture of it can be taken: "
        "Page.screenshot: Timeout 10000ms exceeded."
    )


def test_step_whose_claim_fails_says_that_and_takes_no_picture() -> None:
    with pytest.raises(ProductDown, match=r"Page\.click: Timeout") as raised, client(ValueError()).step("send it"):
        raise TimedOut("Page.click: Timeout 10000ms exceeded.")
    assert "step 'send it' at https://northgate.example/en-GB/deposit;" in str(raised.value)
