"""Whether documents keep their contract: strict models of ours, and the API's own description of this release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from postdeploy.environment import Expected
from postdeploy.verdict import Judgement, State
from postdeploy.web import contracts
from postdeploy.web.answer_rules import IN_WINDOW, NO_ENDPOINT
from postdeploy.web.findings import Finding, absent, concluded, excerpt, failed, not_to_judge, soft, status, unanswered
from postdeploy.web.replies import Reply
from postdeploy.web.seen import Seen, document

RENAMED_CAUSE = "a field was renamed, dropped or retyped in this release, and its clients were not asked"
NEW_CAUSE = "the release adds it: bring the model in postdeploy/web/contracts.py in step"
OTHER_RELEASE_CAUSE = "the description is built or cached apart from the application it describes"
HERE, ASIDE = "urn:description", "x-shape"
"""Where the description lies for its own references, and under which key the shape in question is put."""
SUFFICIENT = 3
"""Misfits of one reply that are told."""


def schema(seen: Seen, host: str) -> Judgement:
    """Each document with a contract fits its strict model; a field that the model does not know is told."""
    pairs = [(e, r) for e, r in seen.pairs(host) if e.template.contract]
    claim = f"the documents of {host} keep their contract"
    if not pairs:
        return absent(claim, NO_ENDPOINT)
    if all(seen.maintains(reply) for _, reply in pairs):
        return absent(claim, IN_WINDOW)
    found = (each for expected, reply in pairs for each in _schema(seen, expected, reply))
    return concluded(claim, found, ", ".join(f"{e.path} is {e.template.contract}" for e, _ in pairs))


def _schema(seen: Seen, expected: Expected, reply: Reply | None) -> Iterator[Finding]:
    missing = not_to_judge(reply, seen, expected.url)
    if missing or reply is None:
        yield missing or Finding(State.UNVERIFIED, expected.url)
        return
    if reply.status != expected.template.status:
        yield Finding(State.UNVERIFIED, f"no document to judge: {expected.path} answers {reply.status}")
        return
    body = document(reply)
    if body is None:
        yield failed(reply, f"{reply.path}: no JSON object: {excerpt(reply)}", RENAMED_CAUSE)
        return
    wrong, unknown = contracts.misfits(expected.template.contract or "", body)
    if wrong:
        yield failed(reply, f"{reply.path}: {'; '.join(wrong[:SUFFICIENT])}", RENAMED_CAUSE)
    if unknown:
        said = f"{reply.path} has fields that its model does not know: {', '.join(unknown[:SUFFICIENT])}"
        yield soft(reply, said, NEW_CAUSE)


def openapi(seen: Seen, name: str) -> Judgement:
    """The API's description is of this release, and what the API answers fits it."""
    host = seen.environment.api.host
    claim = f"{host} answers as its own description of {seen.release} says"
    if seen.environment.web.openapi is None:
        return absent(claim, "web.openapi declares none")
    reply = next(iter(seen.asked(host, "openapi")), None)
    missing = unanswered(reply, seen, "the description")
    if missing or reply is None:
        return concluded(claim, [missing] if missing else [])
    described = document(reply)
    if reply.status != 200 or described is None or not isinstance(described.get("paths"), dict):
        return concluded(
            claim, [failed(reply, f"{status(reply)}, and no description: {excerpt(reply)}", RENAMED_CAUSE)]
        )
    told = str((described.get("info") or {}).get("version", "none"))
    if told != seen.release:
        said = f"the description is of version {told}"
        return concluded(claim, [failed(reply, said, OTHER_RELEASE_CAUSE)])
    pairs = [(e, r) for e, r in seen.pairs(host) if r and r.fault is None and r.media == "application/json"]
    found = [each for expected, answer in pairs for each in _described(described, expected, answer)]
    if not pairs:
        return Judgement(State.UNVERIFIED, claim, "no answer of the API to hold against it")
    return concluded(claim, found, f"{len(pairs)} answers held against it")


def _described(described: dict[str, Any], expected: Expected, reply: Reply) -> Iterator[Finding]:
    operation = operation_for(described, reply.path)
    if operation is None:
        yield soft(reply, f"{reply.path} is not described", NEW_CAUSE)
        return
    responses = operation.get("responses") or {}
    answer = responses.get(str(reply.status)) or responses.get(f"{str(reply.status)[0]}XX") or responses.get("default")
    if answer is None:
        said = f"{reply.path}: {reply.status} is not among the described answers ({', '.join(map(str, responses))})"
        yield failed(reply, said, RENAMED_CAUSE)
        return
    shape = (((resolve(described, answer).get("content") or {}).get("application/json")) or {}).get("schema")
    wrong = misfits(described, shape, msgspec.json.decode(reply.body) if document(reply) is not None else None)
    if shape is not None and wrong:
        yield failed(reply, f"{reply.path}: {'; '.join(wrong[:SUFFICIENT])}", RENAMED_CAUSE)


def operation_for(described: dict[str, Any], path: str) -> dict[str, Any] | None:
    """The GET operation for a path, a literal one before a template."""
    plain = path.partition("?")[0]
    paths = described["paths"]
    literal = paths.get(plain)
    templates = (item for template, item in paths.items() if "{" in template and _fits(template, plain))
    item = literal or next(templates, None)
    found = item.get("get") if isinstance(item, dict) else None
    return found if isinstance(found, dict) else None


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template)), path) is not None


def resolve(described: dict[str, Any], part: Any) -> dict[str, Any]:
    """A part of the description behind its reference."""
    while isinstance(part, dict) and isinstance(part.get("$ref"), str):
        found: Any = described
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        part = found
    return part if isinstance(part, dict) else {}


def misfits(described: dict[str, Any], shape: Any, body: Any) -> list[str]:
    """Where a body differs from its described shape; a description that cannot be followed is a misfit too."""
    if shape is None:
        return []
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, UnknownType
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    whole = {**described, ASIDE: shape}
    plain = whole if str(described.get("openapi", "")).startswith("3.1") else nullable(whole)
    registry: Any = Registry().with_resource(HERE, DRAFT202012.create_resource(plain))
    validator = Draft202012Validator({"$ref": f"{HERE}#/{ASIDE}"}, registry=registry)
    try:
        return [f"{each.json_path.removeprefix('$.')}: {each.message}"[:300] for each in validator.iter_errors(body)]
    except (Unresolvable, SchemaError, UnknownType) as error:
        return [f"the description cannot be followed: {error}"[:300]]


def nullable(part: Any) -> Any:
    """A description of OpenAPI 3.0 in the words of JSON Schema: what is `nullable` may be null."""
    if isinstance(part, list):
        return [nullable(each) for each in part]
    if not isinstance(part, dict):
        return part
    plain = {key: nullable(value) for key, value in part.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if part.get("nullable") is True else plain
