"""What the identity may do is asked once, understood as RBAC means it, and judged in one message."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from postdeploy.cluster import preflight
from postdeploy.cluster.access_claims import AccessClaims
from postdeploy.cluster.client import CONCURRENT, Reader, connect
from postdeploy.cluster.harm import CLOSED, READS, harmful, unwanted
from postdeploy.cluster.objects import Access, Gap, Snapshot
from postdeploy.cluster.objects_access import ACCESS_REVIEW, RULES_REVIEW, Right
from postdeploy.cluster.preflight import AccessReview, Rule, RulesReview, in_words, needed
from postdeploy.environment import load
from postdeploy.verdict import State
from tests.cluster.build import component, environment, snapshot
from tests.cluster.canned import Canned, Reply, refusal, serving

pytestmark = pytest.mark.anyio
HERE = environment(component(), flux={"namespace": "crm", "source": "crm", "revision": "{tag}@sha1:{commit}"})
NOT_IN_A_NAMESPACE = 3
"""get, list, watch of the storage classes: asked one by one in any case."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Authorizer:
    """Answers reviews from rules and from rights that no list of rules shows; counts what it is asked."""

    def __init__(self, *rules: Rule, may: Any = lambda right: True, incomplete: bool = False, gap: str = "") -> None:
        self.rules, self.may, self.incomplete, self.gap = rules, may, incomplete, gap
        self.asked: list[dict[str, Any]] = []

    async def review(self, path: str, spec: dict[str, Any], kind: Any) -> tuple[Any, Gap | None]:
        self.asked.append({"path": path, **spec})
        if self.gap and path.endswith(self.gap):
            return None, Gap(self.gap, "", "403 Forbidden")
        if kind is RulesReview:
            return RulesReview(preflight.RulesStatus(self.rules, self.incomplete)), None
        about = spec["resourceAttributes"]
        return AccessReview(preflight.AccessStatus(self.may(about))), None

    @property
    def single(self) -> list[dict[str, Any]]:
        return [each["resourceAttributes"] for each in self.asked if each["path"] == ACCESS_REVIEW]


READER = Rule(("get", "list", "watch"), ("*",), ("*",))
DEPLOYER = Rule(("patch",), ("apps",), ("deployments",))


def verbs(rights: tuple[Right, ...], resource: str) -> set[str]:
    return {each.verb for each in rights if each.resource == resource}


# --- what is asked for -----------------------------------------------------------------------------------------------


def test_every_list_of_a_run_is_among_the_rights_it_needs() -> None:
    rights = needed(load("uk-prod"))
    assert verbs(rights, "pods") == {"get", "list", "watch"}
    assert verbs(rights, "pods/log") == {"get"}
    assert {each.namespace for each in rights if each.resource == "pods"} == {"crm", "crm-data", "observability"}
    assert {each.namespace for each in rights if each.resource == "kustomizations"} == {"flux-system"}
    assert Right("get", "namespaces", "", "kube-system", "kube-system") in rights
    assert len(rights) == len(set(rights))


def test_no_write_and_no_secret_is_ever_needed() -> None:
    rights = needed(load("uk-prod"))
    assert {each.verb for each in rights} <= {"get", "list", "watch"}
    assert not {each.resource for each in rights} & {"secrets", "configmaps", "pods/exec"}


def test_the_namespace_that_identifies_the_cluster_is_needed_only_where_it_is_declared() -> None:
    assert not [each for each in needed(HERE) if each.resource == "namespaces"]


def test_kinds_that_are_not_declared_are_not_needed() -> None:
    resources = {each.resource for each in needed(HERE)}
    assert not resources & {"gateways", "httproutes", "rollouts", "canaries", "imagepolicies", "ocirepositories"}


# --- how it is asked -------------------------------------------------------------------------------------------------


async def test_complete_rules_are_believed() -> None:
    authorizer = Authorizer(READER)
    access = await preflight.look(authorizer, HERE)
    assert access.missing == ()
    could = {(each.verb, each.resource) for each in access.could_write}
    assert could == set(itertools.product(READS, CLOSED)) > {("get", "secrets"), ("list", "secrets")}
    assert len(authorizer.single) == NOT_IN_A_NAMESPACE


async def test_a_right_beyond_namespaces_is_never_read_from_the_rules_of_one() -> None:
    access = await preflight.look(Authorizer(READER, may=lambda about: False), HERE)
    assert {(each.resource, each.namespace) for each in access.missing} == {("storageclasses", "")}


