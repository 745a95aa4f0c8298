"""The claims about Flux: each of its objects is at the release's revision, and goes on reconciling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from postdeploy.cluster import rollout
from postdeploy.cluster.delivery import GROUPS
from postdeploy.cluster.flux import flux
from postdeploy.cluster.objects import Deployment, FluxObject, Snapshot
from postdeploy.cluster.ruling import Ruling, doomed, failed, gravest, passed, pending, unverified
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State

CONDITIONS_SHOWN = 6
NOT_THERE = "It was renamed or pruned, or the environment file names it wrongly."
OUR_ACCESS = "The verifier's own access or connection; it says nothing about the product."
LAGS = "The source is not fetched that often, or cannot be; the pipeline has not pushed the release here."


class FluxClaims:
    """Every claim about the delivery of one release into one environment."""

    def __init__(self, snapshot: Snapshot, environment: Environment, release: str) -> None:
        self.snapshot = snapshot
        self.release = release
        self._declared = environment.flux
        self._namespace = environment.flux.namespace
        self.expected = environment.flux.expected_revision(release, snapshot.commit or None)
        self._pinned = {each.tag.removeprefix("v") for each in environment.components.values() if each.tag}
        self._named = {(each.kind, each.metadata.name): each for each in snapshot.flux or ()}

    def source(self) -> Judgement:
        """The source has fetched the release, and is well."""
        kind, name = self._declared.source_kind, self._declared.source
        return self._judge(kind, name, f"has fetched {self.expected}", self.fetched)

    def kustomization(self, name: str) -> Judgement:
        """It has applied the release, as the last it attempted, and goes on reconciling."""
        return self._judge("Kustomization", name, f"has applied {self.expected}", self.applied)

    def helm_release(self, name: str) -> Judgement:
        """Its newest Helm release is deployed, not rolled back, and is not another release's."""
        return self._judge("HelmRelease", name, "has deployed what it attempted, for this release", self.deployed)

    def image_policy(self, name: str) -> Judgement:
        """The image it chose carries the release."""
        return self._judge("ImagePolicy", name, f"has chosen {self.release}", self.chosen)

    def controllers(self) -> Judgement:
        """The controllers of Flux are alive: else all that its objects say is old."""
        wanted = self._declared.controllers
        claim = f"the controllers of Flux in namespace {self._namespace} are alive"
        if not wanted:
            return Judgement(State.NOT_APPLICABLE, claim, "Flux is run from another cluster (no flux.controllers)")
        seen = {each.metadata.name: each for each in self.snapshot.flux_controllers}
        rulings = {name: self._controller(seen.get(name)) for name in wanted}
        worst = gravest(rulings.values(), passed(""))
        unwell = [name for name, each in rulings.items() if not each.holds]
        if not unwell:
            return Judgement(State.PASSED, claim, f"{len(wanted)} of {len(wanted)}: {', '.join(wanted)}")
        first = next(name for name in unwell if rulings[name] is worst)
        others = f"; and {len(unwell) - 1} more: {', '.join(e for e in unwell if e != first)}" if unwell[1:] else ""
        where = f"Deployment {self._namespace}/{first}, status"
        return Judgement(worst.state, claim, f"{first}: {worst.seen}{others}", where, worst.cause, worst.doomed)

    def of_delivery(self) -> dict[str, Judgement]:
        """What must be at the release before a rollout can be: the source, the Kustomizations, the HelmReleases."""
        declared = self._declared
        found = {f"{declared.source_kind} {declared.source}": self.source()}
        found |= {f"Kustomization {name}": self.kustomization(name) for name in declared.kustomizations}
        return found | {f"HelmRelease {name}": self.helm_release(name) for name in declared.helm_releases}

    # --- identity: whether an object is at the release, whatever its health -----------------------------------------

    def fetched(self, seen: FluxObject) -> Ruling:
        """Whether the source's artifact is the release."""
        revision = seen.status.artifact.revision if seen.status.artifact else ""
        if not revision:
            return pending("it has no artifact (status.artifact)", LAGS)
        if not self.expected.matches(revision):
            return pending(f"at {revision}, expected {self.expected} (status.artifact.revision)", LAGS)
        if not self.expected.names_release:
            return unverified(
                f"at {revision}: nobody said which commit {self.release} is, and the revision does not name it",
                "Set RELEASE_COMMIT to the commit of the release in the repository that the source follows.",
            )
        return passed(f"at {revision}")

    def applied(self, seen: FluxObject) -> Ruling:
        """Whether a Kustomization has applied the release: expected, attempted and the source's artifact are one."""
        status = seen.status
        revision = status.last_applied_revision
        if not revision:
            return pending("it has applied nothing yet (status.lastAppliedRevision)")
        if not self.expected.matches(revision):
            return pending(
                f"at {revision}, expected {self.expected} (status.lastAppliedRevision)",
                "It is suspended, its last attempt failed, or it waits for something it depends on.",
            )
        if status.last_attempted_revision not in ("", revision):
            return pending(
                f"at {revision}, but {status.last_attempted_revision} is attempted (status.lastAttemptedRevision)",
                "Another revision was pushed: it is being applied, or it fails.",
            )
        return self._as_fetched(seen, revision) or passed(f"at {revision}")

    def deployed(self, seen: FluxObject) -> Ruling:
        """Whether the newest Helm release is the one attempted, and carries no other release's version."""
        if not seen.status.history:
            return pending("no Helm release yet (status.history)")
        newest = seen.status.history[0]
        for version, field in ((newest.app_version, "appVersion"), (newest.chart_version, "chartVersion")):
            if self._is_another_release(version):
                return pending(
                    f"at {version}, expected {self.release} (status.history[0].{field})",
                    "The chart of the release was not installed, failed and was rolled back, or Git was reverted.",
                )
        return passed(f"at {newest.app_version or newest.chart_version or 'a version without name'}")

    def chosen(self, seen: FluxObject) -> Ruling:
        """Whether an ImagePolicy's latest image is of the release."""
        latest = seen.status.latest_ref
        tag = latest.tag or seen.status.latest_image.rpartition("@")[0].rpartition(":")[2]
        tag = tag or seen.status.latest_image.rpartition(":")[2]
        if tag == self.release:
            return passed(f"chose tag {tag}")
        return pending(
            f"chose tag {tag or 'none'}, expected {self.release} (status.latestRef)",
            "Its ImageRepository has not scanned the registry since, the image was not pushed, or its filter skips it.",
        )

    def _as_fetched(self, seen: FluxObject, revision: str) -> Ruling | None:
        declared, refers = self._declared, seen.spec.source_ref
        if (refers.kind, refers.name) != (declared.source_kind, declared.source):
            return None
        source = self._named.get((declared.source_kind, declared.source))
        artifact = source.status.artifact.revision if source and source.status.artifact else revision
        if artifact == revision:
            return None
        return pending(f"at {revision}, but its source is at {artifact} (status.artifact.revision)")

    def _is_another_release(self, version: str) -> bool:
        """Whether a version reads like a release and is not this one; a chart may have versions of its own."""
        base, release = _base(version), _base(self.release)
        pinned = version.partition("+")[0].removeprefix("v") in self._pinned
        return not pinned and base != release and _shape(base) == _shape(release)

    # --- how a ruling becomes a judgement ------------------------------------------------------------------------

    def look(self, kind: str, name: str) -> FluxObject | Ruling:
        """The object, or why there is none."""
        if (found := self._named.get((kind, name))) is not None:
            return found
        return self._unread(kind) or failed(
            f"not found among the {GROUPS[kind][1]} of namespace {self._namespace}", NOT_THERE
        )

    def ruling(self, seen: FluxObject, identity: Callable[[FluxObject], Ruling]) -> Ruling:
        """Health and identity together: the gravest; what cannot move any more while it is behind is a doom."""
        health, at = flux(seen), identity(seen)
        if not health.holds and at.state is State.PENDING:
            stuck = seen.spec.suspend or health.doomed
            text = f"{health.seen}; {at.seen}" if at.seen not in health.seen else health.seen
            return doomed(text, health.cause) if stuck else replace(health, seen=text, cause=health.cause or at.cause)
        if not health.holds:
            return replace(health, doomed=health.doomed and not seen.spec.suspend)
        if not at.holds:
            return at
        return passed("; ".join(dict.fromkeys([at.seen, health.seen])))

    def _judge(self, kind: str, name: str, claim: str, identity: Callable[[FluxObject], Ruling]) -> Judgement:
        title = f"{kind} {self._namespace}/{name}"
        seen = self.look(kind, name)
        if isinstance(seen, Ruling):
            where = "" if seen.holds else title
            return Judgement(seen.state, f"{title} {claim}", seen.seen, where, seen.cause)
        found = self.ruling(seen, identity)
        if found.state is not State.FAILED:
            found = self._unread(kind) or found
        where = "" if found.holds else "\n".join([f"{title}, status", *_told(seen)])
        return Judgement(found.state, f"{title} {claim}", found.seen, where, found.cause, found.doomed)

    def _unread(self, kind: str) -> Ruling | None:
        if self.snapshot.flux is None:
            return unverified("Flux was not looked at in this observation", OUR_ACCESS)
        return self._gap(GROUPS[kind][1])

    def _gap(self, resource: str) -> Ruling | None:
        for gap in self.snapshot.gaps:
            if gap.resource == resource and gap.namespace in (self._namespace, ""):
                return unverified(
                    f"{resource} in namespace {self._namespace} could not be read: {gap.reason}", OUR_ACCESS
                )
        return None

    def _controller(self, seen: Deployment | None) -> Ruling:
        if self.snapshot.flux is None:
            return unverified("Flux was not looked at in this observation", OUR_ACCESS)
        if seen is None:
            return self._gap("deployments") or failed(
                "not found", "Flux was taken out, or flux.controllers names it wrongly."
            )
        if not seen.spec.replicas:
            return failed(
                "it is scaled to zero (spec.replicas 0): all that it reconciles stays as it was",
                "Somebody stopped it for an incident; the status of its objects is as old as that.",
            )
        return rollout.deployment(seen, self.snapshot.taken)


def _told(seen: FluxObject) -> Iterator[str]:
    """All conditions, since the reason is often not in Ready, and how often it failed."""
    for each in seen.status.conditions[:CONDITIONS_SHOWN]:
        yield str(each)
    if seen.status.failures:
        yield f"{seen.status.failures} failures in a row (status.failures)"


def _base(version: str) -> str:
    """A version without its build, its suffix and its v: a chart may count its own builds of one release."""
    return version.partition("+")[0].removeprefix("v").partition("-")[0]


def _shape(version: str) -> str:
    """What a version looks like: the digits of its first number (a year has four), the rest by their places."""
    first, dot, rest = version.partition(".")
    return re.sub(r"\d", "0", first) + dot + re.sub(r"\d+", "#", rest)
