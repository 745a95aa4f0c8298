"""Secrets that are known, in every form they take, found in a text at once."""

from __future__ import annotations

import base64
import html
import json
import re
import sys
from collections.abc import Iterable
from threading import Lock
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A registered secret below this length would mask half of every report, and protects nothing."""

GRAM = 8
"""Bytes that are compared at once: whatever is as long as two of these, less one, covers one that is aligned."""


class Forms:
    """Every form of the registered secrets, looked for in a text at once.

    Only who registers one takes the lock: a copy of this process could wait for ever for one that a thread held.
    """

    def __init__(self, mask: str) -> None:
        """`mask` takes their place."""
        self._mask = mask
        self._all: frozenset[str] = frozenset()
        self._short: frozenset[str] = frozenset()
        self._places: dict[int, list[tuple[bytes, int]]] = {}
        """Eight bytes as a number, to the forms that hold them, and where in each."""
        self._pattern: tuple[frozenset[str], re.Pattern[str]] | None = None
        """Of which forms, and the pattern of them."""
        self._lock = Lock()

    def add(self, secrets: Iterable[str]) -> None:
        """Look for these too from now on."""
        forms = {form for each in secrets for form in _encoded(each) if form not in self._mask}
        with self._lock:
            new = forms - self._all
            self._short |= {form for form in new if len(_raw(form)) < 2 * GRAM - 1}
            for form in map(_raw, new - self._short):
                for at in range(len(form) - GRAM + 1):
                    gram = int.from_bytes(form[at : at + GRAM], sys.byteorder)
                    self._places.setdefault(gram, []).append((form, at))
            if new:
                self._all |= new

    def strike(self, text: str) -> tuple[str, int]:
        """The text with all of them masked, and how many there were."""
        return self._compiled().subn(self._mask, text) if self._all and self._are_in(text) else (text, 0)

    def _are_in(self, text: str) -> bool:
        """Whether there is one at all: asked in a twentieth of the time that it takes to try each at every letter."""
        if any(form in text for form in self._short):
            return True
        data, places = _raw(text), self._places
        pieces = memoryview(data)[: len(data) // GRAM * GRAM].cast("Q")
        if places.keys().isdisjoint(pieces):
            return False
        found = ((GRAM * index, places[piece]) for index, piece in enumerate(pieces) if piece in places)
        return any(data.startswith(form, at - into) for at, forms in found for form, into in forms if into <= at)

    def _compiled(self) -> re.Pattern[str]:
        """The pattern of all of them, the longest first; made when a text first needs it."""
        every, known = self._all, self._pattern
        if known is None or known[0] is not every:
            ordered = sorted(every, key=lambda form: (-len(form), form))
            known = self._pattern = (every, re.compile("|".join(map(re.escape, ordered))))
        return known[1]


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _encoded(secret: str) -> set[str]:
    """The forms a secret takes on its way through URLs, JSON, HTML, base64 and hex."""
    if len(secret) < SHORTEST:
        return set()
    raw = secret.encode()
    urls = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), url) for url in urls}
    texts = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    lines = {line for line in secret.splitlines() if len(line) >= 2 * SHORTEST} if "\n" in secret else set()
    return {secret, *urls, *lower, *texts, *lines, raw.hex(), raw.hex().upper(), *_base64(raw)}


def _base64(raw: bytes) -> set[str]:
    """What the secret looks like inside base64 at any alignment: `user:SECRET` in Basic, for instance."""
    found = set()
    for offset, start in ((0, 0), (1, 2), (2, 3)):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * offset + raw).decode().rstrip("=")
            inner = whole[start : None if (offset + len(raw)) % 3 == 0 else -1]
            if len(inner) >= SHORTEST:
                found.add(inner)
    return found
