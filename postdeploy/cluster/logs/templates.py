"""Templates: a message with all masked that varies, the same for the same cause in every run."""

from __future__ import annotations

import hashlib
import re

LONGEST = 400
"""Characters of a template; what a message says is at its beginning."""
MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\[redacted\]"), "<*>"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>),]+", re.I), "<url>"),
    (re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`"), "<quoted>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\b"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b[\w.%+-]+@[\w-]+(?:\.[\w-]+)+\b"), "<mail>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b", re.I), "<hex>"),
    (re.compile(r"(?<![\w<])/[\w.@%+~-]+(?:/[\w.@%+~:=-]*)+"), "<path>"),
    (re.compile(r"[A-Za-z_.-]*\d[\w.-]*"), "<#>"),
    (re.compile(r"(?:<#>[\s,:;|/-]*){2,}"), "<#> "),
)
"""In this order; the last ones mask whatever still holds a digit, and runs of it."""


def template(message: str) -> str:
    """The message without what varies; empty for an empty one."""
    text = " ".join(message[: 4 * LONGEST].split())
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text[:LONGEST].strip()


def identity(*parts: str) -> str:
    """A short name for a finding, the same in every run that makes it."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:12]
