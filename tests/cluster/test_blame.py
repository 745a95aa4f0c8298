"""Layer blame: one headline, and it names the first layer that disagrees, in the order from Git to the endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from postdeploy.cluster.blame import ReleaseClaims
from postdeploy.cluster.objects import Gap
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State
from tests.cluster.build import (
    NOW,
    OLD,
    OTHER,
    RELEASE,
    REPO,
    Obj,
    component,
    condition,
    containers,
    deployment,
    merge,
    meta,
    pod,
    ran,
    replicaset,
    template,
    unready,
    waiting,
)
from tests.cluster.flux_build import (
    BEFORE,
    delivered,
    flux_environment,
    helm_release,
    image_policy,
    kustomization,
    source,
)
from tests.rehearsal.judged import Rehearsal

FLUX = {"source": source(), "kustomization": kustomization(), "helm_release": helm_release(), "policy": image_policy()}
TEMPLATE = template(f"{REPO}:{OLD}")
OLD_SET = replicaset("web-1", "1", spec={"template": TEMPLATE})
PODS = tuple(pod(f"web-2-{each}") for each in "abc")
WORKLOAD = {"deployment": deployment(), "replicaset": replicaset(), "pods": PODS}
FORBIDDEN = Gap("pods", "crm", "403 Forbidden: no")
SUSPENDED = {"spec": {"suspend": True}}


def old_pod(name: str, owner: str = "uid-web-2") -> Obj:
    spec = {"containers": containers(f"{REPO}:{OLD}"), "nodeName": "node-1"}
    return pod(name, ("ReplicaSet", owner), spec=spec)


def live(environment: Environment | None = None, gaps: tuple[Gap, ...] = (), **broken: Any) -> Judgement:
    """The judgement over a healthy whole of which some parts are replaced."""
    flux = {key: broken.get(key, each) for key, each in FLUX.items()}
    parts = {key: broken.get(key, each) for key, each in WORKLOAD.items()} | {"more": broken.get("more", ())}
    around = [each for part in parts.values() for each in (part if isinstance(part, tuple) else (part,))]
    seen = delivered(*flux.values(), around=tuple(around), gaps=gaps)
    return ReleaseClaims(seen, environment or flux_environment(), RELEASE).live()


def test_a_release_that_is_live_everywhere_passes():
    found = live()
    assert (found.state, found.claim) == (State.PASSED, f"{RELEASE} alone is live in uk-prod")
    assert found.seen == "9 layers agree, from Git to the endpoints"


BLAMED = [
    ("source", {"source": source(BEFORE)}, f"GitRepository crm-release (at {OLD})", State.PENDING),
    ("kustomization", {"kustomization": kustomization(BEFORE, **SUSPENDED)}, f"(suspended, at {OLD})", State.FAILED),
    (
        "helm release",
        {
            "helm_release": helm_release(
                OLD, status={"conditions": [condition("Remediated", reason="RollbackSucceeded")]}
            )
        },
        f"HelmRelease crm (rolled back, at {OLD})",
        State.FAILED,
    ),
    (
        "template",
        {"deployment": deployment(spec={"template": TEMPLATE})},
        f"template crm/web (asks for {OLD})",
        State.FAILED,
    ),
    (
        "replicaset",
        {"replicaset": replicaset(spec={"template": TEMPLATE})},
        f"ReplicaSet crm/web (asks for {OLD})",
        State.FAILED,
    ),
    ("no replicaset", {"replicaset": ()}, "ReplicaSet crm/web (has no ReplicaSet of its revision yet)", State.PENDING),
    ("old replicaset", {"more": (OLD_SET,)}, f"(ReplicaSet web-1 of {OLD} still wants 3 pods)", State.PENDING),
    ("pod", {"pods": (*PODS[:2], old_pod("web-2-c"))}, "pod crm/web (1 of its pods run another", State.PENDING),
    ("too few pods", {"pods": PODS[:2]}, "pod crm/web (2 of 3 pods of the current revision exist", State.PENDING),
    (
        "digest",
        {"pods": (*PODS[:2], pod("web-2-c", status={"containerStatuses": [ran(imageID=f"{REPO}@{OTHER}")]}))},
        f"digest {REPO} ({REPO}:{RELEASE} runs as 2 different digests",
        State.FAILED,
    ),
]


@pytest.mark.parametrize(("broken", "blamed", "state"), [each[1:] for each in BLAMED], ids=[e[0] for e in BLAMED])
def test_the_layer_that_disagrees_is_named(broken, blamed, state):
    found = live(**broken)
    assert found.state is state
    assert found.seen.startswith(f"{RELEASE} is not live: first layer that disagrees is ")
    assert blamed in found.seen


@pytest.mark.parametrize("first", range(len(BLAMED) - 1))
def test_of_two_layers_the_first_is_blamed(first):
    upper, lower = BLAMED[first], BLAMED[-1]
    same_key = set(upper[1]) & set(lower[1])
    found = live(**(upper[1] if same_key else lower[1] | upper[1]))
    assert upper[2] in found.seen


def test_an_endpoint_on_old_pods_is_the_last_layer():
    found = Rehearsal("service-on-old-pods").judged()["infra.release.live"]["uk-prod"]
    assert found.where.splitlines()[-1].startswith("endpoints: disagrees: crm/")


EMAILS = deployment("emails-old")
EMAILS_SET = replicaset("emails-old-1", "1", owner="uid-emails-old", spec={"template": TEMPLATE})
NIGHTLY = {
    "kind": "CronJob",
    "metadata": meta("nightly-old"),
    "spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}},
}


@pytest.mark.parametrize(
    ("more", "who"),
    [
        ((EMAILS, EMAILS_SET, old_pod("e", "uid-emails-old-1")), "Deployment crm/emails-old"),
        ((merge(EMAILS_SET, {"metadata": {"ownerReferences": []}}), old_pod("e", "uid-emails-old-1")), "ReplicaSet"),
        ((pod("tool", None, spec={"containers": containers(f"{REPO}:{OLD}")}),), "Pod crm/tool"),
        ((NIGHTLY,), "CronJob crm/nightly-old"),
    ],
    ids=["Deployment", "ReplicaSet", "Pod", "CronJob"],
)
def test_old_code_in_what_no_component_declares_is_a_release_that_is_not_alone(more, who):
    found = live(more=more)
    assert found.state is State.FAILED
    assert f"pod {who}" in found.seen
    assert found.seen.endswith(f"(runs {OLD}, and no component declares it)")


@pytest.mark.parametrize(
    "more",
    [
        (pod("same", None),),
        (pod("tool", None, spec={"containers": containers("registry.example/tools/shell:1")}),),
        (pod("done", None, spec={"containers": containers(f"{REPO}:{OLD}")}, status={"phase": "Succeeded"}),),
        (merge(old_pod("going"), {"metadata": {"ownerReferences": [], "deletionTimestamp": NOW}}),),
        (pod("run", ("Job", "uid-run"), spec={"containers": containers(f"{REPO}:{OLD}")}),),
        (merge(NIGHTLY, {"spec": {"suspend": True}}),),
    ],
    ids=["of the release", "of another image", "over", "going", "of a Job", "suspended"],
)
def test_what_else_runs_beside_the_release_is_no_matter_of_it(more):
    assert live(more=more).state is State.PASSED


def test_a_tag_that_a_component_pins_may_run_elsewhere_too():
    environment = flux_environment(component(), component("Job", "once", tag=OLD))
    tool = pod("tool", None, spec={"containers": containers(f"{REPO}:{OLD}")})
    assert "tool" not in live(environment, more=(tool,)).why


def test_the_headline_counts_what_still_runs_another_release():
    old = deployment(spec={"template": TEMPLATE})
    found = live(kustomization=kustomization(BEFORE, **SUSPENDED), deployment=old)
    assert found.seen.endswith(f"Kustomization crm (suspended, at {OLD}); 1 component still on {OLD}")


def test_the_headline_is_the_first_line_and_every_layer_has_one_below():
    found = live(kustomization=kustomization(BEFORE, **SUSPENDED))
    assert found.why.splitlines()[0] == f"{found.claim}: failed: {found.seen}"
    named = [line.partition(":")[0] for line in found.where.splitlines()]
    assert named[:5] == ["Git", "GitRepository", "Kustomization", "HelmRelease", "template"]
    assert named[5:] == ["ReplicaSet", "pod", "digest", "endpoints"]
    assert found.cause


def test_an_old_replicaset_that_lives_on_is_explained_by_the_new_pods():
    crash = unready(waiting("CrashLoopBackOff", "back-off"), name="web-2-a")
    old = tuple(old_pod(f"web-1-{each}", "uid-web-1") for each in "abc")
    found = live(more=(OLD_SET, *old), pods=(crash,))
    assert "still wants 3 pods) while 1 of 3 pods are not ready" in found.seen
    assert "CrashLoopBackOff" in found.seen


def test_a_suspended_kustomization_at_the_release_does_not_make_it_less_live():
    assert live(kustomization=kustomization(**SUSPENDED)).state is State.PASSED


def test_an_old_tag_in_an_old_replicaset_without_pods_is_history():
    past = replicaset("web-1", "1", replicas=0, spec={"template": TEMPLATE})
    assert live(more=(past,)).state is State.PASSED


def test_pinned_components_are_no_part_of_the_release():
    both = (component(), component("StatefulSet", "db", tag="16.6", image="registry.example/postgres"))
    assert live(flux_environment(*both)).state is State.PASSED


def test_a_policy_that_lags_is_blamed_only_for_what_is_behind():
    behind = image_policy(OLD)
    assert live(policy=behind).state is State.PASSED
    found = live(policy=behind, source=source(BEFORE))
    assert f"first layer that disagrees is ImagePolicy crm (at {OLD})" in found.seen


def test_what_could_not_be_seen_is_said_and_makes_it_unverified():
    found = live(gaps=(FORBIDDEN,))
    assert found.state is State.UNVERIFIED
    assert "not seen: pod crm/web (pods in namespace crm could not be read: 403" in found.seen


def test_what_disagrees_counts_although_something_else_could_not_be_seen():
    found = live(gaps=(FORBIDDEN,), kustomization=kustomization(BEFORE, **SUSPENDED))
    assert found.state is State.FAILED
    assert "pod: not seen" in found.where


def test_an_observation_made_before_flux_was_looked_at_is_unverified():
    around = (deployment(), replicaset(), *PODS)
    old = replace(delivered(around=around), flux=None)
    found = ReleaseClaims(old, flux_environment(), RELEASE).live()
    assert found.state is State.UNVERIFIED
    assert "Flux was not looked at" in found.seen


@pytest.mark.parametrize(
    ("fault", "layer"),
    [
        ("old-tag", "GitRepository crm-release (at "),
        ("kustomization-suspended", "Kustomization crm (suspended, at "),
        (
            "kustomization-attempted-ahead",
            "Kustomization crm (not ready: HealthCheckFailed, at v2026.47.1, attempting ",
        ),
        ("helmrelease-rolled-back", "HelmRelease crm (rolled back, at "),
        ("imagepolicy-behind", "ImagePolicy crm (at "),
        ("crm-script-skew", "template crm/crm-script-worker (asks for "),
        ("surge-left", "ReplicaSet crm/"),
        ("pod-patched-by-hand", "pod crm/"),
        ("two-digests-one-tag", "digest europe-docker.pkg.dev/northgate-prod/crm/crm"),
        ("endpoints-left-behind", "endpoints crm/"),
    ],
)
def test_a_fault_of_the_rehearsal_is_blamed_on_its_layer(fault, layer):
    found = Rehearsal(fault).judged()["infra.release.live"]["uk-prod"]
    assert f"first layer that disagrees is {layer}" in found.seen
