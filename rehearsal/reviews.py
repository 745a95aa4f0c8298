"""Access reviews: what may this user do? kubectl asks in protobuf and understands an answer in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from rehearsal import answers
from rehearsal.kinds import Obj
from rehearsal.rbac import ANYBODY, Rule
from rehearsal.world import Settings

MAGIC = b"k8s\0"


def answer(plural: str, body: bytes, settings: Settings) -> Obj:
    """The review with its status filled in, by the rules that the settings enforce."""
    if plural in settings.forbidden:
        raise answers.forbidden(plural, "create", "authorization.k8s.io", "")
    spec = _spec(plural, body)
    kind = "SelfSubjectRulesReview" if plural == "selfsubjectrulesreviews" else "SelfSubjectAccessReview"
    head = {"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec}
    if kind == "SelfSubjectRulesReview":
        return head | {"status": _rules(spec.get("namespace", ""), settings)}
    return head | {"status": {"allowed": _allowed(spec.get("resourceAttributes") or {}, settings)}}


def _allowed(asked: Obj, settings: Settings) -> bool:
    resource = asked.get("resource", "")
    if asked.get("subresource"):
        resource = f"{resource}/{asked['subresource']}"
    right = (asked.get("verb", ""), asked.get("group", ""), resource)
    return may(*right, asked.get("namespace", ""), asked.get("name", ""), settings)


def may(verb: str, group: str, resource: str, namespace: str, name: str, settings: Settings) -> bool:
    """Whether a request would be served: some rule grants it, and nothing withholds it."""
    if is_forbidden(resource, namespace, settings):
        return False
    return any(each.allows(verb, group, resource, namespace, name) for each in settings.in_force)


def is_forbidden(resource: str, namespace: str, settings: Settings) -> bool:
    """Whether the settings withhold a resource; what one namespace withholds, a list over all withholds too."""
    if settings.forbidden & {"*", resource}:
        return True
    places = {each.partition("@")[2] for each in settings.forbidden if each.startswith(f"{resource}@")}
    return bool(places) if not namespace else namespace in places


def _rules(namespace: str, settings: Settings) -> Obj:
    """What holds in a namespace; an authorizer that cannot enumerate lists what everybody may, and says so."""
    if settings.rules_incomplete:
        said = "webhook authorizer does not support user rule resolution"
        listed = {"resourceRules": [each.row for each in ANYBODY], "nonResourceRules": []}
        return listed | {"incomplete": True, "evaluationError": said}
    here = [_left(each, namespace, settings) for each in settings.in_force if each.namespace in ("", namespace)]
    rules = [each.row for each in here if each.resources]
    return {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}


def _left(rule: Rule, namespace: str, settings: Settings) -> Rule:
    """A rule without the resources that the settings withhold."""
    return replace(rule, resources=tuple(e for e in rule.resources if not is_forbidden(e, namespace, settings)))


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
