"""The many ways in which a node tells the truth about an image so that it looks like another one."""

from __future__ import annotations

import hashlib

from rehearsal.entry import trap
from rehearsal.kinds import Obj
from rehearsal.manifests import config, digest_of
from rehearsal.scene import Scene, statuses

TAG = "infra.images.tag"
DIGEST = "infra.images.digest"
PROXY = "europe-docker.pkg.dev/istio-release/proxyv2"


@trap(TAG, softens=("infra.images.proxies",))
def injected_sidecar_other_tag(scene: Scene) -> None:
    """A mesh injects its proxy into every pod of a workload, two versions of it, and no template knows of them."""
    component = scene.victim(at_least=2)
    for number, pod in enumerate(scene.pods(component)):
        inject(pod, f"1.27.{2 + number % 2}")
        scene.world.put(pod)


@trap(DIGEST)
def docker_pullable_image_ids(scene: Scene) -> None:
    """Some nodes run an older runtime, whose image ids begin with docker-pullable://."""
    for status in on_one_node(scene):
        status["imageID"] = f"docker-pullable://{status['imageID']}"


@trap(DIGEST)
def foreign_repo_digest(scene: Scene) -> None:
    """On one node the same bits were first pulled through a mirror, and the image id names that repository."""
    for status in on_one_node(scene):
        repository, _, digest = status["imageID"].partition("@")
        status["imageID"] = f"europe-west2-docker.pkg.dev/northgate-mirror/{repository.rpartition('/')[2]}@{digest}"


@trap(DIGEST)
def bare_image_ids(scene: Scene) -> None:
    """The runtime reports the digests of the images' configurations, which no registry serves, on every node."""
    for pod in scene.world.all("Pod"):
        for status in statuses(pod):
            bare(status)
        scene.world.put(pod)


@trap(TAG)
def status_image_wrong_tag(scene: Scene) -> None:
    """The kubelet names another tag of the same image in the status; the spec has the right one."""
    for status in on_one_node(scene):
        status["image"] = f"{status['image'].rpartition(':')[0]}:latest"


def inject(pod: Obj, version: str) -> None:
    """Add the proxy of a mesh to a running pod, as its webhook would have when the pod was made."""
    image = f"{PROXY}:{version}"
    pod["spec"]["containers"].append({"name": "mesh-proxy", "image": image, "args": ["proxy", "sidecar"]})
    code = hashlib.sha256(image.encode()).hexdigest()
    status = {"name": "mesh-proxy", "image": image, "imageID": f"{PROXY}@sha256:{code}", "restartCount": 1}
    state = {"running": {"startedAt": pod["status"]["startTime"]}}
    status |= {"ready": True, "started": True, "lastState": {}, "state": state}
    pod["status"]["containerStatuses"].append(status | {"containerID": f"containerd://{code}"})


def bare(status: Obj) -> None:
    """Let a container status name the configuration of its image instead of the manifest (containerd#8408)."""
    if status["imageID"]:
        image, _, tag = status["image"].rpartition(":")
        status["imageID"] = digest_of(config(image, tag, "amd64"))


def on_one_node(scene: Scene) -> list[Obj]:
    """The container statuses of every pod on one node, which are stored again as they will be changed."""
    node = scene.draw.choice(sorted(each["metadata"]["name"] for each in scene.world.all("Node")))
    pods = [each for each in scene.world.all("Pod") if each["spec"].get("nodeName") == node]
    for pod in pods:
        scene.world.put(pod)
    return [status for pod in pods for status in statuses(pod)]
