"""Faults of the delivery: Flux stopped, failed or went back, and what runs is healthy, only not this release."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.builders import stamp
from rehearsal.delivery import GENERATION, commit_of, revision_of
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.recount import newest_replicaset, recount
from rehearsal.scene import Scene
from rehearsal.world import World
from rehearsal.wounds import crash_loops

SOURCE = "infra.flux.source"
KUSTOMIZATION = "infra.flux.kustomization"
HELM = "infra.flux.helmrelease"
CONTROLLERS = "infra.flux.controllers"
APPLIES = {"Kustomization": "kustomizations", "HelmRelease": "helm_releases", "ImagePolicy": "image_policies"}


@fault("infra.release.live")
def source_behind(scene: Scene) -> None:
    """The release was never pushed where Flux looks: all of Flux is green, on the release before."""
    nothing_arrived(scene)


@fault(SOURCE)
def source_fetch_failed(scene: Scene) -> None:
    """Flux cannot fetch the source any more: its key was withdrawn before the release was pushed."""
    nothing_arrived(scene)
    source = _source(scene)
    said = "failed to checkout and determine revision: unable to clone: ssh: handshake failed: unable to authenticate"
    say(scene, source, "Ready", "False", "GitOperationFailed", said)
    say(scene, source, "FetchFailed", "True", "GitOperationFailed", said)


@fault(SOURCE)
def source_suspended(scene: Scene) -> None:
    """Somebody suspended the source for an incident, and every release since stayed outside."""
    nothing_arrived(scene)
    suspend(scene, _source(scene))


@fault(SOURCE, only_in="stage")
def branch_moved_on(scene: Scene) -> None:
    """Somebody pushed to the branch after the release: what is applied is a commit that nobody released."""
    revision = revision_of(scene.world, scene.world.release, commit_of("pushed after the release"))
    _source(scene)["status"]["artifact"]["revision"] = revision
    scene.world.put(_source(scene))
    for each in scene.world.all("Kustomization"):
        each["status"] |= {"lastAppliedRevision": revision, "lastAttemptedRevision": revision}
        scene.world.put(each)


@fault(KUSTOMIZATION)
def kustomization_suspended(scene: Scene) -> None:
    """A Kustomization was suspended and forgotten: it is Ready, at the release before."""
    behind(scene, "Kustomization", ["crm"])
    behind(scene, "HelmRelease", ["crm"])
    group_behind(scene, "crm")
    suspend(scene, _of(scene, "Kustomization", "crm"))


@fault(KUSTOMIZATION)
def kustomization_failed(scene: Scene) -> None:
    """A Kustomization cannot be built at the release's revision, and goes on failing."""
    behind(scene, "Kustomization", ["crm"])
    behind(scene, "HelmRelease", ["crm"])
    group_behind(scene, "crm")
    each = _of(scene, "Kustomization", "crm")
    each["status"]["lastAttemptedRevision"] = revision_of(scene.world, scene.world.release)
    each["status"]["failures"] = 6
    said = "kustomize build failed: accumulating resources: open deployment-crm-web.yaml: no such file or directory"
    say(scene, each, "Ready", "False", "BuildFailed", said)


@fault(KUSTOMIZATION)
def kustomization_attempted_ahead(scene: Scene) -> None:
    """The release is applied, and a revision after it is attempted again and again and fails its health check."""
    each = _of(scene, "Kustomization", "crm")
    ahead = revision_of(scene.world, f"{scene.world.release}-hotfix")
    each["status"]["lastAttemptedRevision"] = ahead
    each["status"]["failures"] = 3
    said = "health check failed after 5m0s: timeout waiting for: [Deployment/crm/crm-web status: 'InProgress']"
    say(scene, each, "Ready", "False", "HealthCheckFailed", said)
    say(scene, each, "Healthy", "False", "HealthCheckFailed", said)


@fault(HELM)
def helmrelease_rolled_back(scene: Scene) -> None:
    """Helm rolled the release back after a failed upgrade: the old version serves in perfect health."""
    behind(scene, "HelmRelease", ["crm"])
    group_behind(scene, "crm")
    applied_only(scene, "crm")
    each = _of(scene, "HelmRelease", "crm")
    version = scene.world.release.removeprefix("v")
    newest = each["status"]["history"][0] | {"version": 43}
    failed = newest | {"chartVersion": version, "appVersion": scene.world.release, "version": 42, "status": "failed"}
    each["status"] |= {"history": [newest, failed], "lastAttemptedRevision": version, "failures": 1}
    said = f"Helm rollback to previous release crm/crm.v41 with chart crm@{newest['chartVersion']} succeeded"
    say(scene, each, "Remediated", "True", "RollbackSucceeded", said)
    say(scene, each, "Released", "False", "UpgradeFailed", "Helm upgrade failed: context deadline exceeded")
    say(scene, each, "Ready", "False", "RollbackSucceeded", said)


@fault(HELM)
def helmrelease_suspended(scene: Scene) -> None:
    """The HelmRelease of the companion was suspended: it stays on the release before."""
    behind(scene, "HelmRelease", ["crm-script"])
    group_behind(scene, "crm-script")
    suspend(scene, _of(scene, "HelmRelease", "crm-script"))


