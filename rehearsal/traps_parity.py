"""What is in order within one environment, and out of order beside the others: aim it with `--fault=NAME@ENV`."""

from __future__ import annotations

from rehearsal.builders import digest
from rehearsal.entry import trap
from rehearsal.manifests import again
from rehearsal.scene import Scene, statuses


@trap("infra.images.digest")
def other_push(scene: Scene) -> None:
    """The tag was pushed again before this delivery: the pods and the registry here agree on another build."""
    image = scene.victim().image
    scene.world.registry.pushed_again.add(image)
    for pod in scene.world.all("Pod"):
        for status in statuses(pod):
            if status["image"] == f"{image}:{scene.world.release}":
                status["imageID"] = f"{image}@{digest(image, again(scene.world.release))}"
        scene.world.put(pod)
