"""What the brokerage's API says, narrow and strict: a missing or renamed field is an error that names it."""

from __future__ import annotations

import msgspec
from pydantic import SecretStr

LOGIN = "/api/v1/login"
INSTRUMENTS = "/api/v1/instruments"


class LoginAnswer(msgspec.Struct, frozen=True):
    """The body of a granted login."""

    token: str
    expires_in: float
    """Seconds."""

    def __repr__(self) -> str:
        return f"<login granted for {self.expires_in:g} s>"


class Instrument(msgspec.Struct, frozen=True):
    """Something this account is offered."""

    symbol: str
    name: str
    tradable: bool


class InstrumentsAnswer(msgspec.Struct, frozen=True):
    """The body of the list of instruments."""

    instruments: tuple[Instrument, ...]


class Session(msgspec.Struct, frozen=True):
    """A logged-in account; its token is shown nowhere."""

    account: str
    token: SecretStr
    expires_in_s: float

    def __repr__(self) -> str:
        return f"<session of {self.account}, {self.expires_in_s:g} s>"
