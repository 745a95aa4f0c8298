"""The guard on the wire: no page deposits anything but what was agreed, once, under our key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from postdeploy.environment import Deposit, PageDeposit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Request, Route


@dataclass(frozen=True)
class Slip:
    """What one request may say, what it carries, and who is told before it leaves."""

    deposit: Deposit
    headers: dict[str, str]
    sent: Callable[[], None]


class Purse:
    """Lets a page's request to deposit pass while there is a slip for it, and no other."""

    def __init__(self, declared: PageDeposit) -> None:
        self.declared = declared
        self.slip: Slip | None = None
        self.refused: list[str] = []
        """Why requests were not let through."""

    def watch(self, context: BrowserContext) -> None:
        """Stand between every page of the context and the product."""
        path = re.escape(self.declared.path).replace(re.escape("{locale}"), "[^/?]+")
        context.route(re.compile(rf"^https?://[^/]+{path}/?(\?.*)?$"), self._asked)

    def _asked(self, route: Route, request: Request) -> None:
        if request.method != "POST":
            route.continue_()
            return
        slip, why = self.slip, self._why_not(request)
        if why or slip is None:
            self.refused.append(why)
            route.abort("blockedbyclient")
            return
        self.slip = None  # one slip is one request
        slip.sent()
        route.continue_(headers={**request.headers, **slip.headers})

    def _why_not(self, request: Request) -> str:
        """Why this request may not leave, or nothing."""
        if self.slip is None:
            return "the page wanted to deposit, and nothing was agreed, or it had deposited already"
        said, due = fields(request.post_data or ""), self.slip.deposit
        method, amount = said.get(self.declared.method_field), said.get(self.declared.amount_field)
        if method != due.method or not _is(amount, due.amount):
            return f"the page wanted to deposit {amount!r} by {method!r}, and {due.amount} by {due.method} was agreed"
        return ""


def fields(body: str) -> dict[str, Any]:
    """What a request says, as a form or as JSON; nothing where it is neither."""
    try:
        value = json.loads(body)
    except ValueError:
        return dict(parse_qsl(body))
    return value if isinstance(value, dict) else {}


def _is(said: Any, amount: Decimal) -> bool:
    try:
        return Decimal(str(said)) == amount
    except InvalidOperation:
        return False
