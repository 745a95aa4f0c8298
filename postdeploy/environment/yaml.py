"""Reads one YAML 1.2 file into plain data and remembers where each value is written.

ruamel parses; scalars are resolved here by the core schema of YAML 1.2, so that `no`, `22:30`, `0123` and `2026-01-31`
stay text under any `%YAML` directive, and an error can show a number as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Where = tuple[str | int, ...]

CORE = "tag:yaml.org,2002:"
TAGS = frozenset(CORE + each for each in ("map", "seq", "str", "null", "bool", "int", "float", "timestamp", "value"))
MOST_VALUES = 20_000
DEEPEST = 20


class YamlProblem(Exception):
    """The file is no YAML; the message names file, line and column."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value is written, and the scalar as it was typed."""

    line: int
    typed: str | None = None


@dataclass(slots=True)
class Document:
    """One file: its data, the origin of every value, and what is wrong with its keys."""

    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[Where, Origin] = field(default_factory=dict)
    problems: list[tuple[Where, str]] = field(default_factory=list)


def read(path: Path) -> Document:
    """The file as data; raises YamlProblem when it is no YAML."""
    document = Document(path)
    root = _composed(path)
    if root is None:
        return document
    if not isinstance(root, MappingNode):
        raise YamlProblem(f"{path}:{_line(root)}: expected a map of keys, found {_kind(root)}")
    document.data = _Reading(document).value(root, ())
    return document


def _composed(path: Path) -> Node | None:
    parser = YAML(typ="safe", pure=True)
    parser.composer.warn_double_anchors = False  # YAML lets an anchor be set again
    try:
        root: Node | None = parser.compose(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise YamlProblem(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise YamlProblem(f"{path}: not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise YamlProblem(f"{path}{at}: not YAML: {said}") from error
    except (YAMLError, ValueError) as error:
        raise YamlProblem(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return root


class _Reading:
    """Turns the nodes of one document into data."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def value(self, node: Node, where: Where) -> Any:
        origins = self._document.origins
        if len(origins) > MOST_VALUES or len(where) > DEEPEST:
            raise YamlProblem(f"{self._document.path}:{_line(node)}: too deep or too large, perhaps an alias of itself")
        origins[where] = Origin(_line(node), node.value if isinstance(node, ScalarNode) else None)
        if str(node.tag) not in TAGS:
            self._document.problems.append((where, f"the tag {node.tag} means nothing here"))
        if isinstance(node, MappingNode):
            return self._mapping(node, where)
        if isinstance(node, ScalarNode):
            return _scalar(node)
        return [self.value(each, (*where, index)) for index, each in enumerate(node.value)]

    def _mapping(self, node: MappingNode, where: Where) -> dict[str, Any]:
        data: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged = [value for key, value in node.value if _is_merge(key)]
        for each in merged:
            data = {**self._merged(each, where), **data}
        for key, value in node.value:
            if _is_merge(key):
                continue
            if not isinstance(key, ScalarNode):
                self._document.problems.append((where, f"a key must be text, found {_kind(key)} in line {_line(key)}"))
                continue
            name = str(key.value)
            if name in lines:
                self._document.problems.append(((*where, name), f"duplicate key, first in line {lines[name]}"))
            lines.setdefault(name, _line(key))
            data[name] = self.value(value, (*where, name))
        return data

    def _merged(self, node: Node, where: Where) -> dict[str, Any]:
        """The entries that `<<` brings in; of several maps the first wins."""
        parts = node.value if isinstance(node, SequenceNode) else [node]
        data: dict[str, Any] = {}
        for part in parts:
            if isinstance(part, MappingNode):
                data = {**self._mapping(part, where), **data}
            else:
                self._document.problems.append((where, f"'<<' takes a map or a list of maps, found {_kind(part)}"))
        return data


def _is_merge(key: Node) -> bool:
    return isinstance(key, ScalarNode) and key.value == "<<" and key.style is None


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    if node.style is not None or node.tag == CORE + "str":
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text.lower() in ("true", "false") and text in (text.lower(), text.upper(), text.capitalize()):
        return text.lower() == "true"
    return _number(text)


def _number(text: str) -> int | float | str:
    """A number of the core schema, else the text; a leading zero makes it text (octal once, decimal now)."""
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", text):
        return int(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return repr(node.value)
    return "a map" if isinstance(node, MappingNode) else "a list"


def walk(data: Any, where: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Every key below, with its path and value."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*where, key), value
        yield from walk(value, (*where, key))