async def test_incomplete_rules_are_completed_by_one_review_for_each_right_they_do_not_show() -> None:
    authorizer = Authorizer(DEPLOYER, may=lambda about: about["verb"] in preflight.READS, incomplete=True)
    access = await preflight.look(authorizer, HERE)
    assert access.incomplete
    assert access.missing == ()
    assert Right("patch", "deployments", "apps", "crm") in access.could_write
    every = {*needed(HERE), *unwanted(HERE)}
    assert len(authorizer.single) == len(every) - 1  # what a rule shows is granted, whatever else is not listed
    log = {"verb": "get", "resource": "pods", "subresource": "log", "namespace": "crm"}
    assert log in authorizer.single


async def test_incomplete_rules_alone_are_no_missing_right() -> None:
    assert (await preflight.look(Authorizer(incomplete=True), HERE)).missing == ()


async def test_complete_rules_that_lack_something_say_what() -> None:
    rule = Rule(("list", "watch"), ("*",), ("*",))
    access = await preflight.look(Authorizer(rule), HERE)
    assert {each.verb for each in access.missing} == {"get"}


@pytest.mark.parametrize(("which", "incomplete"), [("rulesreviews", False), ("accessreviews", True)])
async def test_a_review_that_is_refused_says_so_and_claims_nothing(which: str, incomplete: bool) -> None:
    gap = f"selfsubject{which}"
    access = await preflight.look(Authorizer(incomplete=incomplete, gap=gap), HERE)
    assert access == Access(refused=f"{gap}: 403 Forbidden")


# --- over a connection -----------------------------------------------------------------------------------------------


@pytest.fixture
async def canned(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Canned]:
    async with serving() as server:
        yield server


@pytest.fixture
async def reader(canned: Canned, tmp_path: Path) -> AsyncIterator[Reader]:
    async with await connect(canned.kubeconfig(tmp_path), None) as made:
        yield made


async def test_the_answers_are_read_as_an_api_server_writes_them(canned: Canned, reader: Reader) -> None:
    rule = {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}
    status = {"resourceRules": [rule], "nonResourceRules": [], "incomplete": True, "evaluationError": "webhook"}
    canned.answer(RULES_REVIEW, Reply({"kind": "SelfSubjectRulesReview", "status": status}, 201))
    canned.answer(ACCESS_REVIEW, Reply({"status": {"allowed": False, "denied": True, "reason": "no"}}, 201))
    access = await preflight.look(reader, HERE)
    assert (access.incomplete, {each.resource for each in access.missing}) == (True, {"storageclasses"})
    assert {method for method, _, _ in canned.requests} == {"POST"}
    assert len(canned.requests) > CONCURRENT


async def test_forbidden_reviews_are_told_apart_from_missing_rights(canned: Canned, reader: Reader) -> None:
    canned.answer(RULES_REVIEW, refusal(403, "not for you"))
    access = await preflight.look(reader, HERE)
    assert access.refused == "selfsubjectrulesreviews: 403 Forbidden: not for you"


# --- what a rule grants ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "right", "granted"),
    [
        (Rule(("*",), ("*",), ("*",)), Right("delete", "pods"), True),
        (Rule(("get",), ("",), ("pods",)), Right("get", "pods"), True),
        (Rule(("get",), ("",), ("pods",)), Right("list", "pods"), False),
        (Rule(("get",), ("",), ("pods",)), Right("get", "pods/log"), False),
        (Rule(("get",), ("",), ("*/log",)), Right("get", "pods/log"), True),
        (Rule(("get",), ("",), ("*",)), Right("get", "pods/log"), True),
        (Rule(("list",), ("",), ("deployments",)), Right("list", "deployments", "apps"), False),
        (Rule(("get",), ("",), ("namespaces",), ("a", "b")), Right("get", "namespaces", name="b"), True),
        (Rule(("get",), ("",), ("namespaces",), ("a", "b")), Right("get", "namespaces", name="c"), False),
        (Rule(("list",), ("",), ("pods",), ("one",)), Right("list", "pods"), False),
    ],
)
def test_rule_grants_as_rbac_does(rule: Rule, right: Right, granted: bool) -> None:
    assert rule.allows(right) is granted


