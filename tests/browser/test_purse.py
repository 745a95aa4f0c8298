"""No page deposits anything but what was agreed, and that once."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from postdeploy.browser.purse import Purse, Slip
from postdeploy.environment import Deposit, PageDeposit

CARD = Deposit(method="card", currency="GBP", amount="10.00")
HEADERS = {"Idempotency-Key": "k1"}


class Request:
    def __init__(self, body: str, method: str = "POST") -> None:
        self.method, self.post_data, self.headers = method, body, {"accept": "text/html"}


class Route:
    """What became of a request."""

    def __init__(self) -> None:
        self.done = ""
        self.headers: dict[str, str] | None = None

    def continue_(self, headers: dict[str, str] | None = None) -> None:
        self.done, self.headers = "left", headers

    def abort(self, why: str) -> None:
        self.done = why


class Context:
    """Remembers what is routed."""

    def route(self, pattern: Any, handler: Any) -> None:
        self.pattern, self.handler = pattern, handler


def asked(purse: Purse, request: Request) -> Route:
    context, route = Context(), Route()
    purse.watch(context)  # type: ignore[arg-type]
    context.handler(route, request)
    return route


def agreed() -> tuple[Purse, list[str]]:
    purse, told = Purse(PageDeposit()), list[str]()
    purse.slip = Slip(CARD, HEADERS, lambda: told.append("sent"))
    return purse, told


def form(**fields: str) -> str:
    return urlencode({"method": "card", "amount": "10.00", **fields})


@pytest.mark.parametrize("body", [form(), form(amount="10"), json.dumps({"method": "card", "amount": "10.00"})])
def test_what_was_agreed_leaves_under_our_key_and_is_written_down_first(body: str) -> None:
    purse, told = agreed()
    route = asked(purse, Request(body))
    assert (route.done, told) == ("left", ["sent"])
    assert route.headers == {"accept": "text/html", **HEADERS}


def test_second_request_does_not_leave() -> None:
    purse, told = agreed()
    asked(purse, Request(form()))
    assert asked(purse, Request(form())).done == "blockedbyclient"
    assert told == ["sent"]
    assert "or it had deposited already" in purse.refused[0]


@pytest.mark.parametrize(
    "body", [form(amount="100.00"), form(method="sepa"), form(amount="10.00x"), "", "[1]", '{"method": "card"}']
)
def test_anything_else_does_not_leave(body: str) -> None:
    purse, told = agreed()
    assert asked(purse, Request(body)).done == "blockedbyclient"
    assert told == []
    assert "10.00 by card was agreed" in purse.refused[0]


def test_without_a_slip_nothing_leaves() -> None:
    purse = Purse(PageDeposit())
    assert asked(purse, Request(form())).done == "blockedbyclient"
    assert "nothing was agreed" in purse.refused[0]


def test_reading_the_page_is_nobodys_business() -> None:
    assert asked(Purse(PageDeposit()), Request("", "GET")).done == "left"


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("https://northgate.example/en-GB/deposit", True),
        ("https://other.example/ar-AE/deposit?x=1", True),
        ("https://northgate.example/en-GB/deposit/", True),
        ("https://northgate.example/en-GB/deposit/pay_1/state", False),
        ("https://northgate.example/en-GB/history", False),
    ],
)
def test_only_the_declared_path_is_watched_at_every_host_and_in_every_language(url: str, is_ours: bool) -> None:
    context = Context()
    Purse(PageDeposit()).watch(context)  # type: ignore[arg-type]
    assert bool(context.pattern.match(url)) is is_ours
