"""The exchanges with the API as they are kept: redacted before they are stored, and enough to judge them again."""

from __future__ import annotations

import gzip
import zlib
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from postdeploy.redact import MASK, Redactor, names_secret

TEXT_LIMIT = 4096


class Fault(StrEnum):
    """Why an exchange has no answer."""

    CONNECT = "accepts no connection"
    """Nothing was sent, so that sending it is no repetition."""
    CERTIFICATE = "fails the TLS handshake"
    TIME_OUT = "did not answer in time"
    CUT_OFF = "broke off its answer"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer, without anything that would let a reader act as the account."""

    at: datetime
    duration_s: float
    method: str
    path: str
    authorised: bool
    """Whether it carried a bearer token."""
    look: int = 1
    """Which try of the same request it was: one is repeated only where nothing had been sent."""
    idempotency_key: str = ""
    request: Any = None
    status: int = 0
    is_json: bool = False
    response: Any = None
    """The body's JSON, or the beginning of its text."""
    served: str = ""
    """The answer's Date, by the product's clock."""
    fault: Fault | None = None
    error: str = ""

    @property
    def is_down(self) -> bool:
        """Whether the product gave no answer at all, or only said that it cannot."""
        return self.fault is not None or self.status >= 500

    @property
    def is_unclear(self) -> bool:
        """Whether it may have been carried out although nobody said so."""
        unsaid = self.is_down or self.status == 408
        return unsaid and self.fault not in (Fault.CONNECT, Fault.CERTIFICATE)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """All that one claim was judged by: a replay judges the same, and asks nobody."""

    steps: dict[str, list[int]] = {}
    """Which exchanges, by what they were made for."""
    facts: dict[str, Any] = {}
    """What was seen beside the exchanges: the journal's and the guard's part."""
    unseen: str = ""
    """Why nothing could be looked at."""
    held_by: str = ""
    """The check that forbade the look."""
    residue: str = ""
    """What of ours is left, and how it is settled by hand."""


class Recording(msgspec.Struct):
    """The exchanges of one run in the order they were made, and what was judged by them; it only grows."""

    exchanges: list[Exchange] = []
    sights: dict[str, Sight] = {}

    def add(self, exchange: Exchange, redactor: Redactor) -> Exchange:
        """Keep an exchange, redacted by field name and by value, and return what is kept: that is what is judged."""
        self.exchanges.append(kept := self.redacted(exchange, redactor))
        return kept

    @staticmethod
    def redacted(exchange: Exchange, redactor: Redactor) -> Exchange:
        """An exchange without its secrets."""
        return msgspec.structs.replace(
            exchange,
            request=redacted(exchange.request, redactor),
            response=redacted(exchange.response, redactor),
            error=redactor.text(exchange.error),
        )


def redacted(value: Any, redactor: Redactor, hidden: bool = False) -> Any:
    """The value in the same shape without its secrets: an empty token stays empty, a number a number, so that what is
    kept is judged like what was said.
    """
    match value:
        case str() if hidden:
            return MASK if value.strip() else value
        case str():
            return redactor.text(value)
        case bool() | None:
            return value
        case int() | float() if hidden:
            return type(value)()
        case list():
            return [redacted(each, redactor, hidden) for each in value]
        case dict():
            return {key: redacted(each, redactor, hidden or names_secret(key)) for key, each in value.items()}
    return value


def save(recording: Recording) -> bytes:
    """The recording as gzipped JSON; the same recording gives the same bytes."""
    return gzip.compress(msgspec.json.encode(recording), mtime=0)


def load(data: bytes) -> Recording:
    """The recording that `save` wrote. Raises ValueError for anything else."""
    try:
        return msgspec.json.decode(gzip.decompress(data), type=Recording)
    except (msgspec.DecodeError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not a recording: {error}") from error
