"""The digests by which a build may be reported: those the build named, those the registry names, or both together."""

from __future__ import annotations

import msgspec

from postdeploy.cluster.images import Digest, ImageRef
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.cluster.sight import Sight

FILE = "--digests"
REGISTRY = "the registry"


class Accepted(msgspec.Struct, frozen=True):
    """What may run as one image and tag."""

    digests: frozenset[str]
    source: str
    knows_manifests: bool
    """Whether a manifest that is not here is another build's."""
    knows_configs: bool
    """Whether an image id that is not here is another build's."""

    def decides(self, found: Digest) -> bool:
        """Whether it can be told that a digest which is not accepted is another build's."""
        return self.knows_configs if found.is_config else self.knows_manifests


def accepted(sight: Sight, image: str, tag: str) -> Accepted | None:
    """What may run as this image and tag; None where nobody says."""
    named, seen = _named(sight, image, tag), resolved(sight, image, tag)
    complete = bool(seen and seen.index and not seen.reason)
    if not named:
        return Accepted(seen.accepted, REGISTRY, complete, complete) if seen and seen.index else None
    if seen and named & seen.accepted:
        # One build by more of its names: a build often knows the digest of its index alone.
        return Accepted(named | seen.accepted, f"{FILE} and {REGISTRY}", complete, complete)
    return Accepted(named, FILE, knows_manifests=True, knows_configs=False)


def resolved(sight: Sight, image: str, tag: str) -> DigestSet | None:
    """What the registry said of this image and tag, if it was asked."""
    return next((each for each in sight.snapshot.digest_sets if (each.image, each.tag) == (image, tag)), None)


def untold(sight: Sight, image: str, tag: str) -> str:
    """Why the registry that was asked does not say what this tag is; empty where it does, or was not asked."""
    found = resolved(sight, image, tag)
    return found.reason if found and not found.index else ""


def other_release(sight: Sight, image: str, found: Digest) -> str:
    """The tag of the same image that a digest is known to be, if any."""
    named = [key for key, values in sight.digests.items() if found.value in values]
    named += [f"{each.image}:{each.tag}" for each in sight.snapshot.digest_sets if found.value in each.accepted]
    return next((each.removeprefix(f"{image}:") for each in named if each.startswith(f"{image}:")), "")


def other_version(sight: Sight, image: str, expected: str, found: ImageRef) -> str:
    """What a reference names instead of the expected version, as far as it is known; empty where it does not.

    A node pulls by the digest alone where there is one, whatever the tag beside it says.
    """
    if found.tag and found.tag != expected:
        return found.tag
    known = accepted(sight, image, expected) if found.digest else None
    if known is None or found.digest in known.digests or not known.knows_manifests:
        return ""
    return other_release(sight, image, Digest(found.digest)) or found.digest


def _named(sight: Sight, image: str, tag: str) -> frozenset[str]:
    for key in (f"{image}:{tag}", image):
        if key in sight.digests:
            return sight.digests[key]
    return frozenset()
