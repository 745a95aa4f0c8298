"""What one GET came back with, and what it means: a page of a list, a pause before asking again, or a gap."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from postdeploy.cluster.objects import Gap, PageMeta
from postdeploy.cluster.objects_base import without_nulls
from postdeploy.redact import Redactor

PAGE = 500
"""Objects per page, as client-go's pager asks for."""
LONGEST_PAUSE_S = 10.0
LATER = frozenset({429, 500, 502, 503, 504})

T = TypeVar("T")
Body = bytes | bytearray
"""As it was put together; nothing of ours changes it."""


class Look(msgspec.Struct, frozen=True, gc=False):
    """One request of ours as the run's journal keeps it."""

    path: str
    status: int
    """HTTP status of the last attempt, 0 where there was no answer."""
    attempts: int
    duration_s: float
    size: int
    """Bytes of the body, unpacked."""
    reason: str = ""
    """Why it did not succeed; empty where it did."""


class Answer(msgspec.Struct, frozen=True):
    """What came back of one GET: a body, or the reason why there is none."""

    status: int = 0
    body: Body = b""
    reason: str = ""
    again: bool = False
    """Whether asking again can help."""
    retry_after_s: float | None = None


class Listed(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One page of a list; a body without `items` is not a list, and must not pass for an empty one."""

    items: tuple[T, ...] | None
    metadata: PageMeta = PageMeta()


def answer_of(status: int, headers: Mapping[str, str], body: Body) -> Answer:
    """The answer as its status means it."""
    if status in (HTTPStatus.OK, HTTPStatus.CREATED):  # a review is answered as created, though nothing is kept
        return Answer(status, body, _staleness(headers))
    later = status in LATER
    return Answer(status, body, _refusal(status, body), later, _retry_after(headers) if later else None)


def broken(error: Exception, limit_s: float) -> Answer:
    """What a connection that gave no answer, or only a part of one, amounts to."""
    import aiohttp  # a run that needs no Kubernetes must not pay for importing it

    match error:
        case TimeoutError():
            return Answer(reason=f"time-out after {limit_s:.3g} s")
        case aiohttp.ClientSSLError():
            return Answer(reason=f"no trusted TLS connection: {line(error)}")
        case aiohttp.TooManyRedirects():
            return Answer(reason=line(error.message))
        case aiohttp.ClientPayloadError():
            return Answer(reason="connection cut in the middle of the answer", again=True)
    return Answer(reason=f"connection cut: {line(error)}", again=True)


@lru_cache(maxsize=8)
def moment(date: str | None) -> datetime | None:
    """The time of an HTTP date, if it is one; the answers of one second carry the same."""
    with suppress(TypeError, ValueError):
        return parsedate_to_datetime(date or "").astimezone(UTC)
    return None


def listed(body: Body, item_type: type[T]) -> Listed[T]:
    """One page from its JSON: strictly, which is fast; a null where a value is expected is read as absent."""
    kind = Listed[item_type]  # type: ignore[valid-type]
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        loose = msgspec.json.decode(body)
        empty = isinstance(loose, dict) and "items" in loose and loose["items"] is None
        plain = without_nulls(loose)
        return msgspec.convert(plain | {"items": ()} if empty else plain, kind, strict=False)


def paged(path: str, token: str) -> str:
    """The path of one page: never with resourceVersion=0, which may answer from a stale cache."""
    query = f"limit={PAGE}" + (f"&continue={quote(token, safe='')}" if token else "")
    return path + ("&" if "?" in path else "?") + query


UNSERVED = "not served by this cluster"
"""Why a list could not be read whose kind is not installed."""


def gap_of(path: str, reason: str) -> Gap:
    """The gap in coverage that a path which could not be read leaves."""
    parts = path.partition("?")[0].strip("/").split("/")
    rest = parts[{"api": 2, "apis": 3}.get(parts[0], 0) :]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    return Gap(resource="/".join(rest[0::2]), namespace=namespace, reason=reason)


def pause(answer: Answer, attempt: int) -> float:
    """Seconds to wait before asking again: as long as the server says, else longer each time; never too long."""
    wanted = 0.25 * 2**attempt * random.uniform(0.5, 1.0) if answer.retry_after_s is None else answer.retry_after_s  # noqa: S311
    return min(wanted, LONGEST_PAUSE_S)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks us to wait, given as a number or as a date."""
    value = headers.get("Retry-After", "")
    with suppress(ValueError):
        return max(0.0, float(value))
    then, now = moment(value), moment(headers.get("Date"))
    return max(0.0, (then - now).total_seconds()) if then and now else None


def _staleness(headers: Mapping[str, str]) -> str:
    """Why an answer is not about now: the API server never sets Age, a cache on the way must."""
    age = headers.get("Age", "").strip()
    return f"an answer {age} s old, out of a cache between us and the API server (Age)" if age.strip("0") else ""


def _refusal(status: int, body: Body) -> str:
    """'403 Forbidden: pods is forbidden …': the status, and the message of the Status object in the body."""
    with suppress(ValueError):
        phrase = f"{status} {HTTPStatus(status).phrase}"
        with suppress(ValueError, AttributeError):
            message = json.loads(body).get("message")
            return f"{phrase}: {line(message)}" if message else phrase
        return phrase
    return str(status)


def undecodable(error: Exception, body: Body = b"") -> str:
    """The reason of a gap where the body was not what was asked for."""
    if body.lstrip()[:1] == b"<":
        return "HTML instead of JSON: a proxy or a login page answers in place of the Kubernetes API"
    return f"answer cut off or not what was asked for: {line(error)}"


def line(error: object) -> str:
    """The error in one redacted line."""
    return Redactor().text(" ".join(str(error).split()) or type(error).__name__)[:300]
