"""Reads dumps of `kubectl get … -o json|yaml` into plain objects: single ones, Lists, several documents in a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class NotAnObject(Exception):
    """A file holds no Kubernetes object; says which file, what was found and what was expected."""


def read_dump(path: str) -> list[dict[str, Any]]:
    """Every object of a file, Lists opened; `-` is standard input."""
    name = "standard input" if path == "-" else path
    return [each for document in _documents(name, _text(path, name)) for each in _objects(name, document)]


def _text(path: str, name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise NotAnObject(f"{name} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise NotAnObject(
            f"{name} is not text: expected JSON or YAML as `kubectl get -o json|yaml` prints it."
        ) from error


def _documents(name: str, text: str) -> list[Any]:
    if not text.strip():
        raise NotAnObject(f"{name} is empty: expected what `kubectl get -o json|yaml` prints.")
    if text.lstrip()[0] in "{[":
        try:
            return list(_json(text))
        except json.JSONDecodeError as error:
            problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise NotAnObject(f"{name} is not valid JSON ({problem}).") from error
    return _yaml(name, text)


def _json(text: str) -> Iterator[Any]:
    """One document after another, as `jq` and several appended dumps write them."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        at += len(text[at:]) - len(text[at:].lstrip())
        if at == len(text):
            return
        document, at = decoder.raw_decode(text, at)
        yield document


def _yaml(name: str, text: str) -> list[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return [each for each in YAML(typ="safe", pure=True).load_all(text) if each is not None]
    except (YAMLError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise NotAnObject(f"{name} is neither JSON nor YAML: {problem[:300]}") from error


def _objects(name: str, document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        for each in document:
            yield from _objects(name, each)
        return
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        what = f"an object without `kind`, keys {_keys(document)}" if isinstance(document, dict) else "a bare value"
        raise NotAnObject(
            f"{name} holds {what}, not a Kubernetes object: expected `apiVersion`, `kind` and `metadata`, "
            "as `kubectl get -o json|yaml` prints them."
        )
    kind = document["kind"]
    if kind == "Status":
        raise NotAnObject(
            f"{name} holds an error answer of the Kubernetes API: {document.get('message', 'no message')}."
        )
    if kind.endswith("List") and isinstance(document.get("items", []) or [], list):
        yield from _items(name, kind.removesuffix("List"), document)
    elif not isinstance(document.get("metadata"), dict):
        raise NotAnObject(f"{name} holds a {kind} without `metadata`: not an object that a cluster has returned.")
    else:
        yield document


def _items(name: str, kind: str, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of a typed list do not say what they are: the list does."""
    known = {"kind": kind, "apiVersion": document.get("apiVersion", "")} if kind else {}
    for each in document.get("items") or []:
        yield from _objects(name, known | each if isinstance(each, dict) else each)


def _keys(document: dict[Any, Any]) -> str:
    return ", ".join(repr(str(key)) for key in list(document)[:5]) or "none"


def latest(value: Any) -> datetime | None:
    """The latest moment that any time field of the data names: the closest thing a dump has to a clock."""
    found: datetime | None = None
    stack = [value]
    while stack:
        match stack.pop():
            case dict() as each:
                for key, inner in each.items():
                    moment = _moment(key, inner)
                    if moment and (found is None or moment > found):
                        found = moment
                stack += [inner for inner in each.values() if isinstance(inner, (dict, list))]
            case list() as several:
                stack += [inner for inner in several if isinstance(inner, (dict, list))]
    return found


def _moment(key: Any, value: Any) -> datetime | None:
    # A deletionTimestamp lies in the future: it is when the grace period ends.
    if not str(key).endswith(("Time", "Timestamp", "At", "time")) or key == "deletionTimestamp":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
