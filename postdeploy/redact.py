"""Masks secrets and personal data in what a run keeps: registered secrets in every usual encoding, and known forms.

Pure and linear: no pattern can be made to backtrack over a long line of somebody's log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import SecretStr

from postdeploy.registered import Forms

MASK = "[redacted]"
SHORTEST_GIVEN_OUT = 16
"""What is learnt in the run is looked for from this length on: the digits of a code stand in every time of day."""

SECRET_WORDS = frozenset(
    {
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "secrets",
        "token",
        "tokens",
        "otp",
        "totp",
        "pin",
        "authorization",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "apikey",
        "privatekey",
        "accesskey",
        "secretkey",
        "sessionid",
        "pan",
        "cvv",
        "cvc",
        "iban",
        "cardnumber",
        "jwt",
    }
)
"""Last word, or last two words as one, of a key whose value is masked."""


class Redactor:
    """Masks the registered secrets wherever they turn up, and what looks like one; masking twice changes nothing."""

    def __init__(self, secrets: Iterable[SecretStr | str] = (), *, keep: Iterable[str] = ()) -> None:
        """`keep`: texts known to be harmless, such as the names of the synthetic accounts."""
        self._forms = Forms(MASK)
        self._keep = frozenset(keep)
        self._forms.add(map(_plain, secrets))

    def __repr__(self) -> str:
        return "<redactor>"

    def learn(self, *secrets: SecretStr | str) -> None:
        """Mask these too from now on: tokens that were given out to us while we looked."""
        self._forms.add(each for each in map(_plain, secrets) if len(each) >= SHORTEST_GIVEN_OUT)

    def text(self, text: str) -> str:
        """The text with secrets masked."""
        text, _ = self.strike(text)
        holds = text.casefold().__contains__
        for needles, pattern, mask in PATTERNS:
            if (not needles or any(map(holds, needles))) and pattern.search(text):
                text = _settled(pattern, partial(self._masked, mask=mask), text)
        return text

    def strike(self, text: str) -> tuple[str, int]:
        """The text with the registered secrets alone masked, and how many there were."""
        return self._forms.strike(text)

    def keeps(self, text: str) -> bool:
        """Whether it is known to be harmless."""
        return text in self._keep

    def json(self, value: Any) -> Any:
        """A plain value with every text in it masked, and everything under a key that names a secret."""
        if isinstance(value, SecretStr):
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple):
            if len(value) == 2 and isinstance(value[0], str) and names_secret(value[0]):
                return [self.text(value[0]), _hidden(value[1])]  # a header as a pair
            return [self.json(each) for each in value]
        return value

    def _mapping(self, value: Mapping[Any, Any]) -> dict[Any, Any]:
        named = next((value[key] for key in ("name", "key") if isinstance(value.get(key), str)), "")
        hidden = {"value"} if names_secret(named) else set()
        return {
            self.text(key) if isinstance(key, str) else key: _hidden(each)
            if key in hidden or names_secret(str(key))
            else self.json(each)
            for key, each in value.items()
        }

    def _masked(self, match: re.Match[str], mask: Callable[[re.Match[str]], str]) -> str:
        return match[0] if match[0] in self._keep else mask(match)


def _settled(pattern: re.Pattern[str], mask: Callable[[re.Match[str]], str], text: str) -> str:
    """The text masked until nothing changes: what stands behind one account number may be the next one."""
    while (masked := pattern.sub(mask, text)) != text:
        text = masked
    return text


def names_secret(key: str) -> bool:
    """Whether a key's name says that its value is a secret: `otp`, `clientSecret`, `X-Api-Key`, not `token_type`."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", key)]
    while words and words[-1].isdigit():
        words.pop()
    if "password" in words or "passwd" in words:
        return True
    return bool(words) and (words[-1] in SECRET_WORDS or "".join(words[-2:]) in SECRET_WORDS)


def _plain(secret: SecretStr | str) -> str:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret


def _hidden(value: Any) -> Any:
    """The mask; nothing and yes or no hide nothing."""
    return value if value is None or isinstance(value, bool) else MASK


def _card(match: re.Match[str]) -> str:
    """A run of digits with its card numbers masked: they are whole groups of the run, and pass Luhn."""
    if _is_in_uuid(match):
        return match[0]
    run, groups = match[0], list(re.finditer(r"\d+", match[0]))
    kept, done, first = "", 0, 0
    while first < len(groups):
        last = _card_end(groups[first : first + 19])
        if last:
            kept += run[done : groups[first].start()] + MASK
            done = groups[first + last - 1].end()
        first += last or 1
    return kept + run[done:]


def _is_in_uuid(match: re.Match[str]) -> bool:
    """Digits of a uuid are no card number: of the thousand in a run some always pass Luhn."""
    around = _UUID.finditer(match.string, max(0, match.start() - 36), match.end() + 36)
    return any(each.start() <= match.start() and match.end() <= each.end() for each in around)


