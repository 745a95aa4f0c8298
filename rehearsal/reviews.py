"""Access reviews: what may this user do? kubectl asks in protobuf and understands an answer in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rehearsal.kinds import KINDS, Obj
from rehearsal.world import Settings

READS = ("get", "list", "watch")
MAGIC = b"k8s\0"


def answer(plural: str, body: bytes, settings: Settings) -> Obj:
    """The review with its status filled in: reads of what is served, and nothing else."""
    spec = _spec(plural, body)
    kind = "SelfSubjectRulesReview" if plural == "selfsubjectrulesreviews" else "SelfSubjectAccessReview"
    head = {"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec}
    if kind == "SelfSubjectRulesReview":
        return head | {"status": _rules(settings)}
    return head | {"status": {"allowed": allowed(spec.get("resourceAttributes") or {}, settings)}}


def allowed(asked: Obj, settings: Settings) -> bool:
    """Whether a request on a resource would be served."""
    resource, verb = asked.get("resource", ""), asked.get("verb", "")
    if asked.get("subresource"):
        resource = f"{resource}/{asked['subresource']}"
    known = {each.plural for each in KINDS} | {"pods/log"}
    return verb in READS and resource in known and not is_forbidden(resource, asked.get("namespace", ""), settings)


def is_forbidden(resource: str, namespace: str, settings: Settings) -> bool:
    """Whether the settings withhold a resource; what one namespace withholds, a list over all withholds too."""
    if settings.forbidden & {"*", resource}:
        return True
    places = {each.partition("@")[2] for each in settings.forbidden if each.startswith(f"{resource}@")}
    return bool(places) if not namespace else namespace in places


def _rules(settings: Settings) -> Obj:
    rules = [
        {"verbs": list(READS), "apiGroups": [kind.group], "resources": [kind.plural]}
        for kind in KINDS
        if not is_forbidden(kind.plural, "", settings)
    ]
    if not is_forbidden("pods/log", "", settings):
        rules.append({"verbs": ["get"], "apiGroups": [""], "resources": ["pods/log"]})
    return {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}


def _spec(plural: str, body: bytes) -> Obj:
    if not body.startswith(MAGIC):
        found = json.loads(body or b"{}").get("spec")
        return found if isinstance(found, dict) else {}
    unknown = dict(_fields(body[len(MAGIC) :]))
    spec = dict(_fields(dict(_fields(unknown.get(2, b""))).get(2, b"")))
    if plural == "selfsubjectrulesreviews":
        return {"namespace": spec.get(1, b"").decode()}
    names = {1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource", 7: "name"}
    asked = {names[number]: value.decode() for number, value in _fields(spec.get(1, b"")) if number in names}
    return {"resourceAttributes": asked}


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a protobuf message; others are passed over."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        size, at = _varint(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + size]
            at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at
