"""Secrets and personal data in a text that is about to be archived: found, counted by rule, and masked."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from postdeploy.redact import MASK, PATTERNS, Redactor

OWN = "own secret"
NAMES = {
    "private key": "private key",
    "eyj": "token (JWT)",
    "ghp_": "token (known form)",
    "_iban": "IBAN",
    "_card": "card number",
    "@": "e-mail address",
}
"""Rules of the redactor that hold for a closed file; the others go by the word before a value, and read live text."""
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
EMAIL = next(pattern for needles, pattern, _ in PATTERNS if needles == ("@",))
LONG = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{2000,}={0,2}")
"""Base64 that is read once it is decoded, and not as text: a token or a key shows by what is before it."""
PROGRAM = re.compile(r"data:(?:text/(?:javascript|css)|application/(?:x-)?javascript|font/[\w-]+)[;\w=-]*;base64,$")
"""Before base64 that is a page's own program: its drawings are full of digits, and no data of a run is in it."""
DEEPEST = 4
"""Archives and base64 inside one another that are opened."""
LARGEST = 256 * 1024 * 1024
"""Bytes that one archive member may unpack to: more is not evidence of ours."""
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"


class TooLarge(Exception):
    """More is packed into it than can be looked through, so nobody can say that nothing is in it."""


class Rule:
    """One form that must not be archived."""

    def __init__(
        self, name: str, needles: tuple[str, ...], pattern: re.Pattern[str], mask: Callable[[re.Match[str]], str]
    ) -> None:
        self.name = name
        self._needles = needles
        self._pattern = pattern
        self._mask = mask

    def apply(self, text: str, folded: str, redactor: Redactor) -> tuple[str, int]:
        """The text masked, and how often."""
        if self._needles and not any(map(folded.__contains__, self._needles)):
            return text, 0
        count = 0

        def masked(match: re.Match[str]) -> str:
            nonlocal count
            found = match[0]
            if redactor.keeps(found) or _is_fraction(text, match.start()):
                return found
            new = self._mask(match)
            count += new != found
            return new

        return self._pattern.sub(masked, text), count


def _is_fraction(text: str, start: int) -> bool:
    """Digits behind a decimal point are a measurement, whatever their check digit."""
    return start > 1 and text[start - 1] == "." and text[start - 2].isdigit() and text[start].isdigit()


def _rules() -> Iterator[Rule]:
    for needles, pattern, mask in PATTERNS:
        name = NAMES.get(needles[0] if needles else mask.__name__)
        if name:
            yield Rule(name, needles, pattern, mask)


RULES = tuple(_rules())


def harmless(environment_json: str, others: Iterable[str | None]) -> frozenset[str]:
    """Addresses that are part of what was verified or of who approved it: those the environment declares, and others.

    An approver is named in the record because an auditor asks for him.
    """
    texts = [environment_json, *(each for each in others if each)]
    return frozenset(match[0] for each in texts for match in EMAIL.finditer(each))


def mask_text(text: str, redactor: Redactor) -> tuple[str, Counter[str]]:
    """The text without what a rule names, and how much of each there was."""
    found: Counter[str] = Counter()
    text, found[OWN] = redactor.strike(text)
    folded = text.casefold()
    for rule in RULES:
        text, found[rule.name] = rule.apply(text, folded, redactor)
    return text, +found


def _by_rules(text: str, redactor: Redactor) -> Counter[str]:
    folded = text.casefold()
    return Counter({rule.name: rule.apply(text, folded, redactor)[1] for rule in RULES})


def mask_json(text: str, redactor: Redactor) -> tuple[str, Counter[str]]:
    """A JSON text masked so that it stays JSON, in its own layout."""
    masked, found = mask_text(text, redactor)
    if not found or _parses(masked):
        return masked, found
    found.clear()
    value = _walk(json.loads(text), redactor, found)
    return json.dumps(value, ensure_ascii=False, indent=2 if "\n" in text.strip() else None) + "\n", found


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _walk(value: Any, redactor: Redactor, found: Counter[str]) -> Any:
    match value:
        case str() | int() if not isinstance(value, bool):
            masked, seen = mask_text(str(value), redactor)
            found.update(seen)
            return masked if seen else value
        case dict():
            return {key: _walk(each, redactor, found) for key, each in value.items()}
        case list():
            return [_walk(each, redactor, found) for each in value]
    return value


def scan(data: bytes, redactor: Redactor, depth: int = 0) -> Counter[str]:
    """What a rule still names in these bytes: as text, in the members of an archive, in base64 inside the text."""
    found: Counter[str] = Counter()
    if depth > DEEPEST:
        return found
    for member in members(data):
        found.update(scan(member, redactor, depth + 1))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        found[OWN] += redactor.strike(data.decode("latin-1"))[1]
        return +found
    found[OWN] += redactor.strike(text)[1]
    found.update(_by_rules(LONG.sub(" ", text), redactor))
    found.update(_within(text, redactor, depth))
    return +found


def scan_masked(data: bytes, redactor: Redactor) -> Counter[str]:
    """The same of bytes in which nothing is left to mask as text: only what is packed into them is looked at."""
    if data.startswith((GZIP, ZIP)) or is_tar(data):
        return scan(data, redactor)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return scan(data, redactor)
    return scan(data, redactor) if LONG.search(text) else +_within(text, redactor, 0)


def _within(text: str, redactor: Redactor, depth: int) -> Counter[str]:
    """What a rule names in the base64 inside a text."""
    found: Counter[str] = Counter()
    for start, blob in _blobs(text):
        inner = _decoded(blob)
        if inner is None:
            continue
        if PROGRAM.search(text, max(0, start - 80), start):
            found[OWN] += redactor.strike(inner.decode("latin-1"))[1]
        else:
            found.update(scan(inner, redactor, depth + 1))
    return found


def _blobs(text: str) -> Iterator[tuple[int, str]]:
    """Each run of base64 once, with where it starts: a report holds most of its data twice."""
    seen = set()
    for each in BASE64.finditer(text):
        if each[0] not in seen:
            seen.add(each[0])
            yield each.start(), each[0]


def members(data: bytes) -> Iterator[bytes]:
    """What is inside an archive; nothing where it is none. A damaged one raises nothing: its bytes are scanned."""
    if data.startswith(GZIP):
        yield gunzip(data)
    elif data.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for each in archive.infolist():
                with archive.open(each) as file:
                    yield each.filename.encode()
                    yield _all_of(file)
    elif is_tar(data):
        with tarfile.open(fileobj=io.BytesIO(data)) as tape:
            for member in tape:
                yield member.name.encode()
                if file_of := tape.extractfile(member):
                    yield _all_of(file_of)


def is_tar(data: bytes) -> bool:
    """Whether these bytes are a tar file, which may well be UTF-8 and is no text."""
    return data[257:262] == b"ustar"


def _all_of(file: IO[bytes] | gzip.GzipFile) -> bytes:
    """The rest of a file. Raises TooLarge."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise TooLarge
    return data


def gunzip(data: bytes) -> bytes:
    """The content of a gzip file. Raises OSError, EOFError, zlib.error, TooLarge."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return _all_of(file)


def _decoded(blob: str) -> bytes | None:
    """What a run of base64 holds, if it is text or an archive; a hash or a picture is neither."""
    standard = blob.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if data.startswith((GZIP, ZIP)) or is_tar(data):
        return data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return data


BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
__all__ = [
    "BROKEN",
    "GZIP",
    "MASK",
    "ZIP",
    "TooLarge",
    "gunzip",
    "harmless",
    "is_tar",
    "mask_json",
    "mask_text",
    "members",
    "scan",
    "scan_masked",
]
