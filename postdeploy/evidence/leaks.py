"""Secrets and personal data in a text that is about to be archived: found, counted by rule, and masked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from postdeploy.evidence.packed import LONG, are_long, decoded, is_archive, members, programs, words
from postdeploy.redact import PATTERNS, Redactor

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
EMAIL = next(pattern for needles, pattern, _ in PATTERNS if needles == ("@",))
DEEPEST = 4
"""Archives and base64 inside one another that are opened."""


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
            if redactor.keeps(found) or _is_fraction(match.string, match.start()):
                return found
            new = self._mask(match)
            count += new != found
            return new

        if self._needles != ("@",):
            return self._pattern.sub(masked, text), count
        # An address holds no quotation mark and is slow to look for: only pieces that have its sign are looked through.
        pieces = (self._pattern.sub(masked, each) if "@" in each else each for each in text.split('"'))
        return '"'.join(pieces), count


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
    """What a rule still names in these bytes: as text, in the members of an archive, in base64 inside the text.

    Raises what `packed.members` raises.
    """
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
    runs = words(data)
    found.update(_by_rules(LONG.sub(" ", text) if are_long(runs) else text, redactor))
    found.update(_within(text, runs, redactor, depth))
    return +found


def scan_masked(data: bytes, redactor: Redactor) -> Counter[str]:
    """The same of bytes in which nothing is left to mask as text: only what is packed into them is looked at."""
    if is_archive(data):
        return scan(data, redactor)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return scan(data, redactor)
    runs = words(data)
    return scan(data, redactor) if are_long(runs) else +_within(text, runs, redactor, 0)


def _within(text: str, runs: Iterable[bytes], redactor: Redactor, depth: int) -> Counter[str]:
    """What a rule names in the base64 inside a text, which are these runs of letters."""
    found: Counter[str] = Counter()
    own = programs(text)
    for each in runs:
        inner = decoded(each)
        if inner is None:
            continue
        if each in own:
            found[OWN] += redactor.strike(inner.decode("latin-1"))[1]
        else:
            found.update(scan(inner, redactor, depth + 1))
    return found
