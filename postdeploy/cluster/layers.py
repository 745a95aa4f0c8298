"""The layers a release passes on its way from Git to the traffic, each with what disagrees there or cannot be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import cast

import msgspec

from postdeploy.cluster import image_claims, undeclared
from postdeploy.cluster.accepted import other_version
from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.flux_claims import FluxClaims
from postdeploy.cluster.images import ImageRef, declared, requested
from postdeploy.cluster.objects import (
    Deployment,
    FluxObject,
    Pod,
    PodTemplate,
    ReplicaSet,
    Snapshot,
    Workload,
    condition,
)
from postdeploy.cluster.progressive import RolledOut
from postdeploy.cluster.ruling import Ruling, failed, gravity, not_applicable, passed, pending, unverified
from postdeploy.cluster.traffic import TrafficClaims
from postdeploy.environment import WORKLOAD_KINDS, Component, Environment
from postdeploy.verdict import Judgement, State

DISAGREES = (State.FAILED, State.PENDING)


class Part(msgspec.Struct, frozen=True):
    """One object of a layer: who it is, what a rule says of it, and that in a few words."""

    who: str
    ruling: Ruling
    brief: str = ""
    unready: str = ""
    """Of a workload's pods: why those of the new revision are not ready."""


class Layer(msgspec.Struct, frozen=True):
    """One step of the way, with a part for each object in it."""

    name: str
    parts: tuple[Part, ...]

    @property
    def wrong(self) -> tuple[Part, ...]:
        """What contradicts the release, gravest first."""
        found = [each for each in self.parts if each.ruling.state in DISAGREES]
        return tuple(sorted(found, key=lambda each: gravity(each.ruling)))

    @property
    def unseen(self) -> tuple[Part, ...]:
        """What could not be looked at."""
        return tuple(each for each in self.parts if each.ruling.state is State.UNVERIFIED)


