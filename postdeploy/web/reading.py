"""Reads a response within bounds: the whole of it hashed, only its beginning kept, nothing of a cookie's value."""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import dataclass

import httpx

from postdeploy.redact import Redactor
from postdeploy.web.questions import Question
from postdeploy.web.replies import Cookie

BODY_LIMIT = 64 * 1024
"""Bytes of a body that are kept, where its question asks for no other number."""
READ_LIMIT = 8 * 1024 * 1024
"""Bytes that are read at most, so that an endless answer ends."""
MOST_HEADERS, LONGEST_HEADER = 100, 2048
NOT_KEPT = frozenset({"set-cookie", "set-cookie2", "authorization", "proxy-authorization"})
HASHES = ("sha512", "sha384", "sha256")


@dataclass(frozen=True, slots=True)
class Body:
    """What became of a body."""

    text: str
    size: int
    sha256: str
    integrity: str
    cut: bool
    garbled: bool


async def read(response: httpx.Response, question: Question, redactor: Redactor) -> Body:
    """The body: read up to 8 MiB, hashed, its beginning unpacked and kept as text."""
    keep = BODY_LIMIT if question.keeps is None else question.keeps
    kept, size = bytearray(), 0
    whole = hashlib.sha256()
    named = next((each for each in HASHES if each in question.integrity), "")
    second = hashlib.new(named) if named else None
    async for chunk in response.stream:  # type: ignore[union-attr]
        size += len(chunk)
        whole.update(chunk)
        if second:
            second.update(chunk)
        if len(kept) <= keep:
            kept += chunk[: keep + 1 - len(kept)]
        if size > READ_LIMIT:
            break
    raw, more = _unpacked(bytes(kept), response.headers.get("content-encoding", "identity"), keep)
    text, garbled = _text(raw[:keep], cut=more)
    integrity = f"{named}-{base64.b64encode(second.digest()).decode()}" if second else ""
    return Body(redactor.text(text), size, whole.hexdigest(), integrity, more, garbled)


def headers(response: httpx.Response, redactor: Redactor) -> dict[str, str]:
    """The headers, names in lower case, several of one name as one line; redacted, and no longer than bearable."""
    found: dict[str, str] = {}
    for name, value in response.headers.multi_items()[:MOST_HEADERS]:
        if name not in NOT_KEPT:
            found[name] = f"{found[name]}, {value}" if name in found else value
    return {name: redactor.text(value[:LONGEST_HEADER]) for name, value in found.items()}


def cookies(response: httpx.Response) -> tuple[Cookie, ...]:
    """The cookies that were set, without their values."""
    return tuple(_cookie(each) for each in response.headers.get_list("set-cookie")[:MOST_HEADERS])


def _cookie(line: str) -> Cookie:
    first, *rest = line.split(";")
    name, _, value = first.partition("=")
    given = {key.strip().lower(): said.strip() for key, _, said in (each.partition("=") for each in rest)}
    gone = given.get("max-age", "").lstrip("-") == "0" or given.get("max-age", "").startswith("-")
    return Cookie(
        name=name.strip()[:LONGEST_HEADER],
        secure="secure" in given,
        http_only="httponly" in given,
        same_site=given.get("samesite", "").lower(),
        is_removal=gone or (not value.strip('" ') and "1970" in given.get("expires", "")),
    )


def _unpacked(raw: bytes, encoding: str, keep: int) -> tuple[bytes, bool]:
    """The beginning of a body, unpacked no further than is kept, and whether there was more."""
    body = raw
    if encoding in ("gzip", "deflate"):
        try:
            body = zlib.decompressobj(wbits=47).decompress(raw, keep + 1)
        except zlib.error:
            body = raw
    return body, len(body) > keep or len(raw) > keep


def _text(raw: bytes, *, cut: bool) -> tuple[str, bool]:
    """Bytes as text, and whether they are not the UTF-8 they should be; a character cut in two does not count."""
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError as error:
        return raw.decode("utf-8", "replace"), not (cut and error.start > len(raw) - 4)