# --- what is more than looking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "right"),
    [
        (Rule(("patch",), ("apps",), ("deployments",), ("web",)), Right("patch", "deployments", "apps", "crm", "web")),
        (Rule(("patch",), ("apps",), ("deployments/scale",)), Right("patch", "deployments/scale", "apps", "crm")),
        (Rule(("*",), ("*",), ("*/scale",)), Right("*", "*/scale", "*", "crm")),
        (Rule(("create",), ("",), ("pods/eviction",)), Right("create", "pods/eviction", "", "crm")),
        (Rule(("deletecollection",), ("",), ("pods",)), Right("deletecollection", "pods", "", "crm")),
        (Rule(("get",), ("",), ("pods/exec",)), Right("get", "pods/exec", "", "crm")),
        (Rule(("get",), ("*",), ("*/attach",)), Right("get", "pods/attach", "", "crm")),
        (Rule(("watch",), ("",), ("secrets",)), Right("watch", "secrets", "", "crm")),
        (Rule(("get",), ("",), ("secrets",), ("pg",)), Right("get", "secrets", "", "crm", "pg")),
        (Rule(("list",), ("",), ("*",)), Right("list", "secrets", "", "crm")),
        (Rule(("update",), ("batch",), ("cronjobs",)), Right("update", "cronjobs", "batch", "crm")),
        (Rule(("create",), ("",), ("serviceaccounts/token",)), Right("create", "serviceaccounts/token", "", "crm")),
        (Rule(("impersonate",), ("",), ("users",)), Right("impersonate", "users", "", "crm")),
        (Rule(("*",), ("authorization.k8s.io",), ("*",)), Right("*", "*", "authorization.k8s.io", "crm")),
    ],
)
def test_a_right_that_is_more_than_looking_is_found_however_it_is_granted(rule: Rule, right: Right) -> None:
    assert right in harmful([rule], "crm")


@pytest.mark.parametrize(
    "rule",
    [
        Rule(("get", "list", "watch"), ("apps", "batch"), ("*",)),
        Rule(("get",), ("",), ("pods/log",)),
        Rule(("get",), ("",), ("*/log", "deployments/scale")),
        Rule(("get",), ("",), ("namespaces",), ("kube-system",)),
        Rule(("get",), ("vault.example",), ("secrets",)),
        Rule(("create",), ("authorization.k8s.io",), ("selfsubjectaccessreviews", "selfsubjectrulesreviews")),
        Rule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
    ],
)
def test_looking_and_asking_about_oneself_are_harmless(rule: Rule) -> None:
    assert list(harmful([rule], "crm")) == []


async def test_the_namespace_of_flux_is_asked_about_too() -> None:
    elsewhere = environment(component())
    access = await preflight.look(Authorizer(DEPLOYER), elsewhere)
    assert {each.namespace for each in access.could_write} > {"crm", "flux-system"}
    assert {each.namespace for each in unwanted(elsewhere)} == {"crm", "flux-system"}


# --- what is claimed -------------------------------------------------------------------------------------------------


def claims(access: Access | None) -> AccessClaims:
    from msgspec.structs import replace

    seen: Snapshot = replace(snapshot(), access=access)
    return AccessClaims(seen, HERE, "v1")


def test_all_rights_and_no_more_holds() -> None:
    assert claims(Access()).read().state is State.PASSED
    assert claims(Access()).readonly().state is State.PASSED


def test_all_that_is_missing_is_in_one_message_and_says_nothing_of_the_product() -> None:
    missing = (
        *(Right(verb, "cronjobs", "batch", space) for space in ("crm", "data") for verb in ("list", "watch")),
        Right("get", "pods/log", "", "crm"),
    )
    read = claims(Access(missing=missing)).read()
    assert read.state is State.UNVERIFIED
    assert read.seen == "missing: get pods/log in crm; list, watch cronjobs.batch in crm, data"
    assert "docs/rbac.yaml" in read.where
    assert read.cause


def test_one_that_could_write_is_a_finding_and_no_failure() -> None:
    readonly = claims(Access(could_write=(Right("delete", "pods", "", "crm"),))).readonly()
    assert (readonly.state, readonly.seen) == (State.DEGRADED, "it could delete pods in crm")


def test_the_gravest_of_many_rights_are_named_and_the_others_counted() -> None:
    rights = [Right(verb, "configmaps", "", "crm") for verb in ("create", "patch")]
    rights += [Right("delete", "pods", "", "crm"), Right("create", "rolebindings", "rbac.authorization.k8s.io", "crm")]
    rights += [Right("get", "pods/exec", "", "crm"), Right("get", "secrets", "", "crm", "pg")]
    seen = claims(Access(could_write=tuple(rights))).readonly().seen
    assert seen == (
        "it could create rolebindings.rbac.authorization.k8s.io in crm; get secrets/pg, pods/exec in crm; "
        "and 3 other rights to more than look"
    )


@pytest.mark.parametrize("access", [None, Access(refused="selfsubjectrulesreviews: 403 Forbidden")])
def test_what_was_not_answered_is_unverified(access: Access | None) -> None:
    assert {claims(access).read().state, claims(access).readonly().state} == {State.UNVERIFIED}


def test_resources_of_the_same_verbs_and_places_share_a_phrase() -> None:
    rights = [Right("list", each, "", "crm") for each in ("pods", "services")]
    assert in_words([*rights, Right("list", "storageclasses", "storage.k8s.io")]) == (
        "list storageclasses.storage.k8s.io; list pods, services in crm"
    )
