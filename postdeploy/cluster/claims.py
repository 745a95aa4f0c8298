"""The claims of the infrastructure tier, pure over one snapshot: nothing is read here, and nothing waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from msgspec.structs import replace

from postdeploy.cluster import batch_claims, digest_claims, image_claims, pods, rollout
from postdeploy.cluster.objects import DaemonSet, Deployment, Pod, Snapshot, StatefulSet, Workload
from postdeploy.cluster.progressive import RolledOut
from postdeploy.cluster.ruling import Ruling, failed, gravity, passed, pending
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import WORKLOAD_KINDS, Component, Environment
from postdeploy.verdict import Judgement, State

Rule = Callable[[Workload], Ruling]


class ClusterClaims:
    """Every claim about one environment's cluster, for one release."""

    def __init__(
        self,
        snapshot: Snapshot,
        environment: Environment,
        release: str,
        digests: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.sight = Sight.of(snapshot, environment, release, digests)
        self._family = self.sight.family
        self._now = snapshot.taken

    def rollout(self, component: Component) -> Judgement:
        """Its controller has finished rolling out the latest spec."""
        return self._judge(component, "has rolled out", self._rollout, field="status", needs=_owned_by(component))

    def scale(self, component: Component) -> Judgement:
        """It is not scaled to zero, unless that is declared."""
        return self._judge(
            component, "is not scaled to zero", lambda seen: _scale(seen, may_be_zero=component.may_be_zero)
        )

    def old_pods(self, component: Component) -> Judgement:
        """No pod of an earlier revision is left or still terminating."""
        needs = (*_owned_by(component), "pods")
        return self._judge(component, "has no pods of an old revision", self._old_pods, needs=needs)

    def pods_ready(self, component: Component) -> Judgement:
        """All pods of its current revision are there and ready."""
        needs = (*_owned_by(component), "pods")
        return self.sight.once(
            "pods ready",
            component.name,
            lambda: self._judge(component, "has all its pods ready", self._pods_ready, needs=needs),
        )

    def pods_doomed(self, component: Component) -> Judgement:
        """No pod of its current revision is in a state it does not recover from."""
        needs = (*_owned_by(component), "pods")
        return self._judge(component, "has no doomed pod", self._pods_doomed, needs=needs)

    def image_tag(self, component: Component) -> Judgement:
        """Its template, and every pod of its current revision, asks for the expected image and tag."""
        return image_claims.tag(self.sight, component)

    def image_digest(self, image: str) -> Judgement:
        """All pods of one image and tag run the same bits, and the accepted ones where digests are given."""
        return self.sight.once("digest", image, lambda: digest_claims.digest(self.sight, image))

    def lockstep(self) -> Judgement:
        """Every member of the release groups is on one and the same tag."""
        return image_claims.lockstep(self.sight)

    def migration(self, component: Component) -> Judgement:
        """The migration Job of this very release has completed."""
        return batch_claims.migration(self.sight, component)

    def cronjob(self, component: Component) -> Judgement:
        """The CronJob makes Jobs of the release, is suspended only as declared, and the release's runs succeed."""
        return batch_claims.cronjob(self.sight, component)

    def of_component(self, component: Component) -> tuple[Judgement, ...]:
        """Every claim that applies to a component of its kind."""
        if component.kind == "CronJob":
            return self.image_tag(component), self.cronjob(component)
        if component.kind == "Job":
            return (self.image_tag(component), self.migration(component))
        return (
            self.rollout(component),
            self.scale(component),
            self.old_pods(component),
            self.pods_ready(component),
            self.pods_doomed(component),
            self.image_tag(component),
        )

    def _judge(
        self,
        component: Component,
        claim: str,
        rule: Rule,
        *,
        field: str = "",
        needs: Iterable[str] = (),
    ) -> Judgement:
        found = self.sight.find(component)
        if isinstance(found, Ruling):
            return self.sight.judge(component, claim, found)
        seen = cast("Workload", found)
        current, needs = self._family.current(seen), (RESOURCES[component.kind], *needs)
        ruling = rule(seen)
        if ruling.doomed and not image_claims.is_on_release(self.sight, component, seen):
            # What is doomed is the release before: ours has yet to arrive, and may be the one that mends it.
            ruling = replace(ruling, doomed=False)
        return self.sight.judge(component, claim, ruling, uids=self._uids(seen), field=field, pods=current, needs=needs)

    def _uids(self, seen: Workload) -> list[str]:
        """What events about a workload are bound to: a Deployment's pods are refused to its ReplicaSet."""
        newest = self._family.current_replicaset(seen) if isinstance(seen, Deployment) else None
        return [seen.metadata.uid, *([newest.metadata.uid] if newest else [])]

    def _rollout(self, seen: Workload) -> Ruling:
        match seen:
            case Deployment():
                ruling = rollout.deployment(seen, self._now)
                if ruling.state is State.PASSED and seen.spec.replicas and not self._family.current_replicaset(seen):
                    revision = seen.metadata.annotations.revision or "-"
                    return pending(
                        f"it owns no ReplicaSet of its revision {revision} (deployment.kubernetes.io/revision)"
                    )
                return ruling
            case StatefulSet():
                ruling = rollout.statefulset(seen)
            case DaemonSet():
                ruling = rollout.daemonset(seen)
        left = self._family.old(seen)
        if rollout.on_delete(seen) and left and ruling.state is not State.FAILED:
            return rollout.stale(f"{_names(left)} (label controller-revision-hash)")
        return ruling

    def _old_pods(self, seen: Workload) -> Ruling:
        left, strays = self._family.old(seen), self._family.strays(seen)
        going = [each for each in left if each.is_terminating]
        staying = [each for each in left if not each.is_terminating]
        if staying and isinstance(seen, RolledOut) and seen.keeps_the_old_stack:
            return passed(f"{len(staying)} of the old stack, kept up for a while on purpose: no traffic goes there")
        if staying:
            return pending(
                f"{len(staying)} pods of an old revision still run: {_names(staying)}",
                "The rollout is not over, or its controller does not replace them (OnDelete, a paused rollout).",
            )
        if going:
            return pending(
                f"{len(going)} pods of an old revision still terminate: {_names(going)} (metadata.deletionTimestamp)",
                "They finish their last work within the grace period; beyond it a finalizer or a lost node holds them.",
            )
        if strays:
            return pending(
                f"{len(strays)} pods match the selector and belong to no ReplicaSet that exists: {_names(strays)}",
                "A ReplicaSet was deleted without its pods (--cascade=orphan): they still take the Service's traffic.",
            )
        return passed("none left")

    def _pods_ready(self, seen: Workload) -> Ruling:
        current = self._family.current(seen)
        live = self._family.living(seen)
        wanted = _wanted(seen)
        soon = seen.spec.min_ready_seconds
        doubtful = live if soon else self._family.remarkable(seen)
        rulings = [pods.pod(each, now=self._now, min_ready_s=soon) for each in doubtful]
        unwell = sorted((each for each in rulings if not each.holds), key=gravity)
        if unwell:
            worst = unwell[0]
            seen_text = f"{len(unwell)} of {max(wanted, len(live))} pods are not ready: {worst.seen}"
            return Ruling(worst.state, seen_text, worst.cause, worst.doomed)
        if len(live) < wanted:
            return pending(
                f"{len(live)} of {wanted} pods of the current revision exist",
                "The rollout is still under way, or the controller may not create them: its events say why.",
            )
        leftovers = len([each for each in current if each.status.phase == "Failed"])
        return passed(f"{len(live)} pods ready" + (f", {leftovers} leftovers of lost nodes" if leftovers else ""))

    def _pods_doomed(self, seen: Workload) -> Ruling:
        live, doubtful = self._family.living(seen), self._family.remarkable(seen)
        rulings = [ruling for each in doubtful if (ruling := pods.doom(each, self._now))]
        found = [each for each in rulings if each.state is State.FAILED]
        if not found:
            return passed(f"none of {len(live)}")
        worst = min(found, key=gravity)
        return failed(f"{len(found)} of {len(live)} pods: {worst.seen}", worst.cause, doomed=worst.doomed)


def _owned_by(component: Component) -> tuple[str, ...]:
    return ("replicasets",) if component.kind == "Deployment" else ()


def _wanted(seen: Workload) -> int:
    return seen.status.desired_number_scheduled if isinstance(seen, DaemonSet) else seen.spec.replicas


def _scale(seen: Workload, *, may_be_zero: bool) -> Ruling:
    wanted = _wanted(seen)
    field = "status.desiredNumberScheduled" if isinstance(seen, DaemonSet) else "spec.replicas"
    if wanted or may_be_zero:
        return passed(f"{field} {wanted}")
    if isinstance(seen, DaemonSet):
        return failed(f"no node should run it ({field} 0)", "Its nodeSelector or tolerations match no node.")
    return failed(
        f"it is scaled to zero ({field} 0), which is not declared",
        "Somebody scaled it down by hand, or an autoscaler idles it: declare may_be_zero where that is intended.",
    )


def _names(found: list[Pod]) -> str:
    names = sorted(each.metadata.name for each in found)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def most_useful_pods(snapshot: Snapshot, environment: Environment) -> tuple[Pod, ...]:
    """At most one pod of each component in trouble, the one that says most: whose logs are worth fetching."""
    sight = Sight.of(snapshot, environment, snapshot.release)
    found: dict[str, Pod] = {}
    for component in environment.components.values():
        if component.kind in WORKLOAD_KINDS:
            seen = sight.find(component)
            candidates = [] if isinstance(seen, Ruling) else sight.family.current(cast("Workload", seen))
        else:
            candidates = batch_claims.pods_of(sight, component)
        if (pod := sight.diagnosis.most_useful(candidates)) is not None:
            found.setdefault(pod.metadata.uid, pod)
    return tuple(found.values())
