"""What a registry says a tag is: the digests by which any runtime may report one and the same build."""

from postdeploy.cluster.objects_base import Record


class DigestSet(Record, frozen=True):
    """One image and tag as the registry has it: index, manifest of each platform, configuration of each platform."""

    image: str
    tag: str
    index: str = ""
    """Digest of what the tag itself names; empty where it could not be read."""
    manifests: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    reason: str = ""
    """Why it could not be read, or not completely."""

    @property
    def accepted(self) -> frozenset[str]:
        """Every digest that means this build."""
        return frozenset(each for each in (self.index, *self.manifests, *self.configs) if each)
