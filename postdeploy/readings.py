"""What one environment's saved observation says of a release: the values that are compared across environments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from postdeploy.cluster import batch_claims
from postdeploy.cluster.accepted import accepted, resolved
from postdeploy.cluster.delivery import GROUPS
from postdeploy.cluster.image_claims import subject, template
from postdeploy.cluster.images import Digest, canonical, declared, running
from postdeploy.cluster.objects import FluxObject, Snapshot
from postdeploy.cluster.ruling import Ruling
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import Component, Environment
from postdeploy.verdict import State

ABSENT = "absent"
IMAGE_ID = "image id "
"""Before the digest of an image's configuration, which cannot be compared with that of its manifest."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one environment says of one subject."""

    value: str = ""
    blind: str = ""
    """Why it says nothing although it should; empty when it does."""
    since: datetime | None = None
    """When it came to be so, where that is known."""
    wrong: bool = False
    """Wrong in itself, whatever the other environments say."""


@dataclass(frozen=True)
class Seen:
    """One environment with what its own run saved of it."""

    environment: Environment
    release: str
    snapshot: Snapshot | None
    why: str = ""
    """Why there is no snapshot."""
    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Accepted digests per image, where the build named them."""

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.environment.name

    @cached_property
    def _sight(self) -> Sight:
        assert self.snapshot is not None  # noqa: S101  every caller has asked before
        return Sight(self.snapshot, self.environment, self.release, self.digests)

    def tag(self, name: str) -> Reading | None:
        """The tag in a component's template; None where it declares none, or runs nothing now."""
        component = self.environment.components.get(name)
        if component is None:
            return None
        if self.snapshot is None:
            return Reading(blind=self.why)
        found = subject(self._sight, component)
        if isinstance(found, Ruling):
            return _instead(found)
        return Reading(_joined(each.version for each in declared(template(found), component.image).values()) or ABSENT)

    def digest(self, image: str) -> Reading | None:
        """The digests its pods run of one image at the expected tag; None where no such pod exists."""
        members = [each for each in release_parts(self.environment) if canonical(each.image) == canonical(image)]
        if not members:
            return None
        if self.snapshot is None:
            return Reading(blind=self.why)
        if gap := self._gap(members):
            return Reading(blind=gap.seen)
        ran = [pair for each in members for pair in self._ran(each)]
        if ran and not any(digest for _, digest in ran):
            return Reading(blind=f"no node reports a digest (imageID) of the {len(ran)} containers that run it")
        found = _joined(self._build(each.image, self._sight.tag(each), digest) for each, digest in ran if digest)
        return Reading(found) if found else None

    def skew(self) -> Reading | None:
        """The tags of the release groups, side by side; wrong in itself where they differ."""
        members = [each for each in release_parts(self.environment) if each.group and each.kind != "Job"]
        groups: Mapping[str, set[str]] = defaultdict(set)
        for each in members:
            reading = self.tag(each.name)
            if reading is not None and reading.blind:
                return reading
            if reading is not None:
                groups[each.group or ""].add(reading.value)
        value = ", ".join(f"{group} {' + '.join(sorted(tags))}" for group, tags in sorted(groups.items()))
        return Reading(value, wrong=len(set().union(*groups.values())) > 1) if len(groups) > 1 else None

    def revision(self, kind: str, name: str) -> Reading | None:
        """The revision of a declared object of Flux and when it came; None where nothing of Flux was looked at."""
        if (kind, name) not in flux_objects(self.environment):
            return None
        if self.snapshot is None:
            return Reading(blind=self.why)
        if self.snapshot.flux is None:
            return None
        found = [each for each in self.snapshot.flux if (each.kind, each.metadata.name) == (kind, name)]
        if not found:
            gap = self._sight.gap(self.environment.flux.namespace, [GROUPS[kind][1]])
            return Reading(blind=gap.seen) if gap else Reading(ABSENT)
        return _revision(found[0])

    def _gap(self, members: Iterable[Component]) -> Ruling | None:
        for each in members:
            needs = [RESOURCES[each.kind], "pods", *(["replicasets"] if each.kind == "Deployment" else [])]
            if gap := self._sight.gap(each.namespace, needs):
                return gap
        return None

    def _ran(self, component: Component) -> Iterator[tuple[Component, Digest | None]]:
        """Each digest of its expected tag that a node reports, and None where one reports none."""
        tag = self._sight.tag(component)
        for seen, pods in batch_claims.makers(self._sight, component):
            names = declared(template(seen), component.image)
            for _, image, digest in running(pods, names):
                if image.tag in ("", tag):
                    yield component, digest

    def _build(self, image: str, tag: str, digest: Digest) -> str:
        """One name for all digests of a build: a node may report the index, its platform's manifest or the image id."""
        told, known = resolved(self._sight, image, tag), accepted(self._sight, image, tag)
        if told and told.index and digest.value in told.accepted:
            return told.index
        if known and digest.value in known.digests:
            return min(known.digests)
        return (IMAGE_ID if digest.is_config else "") + digest.value


def release_parts(environment: Environment) -> list[Component]:
    """The components that carry the release."""
    return [each for each in environment.components.values() if each.tag is None]


def flux_objects(environment: Environment) -> list[tuple[str, str]]:
    """Kind and name of each object of Flux whose arrival is dated: the source, and every HelmRelease."""
    flux = environment.flux
    return [(flux.source_kind, flux.source), *(("HelmRelease", each) for each in flux.helm_releases)]


def _revision(seen: FluxObject) -> Reading:
    """Of a source its artifact, of a HelmRelease the newest release in its history."""
    artifact, history = seen.status.artifact, seen.status.history
    if artifact is not None:
        return Reading(artifact.revision, since=artifact.last_update_time)
    if history:
        return Reading(history[0].app_version or history[0].chart_version, since=history[0].last_deployed)
    return Reading(ABSENT)


def _instead(ruling: Ruling) -> Reading | None:
    """What stands for a component whose object was not found."""
    if ruling.state is State.UNVERIFIED:
        return Reading(blind=ruling.seen)
    return None if ruling.state is State.NOT_APPLICABLE else Reading(ABSENT)


def _joined(values: Iterable[str]) -> str:
    return " + ".join(sorted(set(values)))
