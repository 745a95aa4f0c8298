"""A registry that cannot be asked, and nodes that name one build by different digests."""

from __future__ import annotations

from rehearsal.entry import trap
from rehearsal.manifests import digest_of, manifest
from rehearsal.scene import Scene
from rehearsal.traps_images import on_one_node

DIGEST = "infra.images.digest"


@trap(DIGEST)
def registry_unreachable(scene: Scene) -> None:
    """The registry does not answer: all pods agree on their digests, and that is what can be said."""
    scene.world.registry.unreachable = True


@trap(DIGEST)
def registry_refuses(scene: Scene) -> None:
    """The registry lets nobody read, whatever token they bring."""
    scene.world.registry.refuses = True


@trap(DIGEST)
def index_vs_platform_digests(scene: Scene) -> None:
    """One node reports the manifest of its own platform, the others the index that the tag names."""
    for status in on_one_node(scene):
        image, _, tag = status["image"].rpartition(":")
        if status["imageID"]:
            status["imageID"] = f"{image}@{digest_of(manifest(image, tag, 'amd64'))}"
