"""How an error of an environment file reads: the key path, what was expected, what was found, the nearest spelling."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from postdeploy.environment.forms import FORMS
from postdeploy.redact import Redactor

Where = tuple[str | int, ...]

TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "mapping_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "dict_type": "a map",
    "tuple_type": "a list",
}
LONGEST = 60


class Finding(NamedTuple):
    """One error: where in the merged data, and what is wrong there."""

    where: Where
    text: str


def hint(wrong: str, right: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest right spelling, if there is one; a case slip always has one."""
    folded = {each.casefold(): each for each in right}
    near = difflib.get_close_matches(wrong.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean '{folded[near[0]]}'?" if near else ""


def spelled(where: Where) -> str:
    """A path as people write it: `components.crm-web.replicas`, `tolerances[0].owner`."""
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in where).lstrip(".") or "the file"


def explain(error: ErrorDetails, schema: Mapping[str, Any], typed: str | None) -> Finding:
    """One error of pydantic in the words of this page; `typed` is the value as it stands in the file."""
    where = tuple(each for each in error["loc"] if each != "[key]")
    if "[key]" in error["loc"]:
        return Finding(where, f"expected {_form(error)} as the key, found {where[-1]!r}")
    match error["type"]:
        case "extra_forbidden":
            keys = sorted(_at(schema, where[:-1]).get("properties", {}))
            near = hint(str(where[-1]), keys)
            return Finding(where, f"unknown key{near or '; known: ' + ', '.join(keys)}")
        case "missing":
            part = _at(schema, where)
            return Finding(where, f"missing: expected {' or '.join(part.get('enum', ())) or _described(part)}")
        case "literal_error":
            values = _at(schema, where)["enum"]
            near = hint(str(error["input"]), values)
            return Finding(where, f"expected {' or '.join(values)}, found {_found(error['input'], typed)}{near}")
        case kind if kind in TYPES:
            quote = kind == "string_type" and isinstance(error["input"], bool | int | float)
            advice = f': quote it, "{typed}"' if quote else ""
            return Finding(where, f"expected {TYPES[kind]}, found {_found(error['input'], typed)}{advice}")
    return Finding(where, f"expected {_form(error)}, found {_found(error['input'], typed)}")


def _form(error: ErrorDetails) -> str:
    """What a value of the right type still has to be."""
    context = error.get("ctx", {})
    if error["type"] == "form":
        return str(context["words"])
    if error["type"] == "string_pattern_mismatch":
        return next(words for pattern, words in FORMS.values() if pattern == context["pattern"])
    if error["type"] == "string_too_short":
        return "text that is not empty"
    if error["type"] == "too_short":
        return "a list that is not empty"
    if error["type"].startswith("date"):
        return "a day of the calendar as YYYY-MM-DD"
    message = error["msg"].removeprefix("Input should be ")
    return f"a number {message}" if message != error["msg"] else message


def _found(value: Any, typed: str | None) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    text = Redactor(()).text(typed if typed is not None else str(value))
    text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    if isinstance(value, bool):
        return text
    return f"the number {text}" if isinstance(value, int | float) else repr(text)


def _described(part: Mapping[str, Any]) -> str:
    text = str(part.get("description", "a value")).split(". ")[0].splitlines()[0].rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _at(schema: Mapping[str, Any], where: Where) -> Mapping[str, Any]:
    """The part of a JSON schema that describes a path of the data."""
    part: Mapping[str, Any] = schema
    for step in where:
        part = _resolved(schema, part)
        if isinstance(step, int):
            part = part.get("items", {})
        else:
            entries = part.get("patternProperties", {}).values()
            part = part.get("properties", {}).get(step) or next(iter(entries), {})
    return {**_resolved(schema, part), **part}


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part itself: behind its reference, or the first choice that is more than null."""
    while "$ref" in part or "anyOf" in part:
        if "$ref" in part:
            part = schema["$defs"][str(part["$ref"]).rpartition("/")[2]]
        else:
            part = next(each for each in part["anyOf"] if each != {"type": "null"})
    return part