@fault(HELM)
def helmrelease_stalled(scene: Scene) -> None:
    """Helm's upgrade failed as often as it may: the HelmRelease gave up, and why is only in Stalled."""
    behind(scene, "HelmRelease", ["crm"])
    group_behind(scene, "crm")
    applied_only(scene, "crm")
    each = _of(scene, "HelmRelease", "crm")
    each["status"] |= {"failures": 4, "upgradeFailures": 4}
    said = 'Failed to upgrade after 4 attempt(s): UPGRADE FAILED: admission webhook "policy" denied the request'
    say(scene, each, "Stalled", "True", "RetriesExceeded", said)
    say(scene, each, "Ready", "False", "RetriesExceeded", "Failed to upgrade after 4 attempt(s)")


@fault("infra.flux.imagepolicy")
def imagepolicy_behind(scene: Scene) -> None:
    """The registry was not scanned since the release was pushed: Flux is green on yesterday's tag."""
    nothing_arrived(scene)
    behind(scene, "ImagePolicy", scene.world.environment.flux.image_policies)


@fault(CONTROLLERS)
def flux_controller_down(scene: Scene) -> None:
    """The kustomize-controller crashes: whatever its objects say, nobody looks after them."""
    owner = _controller(scene, "kustomize-controller")
    for pod in [e for e in scene.world.all("Pod") if e["metadata"]["name"].startswith("kustomize-controller-")]:
        scene.world.put(crash_loops(pod, "kustomize-controller", 14, 137, "OOMKilled", scene.ago(80)))
    recount(scene.world, owner, scene.ago(80))


@fault(CONTROLLERS)
def flux_controller_stopped(scene: Scene) -> None:
    """Somebody scaled the helm-controller to zero for an incident, and left it so."""
    owner = _controller(scene, "helm-controller")
    newest_replicaset(scene.world, owner)["spec"]["replicas"] = owner["spec"]["replicas"] = 0
    for pod in [e for e in scene.world.all("Pod") if e["metadata"]["name"].startswith("helm-controller-")]:
        scene.world.remove(pod)
    recount(scene.world, owner, scene.ago(3000))


@fault(KUSTOMIZATION, "unverified")
def flux_forbidden(scene: Scene) -> None:
    """The verifier may not read the objects of Flux: who delivered what, nobody can tell."""
    scene.world.settings.forbidden |= {"gitrepositories", "kustomizations", "helmreleases", "imagepolicies"}


# --- what the faults are made of -------------------------------------------------------------------------------------


def nothing_arrived(scene: Scene) -> None:
    """The environment as it stood before the release, all of Flux that applies it included; the policies are ahead."""
    declared = scene.world.environment
    scene.take_from(scene.before(), [each for each in declared.components.values() if each.tag is None])
    behind(scene, declared.flux.source_kind, [declared.flux.source])
    for kind in ("Kustomization", "HelmRelease"):
        behind(scene, kind, getattr(declared.flux, APPLIES[kind]))
    front = scene.world.front
    for host in front.versions:
        front.versions[host] = front.front_ends[host] = scene.previous


def behind(scene: Scene, kind: str, names: Iterable[str]) -> None:
    """Put objects of Flux back to what they were before the release."""
    before: World = scene.before()
    for name in names:
        scene.world.put(before.get(kind, name, scene.world.environment.flux.namespace))


def group_behind(scene: Scene, group: str) -> None:
    """Put the components of a release group back to the release before."""
    declared = scene.world.environment.components.values()
    scene.take_from(scene.before(), [each for each in declared if each.group == group])


def suspend(scene: Scene, seen: Obj) -> None:
    """As `flux suspend` does: the controller writes nothing more."""
    seen["spec"]["suspend"] = True
    seen["metadata"]["generation"] += 1
    scene.world.put(seen)


def applied_only(scene: Scene, name: str) -> None:
    """Let a Kustomization not wait for what it applies, so that a failed HelmRelease leaves it Ready."""
    each = _of(scene, "Kustomization", name)
    each["spec"]["wait"] = False
    kept = [e for e in each["status"]["conditions"] if e["type"] != "Healthy"]
    each["status"]["conditions"] = kept
    scene.world.put(each)


def say(scene: Scene, seen: Obj, kind: str, status: str, reason: str, message: str) -> None:
    """Give an object of Flux a condition in place of the one it has of that type."""
    kept = [each for each in seen["status"]["conditions"] if each["type"] != kind]
    made = {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": GENERATION}
    seen["status"]["conditions"] = [*kept, made | {"lastTransitionTime": stamp(scene.ago(150))}]
    scene.world.put(seen)


def _source(scene: Scene) -> Obj:
    flux = scene.world.environment.flux
    return scene.world.get(flux.source_kind, flux.source, flux.namespace)


def _of(scene: Scene, kind: str, name: str) -> Obj:
    return scene.world.get(kind, name, scene.world.environment.flux.namespace)


def _controller(scene: Scene, name: str) -> Obj:
    return _of(scene, "Deployment", name)
