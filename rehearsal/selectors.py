"""Label and field selectors, as the API server reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rehearsal.kinds import Obj

Test = Callable[[Obj], bool]

FIELDS = ("metadata.name", "metadata.namespace", "status.phase", "spec.nodeName", "type", "reason")
SET = re.compile(r"^(?P<key>\S+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)$")


class BadSelector(ValueError):
    """A selector that the API server would refuse."""


def by_labels(selector: str) -> Test:
    """Whether an object's labels fulfil every requirement of a selector."""
    tests = [_requirement(each.strip()) for each in re.split(r",(?![^(]*\))", selector) if each.strip()]
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def by_fields(selector: str) -> Test:
    """Whether an object's fields fulfil every requirement of a selector."""
    tests = [_field(each.strip()) for each in selector.split(",") if each.strip()]
    return lambda obj: all(test(obj) for test in tests)


def _requirement(text: str) -> Callable[[Mapping[str, str]], bool]:
    if found := SET.match(text):
        key, values = found["key"], {each.strip() for each in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    for sign, equal in (("!=", False), ("==", True), ("=", True)):
        if sign in text:
            key, _, value = (each.strip() for each in text.partition(sign))
            return lambda labels: (labels.get(key) == value) is equal
    if text.startswith("!"):
        return lambda labels: text[1:].strip() not in labels
    if not re.fullmatch(r"[\w./-]+", text):
        raise BadSelector(f"unable to parse requirement: found '{text}', expected: '=', '!=', '==', 'in', 'notin'")
    return lambda labels: text in labels


def _field(text: str) -> Test:
    sign = "!=" if "!=" in text else "==" if "==" in text else "="
    path, found, value = text.partition(sign)
    if not found or not (path in FIELDS or path.startswith("involvedObject.")):
        raise BadSelector(f'field label not supported: "{path}"')
    return lambda obj: (_value(obj, path) == value) is (sign != "!=")


def _value(obj: Obj, path: str) -> str:
    seen: object = obj
    for step in path.split("."):
        seen = seen.get(step) if isinstance(seen, dict) else None
    return "" if seen is None else str(seen)
