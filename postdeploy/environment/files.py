"""Reads environments/base.yaml and the overlay of one environment: maps merge, lists replace, null removes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from postdeploy.environment.model import PRODUCTION, Environment
from postdeploy.environment.rules import contradictions
from postdeploy.environment.wording import Finding, Where, explain, hint, spelled
from postdeploy.environment.yaml import Document, Origin, YamlProblem, read, walk

FOLDER = Path(__file__).resolve().parents[2] / "environments"
NAMED = {"components": "name", "brands": "name", "deposits": "method", "sites": "name", "endpoints": "name"}
"""Maps whose keys are names somebody chose, and the field that takes the key."""
SECRET = re.compile(
    r"passw|passphrase|token|secret|credential|api[_-]?key|private[_-]?key|(^|[_-])(t?otp|pwd|pin)$", re.I
)


class EnvironmentFileError(Exception):
    """A file under environments/ is wrong; `findings` has one line for each error."""

    def __init__(self, name: str, findings: Iterable[str]) -> None:
        self.findings = tuple(dict.fromkeys(findings))
        count = len(self.findings)
        head = f"Environment {name!r} has {count} error{'s' if count > 1 else ''}:"
        super().__init__("\n  ".join([head, *self.findings]))


class UnknownEnvironment(Exception):
    """No file describes an environment of that name."""


def known(folder: Path | None = None) -> tuple[str, ...]:
    """Names of all environments that have a file, production first."""
    names = {path.stem for path in (folder or FOLDER).glob("*.yaml")} - {"base"}
    return (*(name for name in PRODUCTION if name in names), *sorted(names.difference(PRODUCTION)))


def load(name: str, folder: Path | None = None) -> Environment:
    """The environment `name`: base.yaml with its own file merged over it, checked as a whole."""
    folder = folder or FOLDER
    names = known(folder)
    if name not in names:
        listed = f"Known: {', '.join(names)}" if names else f"There is no NAME.yaml in {_shown(folder)}"
        raise UnknownEnvironment(f"No environment {name!r}{hint(name, names) or '.'} {listed}.")
    base, overlay = _documents(name, folder)
    data = merge(base.data, overlay.data)
    found = [(document, each) for document in (base, overlay) for each in _refused(document)]
    found += [(base, each) for each in _idle_removals({}, base.data)]
    found += [(overlay, each) for each in _idle_removals(base.data, overlay.data)]
    refused = {each.where for _, each in found}
    environment, wrong = _validated(name, data, overlay, base)
    merged = [each for each in (*wrong, *contradictions(name, data)) if each.where not in refused]
    found += [(_origin(each.where, overlay, base), each) for each in merged]
    if environment is None or found:
        raise EnvironmentFileError(name, _lines(found))
    return environment


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The overlay over the base: maps merge, everything else replaces, null removes the entry."""
    merged = dict(base)
    for key, value in overlay.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _documents(name: str, folder: Path) -> tuple[Document, Document]:
    """Both files; when both are no YAML, both are named."""
    documents, problems = [], []
    for path in (folder / "base.yaml", folder / f"{name}.yaml"):
        try:
            documents.append(read(_shown(path)))
        except YamlProblem as problem:
            problems.append(str(problem))
    if problems:
        raise EnvironmentFileError(name, problems)
    return documents[0], documents[1]


def _refused(document: Document) -> Iterator[Finding]:
    """What a file must not contain, whatever it is merged with."""
    for where, problem in document.problems:
        yield Finding(where, problem)
    for where, _ in walk(document.data):
        key, parent = str(where[-1]), where[0] if len(where) == 2 else None
        if SECRET.search(key) and parent not in NAMED and not isinstance(where[-1], int):
            yield Finding(
                where, f"{key!r} looks like a secret, and secrets never stand here: see postdeploy/secrets.py"
            )
        if len(where) == 3 and NAMED.get(str(where[0])) == key:
            yield Finding(where, f"not written: it is the key, '{where[1]}'")
    if "name" in document.data:
        yield Finding(("name",), "not written: it is the file's name")


def _idle_removals(base: Mapping[str, Any], overlay: Mapping[str, Any], where: Where = ()) -> Iterator[Finding]:
    """A null that removes nothing is a slip of the pen."""
    for key, value in overlay.items():
        below = base.get(key)
        if value is None and key not in base:
            yield Finding((*where, key), f"null removes an entry of base.yaml, which has none here{hint(key, base)}")
        elif isinstance(value, Mapping):
            yield from _idle_removals(below if isinstance(below, Mapping) else {}, value, (*where, key))


def _validated(
    name: str, data: Mapping[str, Any], overlay: Document, base: Document
) -> tuple[Environment | None, list[Finding]]:
    try:
        return Environment.model_validate({**data, "name": name}), []
    except ValidationError as error:
        from postdeploy.environment.schema import schema  # only an error needs it

        described, findings = schema(), []
        for each in error.errors(include_url=False):
            origin = _origin(each["loc"], overlay, base).origins.get(each["loc"])
            if _is_written(each, origin):
                findings.append(explain(each, described, origin.typed if origin else None))
        return None, findings


def _is_written(error: ErrorDetails, origin: Origin | None) -> bool:
    """Whether an error is about what the files say, not about what a part takes over from its key or its parent."""
    where = error["loc"]
    if error["type"] == "missing":
        return not (len(where) == 3 and where[0] in NAMED and where[-1] in Environment.model_fields)
    return origin is not None or "[key]" in where


def _origin(where: Where, overlay: Document, base: Document) -> Document:
    """The file a value comes from; for what is missing, the file its nearest parent is written in."""
    for end in range(len(where), 0, -1):
        for document in (overlay, base):
            if where[:end] in document.origins:
                return document
    return overlay


def _lines(found: Iterable[tuple[Document, Finding]]) -> list[str]:
    """One line per error, in the order of the files: file, line, key path, and what is wrong."""
    placed = sorted(
        ((str(document.path), _line(finding.where, document), finding) for document, finding in found),
        key=lambda each: each[:2],
    )
    return [f"{path}:{line}: {spelled(finding.where)}: {finding.text}" for path, line, finding in placed]


def _line(where: Where, document: Document) -> int:
    """The line a path is written in, or its nearest parent."""
    ends = (where[:end] for end in range(len(where), -1, -1))
    return next((document.origins[end].line for end in ends if end in document.origins), 1)


def _shown(path: Path) -> Path:
    """A path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