class Layers:
    """Every layer of one environment, over one snapshot."""

    def __init__(
        self,
        snapshot: Snapshot,
        environment: Environment,
        release: str,
        digests: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.flux = FluxClaims(snapshot, environment, release)
        self._claims = ClusterClaims(snapshot, environment, release, digests)
        self._traffic = TrafficClaims(snapshot, environment, release)
        self._sight = self._claims.sight
        self._release = release
        self._declared = environment.flux
        self.members = [each for each in environment.components.values() if each.tag is None]
        """The components that are part of the release."""
        self.others: dict[str, set[str]] = {}
        """Components that run, or will run, another tag: by tag."""

    def policies(self) -> Layer:
        """What Flux chose, where it chooses: before Git, since it writes there."""
        names = self._declared.image_policies
        return Layer("ImagePolicy", tuple(self._of_flux("ImagePolicy", each, self.flux.chosen) for each in names))

    def all(self) -> tuple[Layer, ...]:
        """From Git to the endpoints."""
        flux, kind = self._declared, self._declared.source_kind
        workloads = [each for each in self.members if each.kind in WORKLOAD_KINDS]
        applied = [self._of_flux("Kustomization", each, self.flux.applied) for each in flux.kustomizations]
        deployed = [self._of_flux("HelmRelease", each, self.flux.deployed) for each in flux.helm_releases]
        images = dict.fromkeys(each.image for each in self.members)
        digests = [Part(each, _ruling(self._claims.image_digest(each))) for each in images]
        behind = [each for each in workloads if each.service]
        return (
            Layer(kind, (self._of_flux(kind, flux.source, self.flux.fetched),)),
            Layer("Kustomization", tuple(applied)),
            Layer("HelmRelease", tuple(deployed)),
            Layer("template", tuple(Part(_title(each), self._template(each)) for each in self.members)),
            Layer("ReplicaSet", tuple(Part(_title(each), self._replicasets(each)) for each in workloads)),
            Layer("pod", (*(self._pods(each) for each in workloads), *self._undeclared())),
            Layer("digest", tuple(digests)),
            Layer("endpoints", tuple(Part(_title(e), _ruling(self._traffic.endpoints(e))) for e in behind)),
        )

    def _of_flux(self, kind: str, name: str, identity: Callable[[FluxObject], Ruling]) -> Part:
        """Whether it is at the release; what else ails it is only told where it is not."""
        seen = self.flux.look(kind, name)
        if isinstance(seen, Ruling):
            return Part(name, seen)
        at = identity(seen)
        return Part(name, at if at.holds else self.flux.ruling(seen, identity), _brief(seen))

    def _template(self, component: Component) -> Ruling:
        seen = image_claims.subject(self._sight, component)
        if not isinstance(seen, Ruling):
            return self._tags(component, image_claims.template(seen), "asks for")
        # A Job may be gone because it is done: whether it ever ran is the claim of infra.batch.migration.
        return not_applicable("no Job of it is there") if component.kind == "Job" else seen

    def _tags(self, component: Component, template: PodTemplate, verb: str) -> Ruling:
        images = list(image_claims.of_release(self._sight, component, template))
        if not any(image == component.image for image, _, _ in images):
            return failed(f"no container of it runs {component.image}", image_claims.WRONG_TAG)
        wrong = {other for image, _, each in images if (other := self._other(component, image, each))}
        if wrong:
            return failed(f"{verb} {', '.join(sorted(wrong))}", image_claims.WRONG_TAG)
        if not all(each.tag for _, _, each in images):
            return unverified("pinned by digest alone, which names no release")
        return passed(f"{verb} {self._release}")

    def _other(self, component: Component, image: str, found: ImageRef) -> str:
        """The version an image has instead of the release; which components have one is kept for the headline."""
        if other := other_version(self._sight, image, self._release, found):
            self.others.setdefault(other, set()).add(component.name)
        return other

    def _replicasets(self, component: Component) -> Ruling:
        seen = self._sight.find(component)
        if not isinstance(seen, Deployment):
            return seen if isinstance(seen, Ruling) else passed("has none")
        newest = self._sight.family.current_replicaset(seen)
        if (
            newest is not None
            and (found := self._tags(component, newest.spec.template, "asks for"))
            and not found.holds
        ):
            return found
        for each in self._sight.family.replicasets_of(seen):
            if each is not newest and (found_old := self._old(component, seen, each)) is not None:
                return found_old
        if (gap := self._sight.gap(component.namespace, ["replicasets"])) is not None:
            return gap
        if newest is None and seen.spec.replicas:
            return pending("has no ReplicaSet of its revision yet")
        return passed("its ReplicaSet is of the release")

    def _old(self, component: Component, seen: Deployment, old: ReplicaSet) -> Ruling | None:
        if not old.spec.replicas or (isinstance(seen, RolledOut) and seen.keeps_the_old_stack):
            return None
        images = declared(old.spec.template, component.image).values()
        tags = sorted({other for each in images if (other := self._other(component, component.image, each))})
        if not tags:
            return None
        return pending(
            f"ReplicaSet {old.metadata.name} of {', '.join(tags)} still wants {old.spec.replicas} pods",
            "The rollout is under way, or it is stuck: see infra.rollout.complete of this component.",
        )

    def _pods(self, component: Component) -> Part:
        who, ready = _title(component), self._claims.pods_ready(component)
        found = self._sight.find(component)
        if isinstance(found, Ruling):
            return Part(who, found)
        if wrong := self._strangers(component, cast("Workload", found)):
            names = ", ".join(sorted(each.metadata.name for each in wrong)[:3])
            text = f"{len(wrong)} of its pods run another release ({names})"
            return Part(who, pending(text, image_claims.WRONG_TAG), unready="" if ready.holds else ready.seen)
        claims = (self._claims.scale(component), ready)
        return Part(who, next((_ruling(each) for each in claims if not each.holds), passed("ready")))

    def _undeclared(self) -> Iterator[Part]:
        """Old code that runs, or will, in what no component declares."""
        for who, tag in undeclared.old_code(self._sight):
            yield Part(who, failed(f"runs {tag}, and no component declares it", undeclared.CAUSE))

    def _strangers(self, component: Component, seen: Workload) -> list[Pod]:
        """Its live pods that run another tag, of whatever revision."""
        keeps = isinstance(seen, RolledOut) and seen.keeps_the_old_stack
        old = [] if keeps else [each for each in self._sight.family.old(seen) if each.is_live]
        asked = [
            *image_claims.asked(self._sight, component, seen).items(),
            *requested(old, declared(seen.spec.template, component.image)).items(),
        ]
        wrong = [asking for (_, image), asking in asked if self._other(component, component.image, image)]
        return list({each.metadata.uid or each.metadata.name: each for asking in wrong for each in asking}.values())


def _ruling(judgement: Judgement) -> Ruling:
    return Ruling(judgement.state, judgement.seen, judgement.cause, judgement.doomed)


def _title(component: Component) -> str:
    return f"{component.namespace}/{component.name}"


def _brief(seen: FluxObject) -> str:
    """An object of Flux in a few words: what stops it, and where it stands."""
    applied, attempted = seen.status.last_applied_revision, seen.status.last_attempted_revision
    ahead = f"attempting {_short(attempted)}" if applied and attempted not in ("", applied) else ""
    return ", ".join(each for each in (_stopped(seen), f"at {_revision(seen)}", ahead) if each)


def _stopped(seen: FluxObject) -> str:
    conditions = seen.status.conditions
    stalled, remediated, ready = (condition(conditions, kind) for kind in ("Stalled", "Remediated", "Ready"))
    if seen.spec.suspend:
        return "suspended"
    if remediated and remediated.is_true:
        return "rolled back"
    if stalled and stalled.is_true:
        return f"stalled: {stalled.reason}"
    return f"not ready: {ready.reason}" if ready and ready.is_false else ""


def _revision(seen: FluxObject) -> str:
    status = seen.status
    if seen.kind == "HelmRelease":
        newest = status.history[0] if status.history else None
        return (newest.app_version or newest.chart_version if newest else "") or "no release"
    if seen.kind == "ImagePolicy":
        return status.latest_ref.tag or status.latest_image or "no image"
    return _short(status.last_applied_revision or (status.artifact.revision if status.artifact else ""))


def _short(revision: str) -> str:
    reference, _, commit = revision.rpartition("@")
    is_branch = reference.rpartition("/")[2] in ("main", "master", "") and commit
    return (f"{reference}@{commit[:12]}" if is_branch else reference) or "no revision"
