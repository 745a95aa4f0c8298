"""Every path and header of the brokerage's API: whoever adopts this for another product changes this file."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

LOGIN = "/api/v1/login"
CODE = "/api/v1/login/code"
REFRESH = "/api/v1/session/refresh"
LOGOUT = "/api/v1/logout"
ME = "/api/v1/me"
INSTRUMENTS = "/api/v1/instruments"
QUOTES = "/api/v1/quotes"
CALENDAR = "/api/v1/calendar"
PREVIEW = "/api/v1/orders/preview"
DOCUMENTS = "/api/v1/documents"
STATEMENTS = "/api/v1/statements"
BALANCES = "/api/v1/balances"
LEDGER = "/api/v1/ledger"
METHODS = "/api/v1/deposits/methods"
DEPOSITS = "/api/v1/deposits"

KEY_HEADER = "Idempotency-Key"


def account(ident: str) -> str:
    """One account, to be read by its owner alone."""
    return f"/api/v1/accounts/{quote(ident, safe='')}"


def document(ident: str) -> str:
    """One document."""
    return f"{DOCUMENTS}/{quote(ident, safe='')}"


def deposit(ident: str, act: str = "") -> str:
    """One deposit, or what can be done with it: `cancel`, `refund`."""
    return f"{DEPOSITS}/{quote(ident, safe='')}" + (f"/{act}" if act else "")


def query(path: str, **values: str) -> str:
    """A path with a query."""
    return f"{path}?{urlencode(values)}" if values else path


def login_body(login: str, password: str) -> Mapping[str, object]:
    """First factor."""
    return {"username": login, "password": password}


def code_body(challenge: str, code: str) -> Mapping[str, object]:
    """Second factor."""
    return {"challenge": challenge, "otp": code}
