"""Faults of the bits behind a tag, and of what was added to the pods beside the release."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.builders import digest, stamp
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.manifests import again, config, digest_of
from rehearsal.scene import Scene, statuses
from rehearsal.traps_images import inject, on_one_node

DIGEST = "infra.images.digest"
DEBUGGER = "europe-docker.pkg.dev/northgate-prod/mirror/netshoot:v0.13"


@fault(DIGEST)
def digest_not_accepted(scene: Scene) -> None:
    """Every pod of an image runs one and the same build, and the registry knows no such build."""
    image = scene.victim().image
    for status, tag in _running(scene, image, scene.world.all("Pod")):
        status["imageID"] = f"{image}@{digest(image, again(tag))}"


@fault(DIGEST)
def registry_serves_other_digest(scene: Scene) -> None:
    """The tag was pushed again after the delivery: what runs is not what the tag names by now."""
    scene.world.registry.pushed_again.add(scene.victim().image)


@fault(DIGEST)
def image_id_of_another_build(scene: Scene) -> None:
    """One node reports the configuration's digest of its images, and for one image it is that of another build."""
    image = scene.victim().image
    for status in on_one_node(scene):
        found, _, tag = status["image"].rpartition(":")
        if found == image:
            status["imageID"] = f"docker://{digest_of(config(image, again(tag), 'amd64'))}"


@fault("infra.images.proxies", "degraded")
def proxy_skew(scene: Scene) -> None:
    """The mesh was upgraded half-way through the day: pods of one namespace run two versions of its proxy."""
    for number, pod in enumerate(scene.pods(scene.victim(at_least=2))):
        inject(pod, f"1.28.{number % 2}")
        scene.world.put(pod)


@fault("infra.images.debug", "degraded")
def debug_container_attached(scene: Scene) -> None:
    """Somebody has a shell open in a debug container of a pod that serves clients."""
    pod = scene.draw.choice(scene.pods(scene.victim()))
    pod["spec"]["ephemeralContainers"] = [{"name": "debugger-q8w2r", "image": DEBUGGER, "stdin": True, "tty": True}]
    status: Obj = {"name": "debugger-q8w2r", "image": DEBUGGER, "ready": False, "restartCount": 0, "lastState": {}}
    status["imageID"] = DEBUGGER.replace(":v0.13", f"@sha256:{'7e' * 32}")
    pod["status"]["ephemeralContainerStatuses"] = [status | {"state": {"running": {"startedAt": stamp(scene.ago(90))}}}]
    scene.world.put(pod)


def _running(scene: Scene, image: str, pods: Iterable[Obj]) -> list[tuple[Obj, str]]:
    """The container statuses that run an image, with its tag; their pods are stored as they will be."""
    found = []
    for pod in pods:
        mine = [each for each in statuses(pod) if each["image"].startswith(f"{image}:") and each["imageID"]]
        found += [(each, each["image"].rpartition(":")[2]) for each in mine]
        if mine:
            scene.world.put(pod)
    return found
