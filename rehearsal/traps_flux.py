"""What Flux and its kin say that sounds wrong, and is not."""

from __future__ import annotations

import copy

from rehearsal.delivery import revision_of
from rehearsal.entry import trap
from rehearsal.faults_flux import applied_only, say
from rehearsal.recount import owned
from rehearsal.scene import Scene
from rehearsal.workloads import replica_pods

KUSTOMIZATION = "infra.flux.kustomization"
HELM = "infra.flux.helmrelease"
PROGRESSIVE = "infra.progressive.rollout"
SOON_S = 1.5
HOLD_S = 2.0


@trap(KUSTOMIZATION)
def ready_without_wait(scene: Scene) -> None:
    """A Kustomization neither waits nor has health checks: Ready means applied only, and there is no Healthy."""
    applied_only(scene, "crm-infrastructure")


@trap(KUSTOMIZATION)
def kustomization_catches_up(scene: Scene) -> None:
    """At the first look a Kustomization still waits for the health of what it has applied, and then is done."""
    each = scene.world.get("Kustomization", "crm", scene.world.environment.flux.namespace)
    applied, before = each["status"]["lastAppliedRevision"], revision_of(scene.world, scene.previous)
    each["status"]["lastAppliedRevision"] = before
    said = "Running health checks for revision with a timeout of 4m30s"
    say(scene, each, "Reconciling", "True", "Progressing", said)
    say(scene, each, "Ready", "Unknown", "Progressing", "Reconciliation in progress")

    def done() -> None:
        each["status"]["lastAppliedRevision"] = applied
        each["status"]["conditions"] = [e for e in each["status"]["conditions"] if e["type"] != "Reconciling"]
        say(scene, each, "Ready", "True", "ReconciliationSucceeded", f"Applied revision: {applied}")

    scene.world.later(SOON_S, done)


@trap(KUSTOMIZATION, hold_s=HOLD_S)
def reconciles_when_the_hold_ends(scene: Scene) -> None:
    """The interval of a Kustomization comes round in the hold: it says Ready=Unknown until it has applied the same."""
    each = scene.world.get("Kustomization", "crm", scene.world.environment.flux.namespace)
    ready = copy.deepcopy(each["status"]["conditions"])

    def done() -> None:
        each["status"]["conditions"] = ready
        scene.world.put(each)

    def begin() -> None:
        say(scene, each, "Reconciling", "True", "Progressing", "Building manifests")
        say(scene, each, "Ready", "Unknown", "Progressing", "Reconciliation in progress")
        scene.world.later(HOLD_S + SOON_S, done)

    scene.world.in_hold(begin)


@trap("infra.flux.source")
def full_reference_revision(scene: Scene) -> None:
    """The source follows `ref.name`: revisions carry the full name of the reference, refs/tags/… or refs/heads/…."""
    flux = scene.world.environment.flux
    kind = "tags" if "{tag}" in flux.revision else "heads"
    source = scene.world.get(flux.source_kind, flux.source, flux.namespace)
    full = f"refs/{kind}/{source['status']['artifact']['revision']}"
    source["status"]["artifact"]["revision"] = full
    scene.world.put(source)
    for each in scene.world.all("Kustomization"):
        each["status"] |= {"lastAppliedRevision": full, "lastAttemptedRevision": full}
        scene.world.put(each)


@trap(HELM)
def chart_with_versions_of_its_own(scene: Scene) -> None:
    """A chart is versioned on its own, with the source's revision after a plus: only its appVersion is the release."""
    each = scene.world.get("HelmRelease", "crm", scene.world.environment.flux.namespace)
    each["status"]["history"][0]["chartVersion"] = "0.9.3+4"
    each["status"]["lastAttemptedRevision"] = "0.9.3+4f2a7c1d"
    scene.world.put(each)


@trap(HELM)
def helm_test_failed_and_ignored(scene: Scene) -> None:
    """A Helm test failed where failures are declared to be ignored: Ready is True all the same."""
    each = scene.world.get("HelmRelease", "crm-script", scene.world.environment.flux.namespace)
    each["spec"]["test"] = {"enable": True, "ignoreFailures": True}
    say(scene, each, "TestSuccess", "False", "TestFailed", "1 test hook completed with failure")


@trap("infra.flux.imagepolicy")
def image_policy_of_an_older_flux(scene: Scene) -> None:
    """An older Flux writes the chosen image as one text, latestImage, and no latestRef."""
    for each in scene.world.all("ImagePolicy"):
        chosen = each["status"].pop("latestRef")
        each["status"]["latestImage"] = f"{chosen['name']}:{chosen['tag']}"
        scene.world.put(each)


@trap(PROGRESSIVE, only_in="stage")
def blue_green_old_stack_up(scene: Scene) -> None:
    """The old stack of a blue-green Rollout stays up for its scaleDownDelay: twice the pods, no traffic to the old."""
    component = next(e for e in scene.world.environment.components.values() if e.progressive == "rollout")
    seen = scene.world.get("Rollout", component.name)
    past = sorted(owned(scene.world, "ReplicaSet", seen), key=lambda each: str(each["metadata"]["creationTimestamp"]))
    old = past[-2]
    old["spec"]["replicas"] = component.replicas
    counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), component.replicas)
    old["status"] |= counts
    scene.world.put(old)
    replica_pods(scene.world, component, old, component.replicas, scene.world.previous_at)
    seen["status"]["replicas"] = 2 * component.replicas
    scene.world.put(seen)


@trap(PROGRESSIVE, only_in="stage")
def canary_initialised(scene: Scene) -> None:
    """A Canary that was only just set up: phase Initialized, its target at zero, its primary with the traffic."""
    for each in scene.world.all("Canary"):
        each["status"]["phase"] = "Initialized"
        each["status"].pop("lastPromotedSpec")
        scene.world.put(each)
