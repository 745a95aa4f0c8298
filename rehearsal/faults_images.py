"""Faults of identity: something healthy runs, and it is not this release."""

from __future__ import annotations

import hashlib

from rehearsal.entry import fault
from rehearsal.faults_flux import nothing_arrived
from rehearsal.recount import replicasets
from rehearsal.scene import Scene, repull, retag
from rehearsal.traps_images import bare, on_one_node

TAG = "infra.images.tag"


@fault(TAG)
def old_tag(scene: Scene) -> None:
    """The release never reached the cluster: everything is healthy, on the release before."""
    nothing_arrived(scene)


@fault(TAG)
def pinned_tag_drifted(scene: Scene) -> None:
    """A database runs a tag that the environment does not pin, everywhere and in perfect health."""
    component = scene.draw.choice(sorted(scene.components("StatefulSet"), key=lambda each: each.name))
    owner, drifted = scene.owner(component), f"{component.tag}-rc1"
    retag(owner["spec"]["template"]["spec"], component.image, drifted)
    scene.world.put(owner)
    for pod in scene.pods(component):
        retag(pod["spec"], component.image, drifted)
        repull(pod, component.image)
        scene.world.put(pod)


@fault(TAG)
def init_container_old_tag(scene: Scene) -> None:
    """The chart forgot an init container: it still runs the image of the release before."""
    component = scene.victim()
    owner = scene.owner(component)
    hosts = [owner, *(each for each in replicasets(scene.world, owner) if each["spec"]["replicas"])]
    for host in hosts:
        retag(host["spec"]["template"]["spec"], component.image, scene.previous, containers=("initContainers",))
        scene.world.put(host)
    for pod in scene.pods(component):
        retag(pod["spec"], component.image, scene.previous, containers=("initContainers",))
        repull(pod, component.image)
        scene.world.put(pod)


@fault(TAG)
def digest_beside_the_tag_is_old(scene: Scene) -> None:
    """The tag of a CronJob was bumped and the digest beside it was not: nodes pull by the digest alone."""
    component = scene.draw.choice([each for each in scene.components("CronJob") if each.tag is None])
    owner = scene.owner(component)
    old = hashlib.sha256(f"built before {scene.world.release}".encode()).hexdigest()
    for each in owner["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]:
        if each["image"].startswith(f"{component.image}:"):
            each["image"] += f"@sha256:{old}"
    scene.world.put(owner)


@fault(TAG)
def pod_patched_by_hand(scene: Scene) -> None:
    """Somebody set another image on one running pod; its template knows nothing of it."""
    component = scene.victim(at_least=2)
    pod = scene.draw.choice(scene.pods(component))
    retag(pod["spec"], component.image, f"{scene.world.release}-hotfix", containers=("containers",))
    repull(pod, component.image)
    scene.world.put(pod)


@fault("infra.images.digest")
def two_digests_one_tag(scene: Scene) -> None:
    """The tag was pushed twice, and one pod runs the bits of the other push."""
    component = scene.victim(at_least=2)
    pod = scene.draw.choice(scene.pods(component))
    other = hashlib.sha256(f"pushed again {scene.world.release}".encode()).hexdigest()
    for key in ("initContainerStatuses", "containerStatuses"):
        for status in pod["status"].get(key, ()):
            if status["image"].startswith(f"{component.image}:"):
                status["imageID"] = f"{component.image}@sha256:{other}"
    scene.world.put(pod)


@fault("infra.images.digest", "unverified")
def image_ids_not_comparable(scene: Scene) -> None:
    """One node reports the digest of an image's configuration, the others its manifest's; the registry is away."""
    scene.world.registry.unreachable = True
    for status in on_one_node(scene):
        bare(status)


@fault("infra.images.lockstep")
def crm_script_skew(scene: Scene) -> None:
    """The companion crm-script was left on the release before, while crm went ahead."""
    declared = scene.world.environment.components.values()
    scene.take_from(scene.before(), [each for each in declared if each.group == "crm-script"])