def _card_end(groups: Sequence[re.Match[str]]) -> int:
    """How many of these groups make up a card number that starts here, at most; none: 0."""
    digits, found = "", 0
    for count, group in enumerate(groups, start=1):
        digits += group[0]
        if 13 <= len(digits) <= 19 and _is_card(digits):
            found = count
        if len(digits) > 19:
            break
    return found


def _is_card(digits: str) -> bool:
    known = (
        digits[0] in "46" or "34" <= digits[:2] <= "39" or "51" <= digits[:2] <= "55" or "2221" <= digits[:4] <= "2720"
    )
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return known and sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0


def _iban(match: re.Match[str]) -> str:
    """An account number masked when its check digits hold; words after a spaced one stay."""
    run = match[0]
    for end in [*(index for index, char in enumerate(run) if char == " "), len(run)][::-1]:
        number = run[:end].replace(" ", "")
        if 15 <= len(number) <= 34 and int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 == 1:
            return MASK + run[end:]
    return run


def _pair(match: re.Match[str]) -> str:
    """The value of `password=…` masked, its quotes kept so that JSON stays JSON."""
    value = match["value"]
    quotes = re.match(r"\\*[\"']", value)
    if quotes is None:
        return match["key"] + MASK
    closed = len(value) > len(quotes[0]) and value.endswith(quotes[0])
    return match["key"] + quotes[0] + MASK + (quotes[0] if closed else "")


def _field(match: re.Match[str]) -> str:
    """A page's field or meta tag with its value masked, where its name says that it is a token."""
    named = _NAMED.search(match[0])
    if named is None or not any(word in named[1].lower() for word in ("token", "csrf", "secret", "passw")):
        return match[0]
    return _VALUED.sub(lambda each: f"{each[1]}{each[2]}{MASK}{each[2]}", match[0])


def _all(_: re.Match[str]) -> str:
    return MASK


def _after(match: re.Match[str]) -> str:
    return match[1] + MASK


_NAMED = re.compile(r"\b(?:name|id)\s{0,4}=\s{0,4}[\"']?([\w.-]{1,100})")
_VALUED = re.compile(r"(\b(?:value|content)\s{0,4}=\s{0,4})([\"'])(?!\[redacted\])[^\"'<>]+\2")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I)
_WORD = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token|(?<![a-z])t?otp|api[_-]?key|private[_-]?key|access[_-]?key|credentials?)"
    r"(?:[_-]?\d{1,3})?"
)
_VALUE = r"(?P<value>\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|\\+\"[^\"\\]*(?:\\+\")?|[^\s,;&\"'<>(){}\[\]\\]+)"

_TOKENS = r"\b(?:gh[pousr]_\w{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|ya29\.[\w-]{10,})"

PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.S
        ),
        _all,
    ),
    (("eyj",), re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]*){1,4}"), _all),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "akia", "xox", "ya29."), re.compile(_TOKENS), _all),
    (
        ("authorization", "cookie"),
        re.compile(
            r"((?:authorization|cookie)\\*[\"']?\s{0,4}[:=]\s{0,4}\\*[\"']?)(?!\[redacted\])"
            r"(?:(?:basic|bearer|token|digest|negotiate)\s{1,4})?[^\s\"'\\,;]+",
            re.I,
        ),
        _after,
    ),
    (
        ("bearer", "basic"),
        re.compile(r"\b((?:bearer|basic)\s{1,4})(?=\S{0,64}[0-9=+/._~])[\w.~+/-]{8,}=*", re.I),
        _after,
    ),
    (
        ("://",),
        re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/\"'<>]{1,512}@", re.I),
        lambda match: f"{match[1]}{MASK}@",
    ),
    (
        ("passw", "passphrase", "pwd", "secret", "token", "otp", "key", "credential"),
        re.compile(rf"(?P<key>{_WORD}\\*[\"']?\s{{0,4}}(?:=>|[:=]|%3D)\s{{0,4}}){_VALUE}", re.I),
        _pair,
    ),
    (("<input", "<meta"), re.compile(r"<(?:input|meta)\b[^<>]{1,1000}>", re.I), _field),
    # Both begin with what they are looked for by, for that is what is found fast; what may not be before it comes next.
    # No card number begins with another digit (`_is_card`), and most runs of digits are a time in milliseconds: 1764….
    ((), re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Z0-9])"), _iban),
    ((), re.compile(r"[2-6](?<![0-9A-Za-z].)(?:[ -]?\d){12,}(?![0-9A-Za-z])"), _card),
    (("@",), re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,}\b", re.I), _all),
)
"""Needles of which one must be in the folded text (cheap to look for), the form, what replaces it; blocks first."""
