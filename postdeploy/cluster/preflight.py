"""Preflight: what our identity lacks for looking and what it could change, asked before the first LIST.

The answers come from self-subject reviews, which any authenticated user may make and which create nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from postdeploy.cluster import delivery
from postdeploy.cluster.client import Call, together
from postdeploy.cluster.harm import READS, harmful, unwanted
from postdeploy.cluster.objects import Gap
from postdeploy.cluster.objects_access import ACCESS_REVIEW, RULES_REVIEW, Access, Right, Rule
from postdeploy.cluster.objects_base import Record
from postdeploy.cluster.snapshot import CLASSES, EVERY, wanted_lists
from postdeploy.environment import Environment

T = TypeVar("T")


class Asker(Protocol):
    """The part of a Reader that is needed here."""

    async def review(self, path: str, spec: Mapping[str, Any], kind: type[T]) -> tuple[T | None, Gap | None]:
        """The answer of one self-subject review, or why there is none."""


class RulesStatus(Record, frozen=True):
    """status of a SelfSubjectRulesReview."""

    resource_rules: tuple[Rule, ...] = ()
    incomplete: bool = False
    """Set by authorizers that decide without a list of rules (webhooks, IAM): what is listed holds all the same."""

    def allows(self, right: Right) -> bool:
        """Whether any rule grants it."""
        return any(each.allows(right) for each in self.resource_rules)


class RulesReview(Record, frozen=True):
    """The answer of a SelfSubjectRulesReview."""

    status: RulesStatus


class AccessStatus(Record, frozen=True):
    """status of a SelfSubjectAccessReview."""

    allowed: bool


class AccessReview(Record, frozen=True):
    """The answer of a SelfSubjectAccessReview."""

    status: AccessStatus


def needed(environment: Environment) -> tuple[Right, ...]:
    """Every right that a run over this environment uses."""
    rights = [replace(each, verb=verb) for each in _looked_at(environment) for verb in READS]
    rights += [Right("get", "pods/log", "", namespace) for namespace in environment.namespaces]
    if environment.cluster.kube_system_uid:
        rights.append(Right("get", "namespaces", "", "kube-system", "kube-system"))
    return tuple(dict.fromkeys(rights))


def _looked_at(environment: Environment) -> Iterator[Right]:
    """The right to list each kind that is listed."""
    yield from (_listed(EVERY[name][0].format(namespace)) for name, namespace in wanted_lists(environment))
    yield _listed(CLASSES)  # only where a volume claim is pending
    flux = environment.flux.namespace
    for kind in delivery.flux_kinds(environment):
        group, plural, _ = delivery.GROUPS[kind]
        yield Right("list", plural, group, flux)
    if environment.flux.controllers:
        yield Right("list", "deployments", "apps", flux)
    for component in environment.components.values():
        if component.progressive:
            yield _listed(delivery.PROGRESSIVE[component.progressive][1].format(component.namespace))


def _listed(path: str) -> Right:
    """The right to list what a path names."""
    parts = path.partition("?")[0].strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    return Right("list", rest[-1], group, rest[1] if rest[0] == "namespaces" else "")


async def look(asker: Asker, environment: Environment) -> Access:
    """Ask for the rules of each namespace, and where they are incomplete for each right on its own."""
    wanted, unfit = needed(environment), unwanted(environment)
    every = (*wanted, *unfit)
    namespaces = sorted({each.namespace for each in every if each.namespace})
    asked: list[tuple[RulesReview | None, Gap | None]] = await together(*(_rules(asker, each) for each in namespaces))
    if reason := _reason(gap for _, gap in asked):
        return Access(refused=reason)
    known = {name: answer.status for name, (answer, _) in zip(namespaces, asked, strict=True) if answer}
    held = {each for each in every if each.namespace and known[each.namespace].allows(each)}
    # What is not in a namespace is in none of these lists for certain: a rule bound in one grants nothing beyond it.
    open_ = [each for each in every if not each.namespace or (each not in held and known[each.namespace].incomplete)]
    single: list[tuple[AccessReview | None, Gap | None]] = await together(*(_may(asker, each) for each in open_))
    if reason := _reason(gap for _, gap in single):
        return Access(refused=reason)
    allowed = {right for right, (answer, _) in zip(open_, single, strict=True) if answer and answer.status.allowed}
    shown = [right for name, status in known.items() for right in harmful(status.resource_rules, name)]
    return Access(
        missing=tuple(each for each in wanted if each not in held | allowed),
        could_write=tuple(dict.fromkeys([*shown, *(each for each in unfit if each in allowed)])),
        incomplete=any(each.incomplete for each in known.values()),
    )


def _rules(asker: Asker, namespace: str) -> Call[tuple[RulesReview | None, Gap | None]]:
    return partial(asker.review, RULES_REVIEW, {"namespace": namespace}, RulesReview)


def _may(asker: Asker, right: Right) -> Call[tuple[AccessReview | None, Gap | None]]:
    resource, _, subresource = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
    attributes |= {"namespace": right.namespace, "name": right.name}
    given = {key: value for key, value in attributes.items() if value}
    return partial(asker.review, ACCESS_REVIEW, {"resourceAttributes": given}, AccessReview)


def _reason(gaps: Iterable[Gap | None]) -> str:
    """Why a review was not answered, if one was not."""
    found = next((each for each in gaps if each), None)
    return f"{found.resource}: {found.reason}" if found else ""


def in_words(rights: Iterable[Right]) -> str:
    """'list, watch cronjobs.batch in crm, crm-data; get pods/log in crm': what belongs together is said together."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for each in rights:
        verbs.setdefault((each.whole, each.namespace), []).append(each.verb)
    places: dict[tuple[str, str], list[str]] = {}
    for (whole, namespace), several in verbs.items():
        places.setdefault((", ".join(dict.fromkeys(several)), whole), []).append(namespace)
    merged = [(what, whole, ", ".join(filter(None, names))) for (what, whole), names in places.items()]
    alike = itertools.groupby(sorted(merged, key=lambda each: (each[2], each[0])), key=lambda each: (each[2], each[0]))
    said = []
    for (where, what), rows in alike:
        resources = ", ".join(whole for _, whole, _ in rows)
        said.append(f"{what} {resources}" + (f" in {where}" if where else ""))
    return "; ".join(said)
