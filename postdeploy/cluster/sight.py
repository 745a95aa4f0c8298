"""One snapshot beside one environment: finds what a component is in the cluster, and says what could not be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeAlias, TypeVar, cast

from postdeploy.cluster.diagnosis import Diagnosis
from postdeploy.cluster.objects import CronJob, DaemonSet, Deployment, Job, Pod, Snapshot, StatefulSet
from postdeploy.cluster.owners import Family, by_name
from postdeploy.cluster.progressive import as_deployment
from postdeploy.cluster.ruling import Ruling, failed, unverified
from postdeploy.environment import Component, Environment
from postdeploy.verdict import Judgement, State

Subject: TypeAlias = Deployment | StatefulSet | DaemonSet | CronJob | Job
T = TypeVar("T")

RESOURCES = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "CronJob": "cronjobs",
    "Job": "jobs",
}

DELIVERED_AS = {"rollout": "rollouts"}
"""What is looked for in place of a Deployment that is delivered progressively."""


class Sight:
    """What was seen, indexed once, and how a ruling about a component becomes a judgement."""

    _last: ClassVar[Sight | None] = None

    def __init__(
        self,
        snapshot: Snapshot,
        environment: Environment,
        release: str,
        digests: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.environment = environment
        self.release = release
        self.digests = digests or {}
        self.family = Family(snapshot)
        self.diagnosis = Diagnosis(snapshot, environment.suppressions)
        self._named: dict[str, Mapping[tuple[str, str], Subject]] = {
            "Deployment": by_name(snapshot.deployments),
            "StatefulSet": by_name(snapshot.statefulsets),
            "DaemonSet": by_name(snapshot.daemonsets),
            "CronJob": by_name(snapshot.cronjobs),
        }
        self._rollouts = by_name(snapshot.rollouts)
        self._gaps = {(each.resource, each.namespace): each.reason for each in snapshot.gaps}
        self._known: dict[tuple[str, str], Any] = {}

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        environment: Environment,
        release: str,
        digests: Mapping[str, frozenset[str]] | None = None,
    ) -> Sight:
        """The sight of this very snapshot: however many judges look at it, it is indexed once."""
        last = cls._last
        is_of_these = last and last.snapshot is snapshot and last.environment is environment
        if last and is_of_these and (last.release, last.digests) == (release, digests or {}):
            return last
        cls._last = cls(snapshot, environment, release, digests)
        return cls._last

    def once(self, what: str, name: str, work_out: Callable[[], T]) -> T:
        """What several claims need to know of the same thing, worked out for the first of them."""
        if (what, name) not in self._known:
            self._known[what, name] = work_out()
        found: T = self._known[what, name]
        return found

    def tag(self, component: Component) -> str:
        """The tag its image must carry: its pinned one, else the release."""
        return component.tag or self.release

    def gap(self, namespace: str, resources: Iterable[str]) -> Ruling | None:
        """The first of these resources that could not be read completely in this namespace."""
        for resource in resources:
            for scope in (namespace, ""):
                if (reason := self._gaps.get((resource, scope))) is not None:
                    return unverified(
                        f"{resource} in namespace {namespace} could not be read: {reason}",
                        "The verifier's own access or connection; it says nothing about the product.",
                    )
        return None

    def find(self, component: Component) -> Subject | Ruling:
        """The component's object, or why there is none."""
        found = self._progressive(component) if component.progressive else self._plain(component, component.name)
        if found is not None:
            return found
        resource = DELIVERED_AS.get(component.progressive or "", RESOURCES[component.kind])
        return self.gap(component.namespace, [resource]) or failed(
            f"not found among the {resource} of namespace {component.namespace}",
            "The delivery tool has not applied it: suspended, failing, or looking at another path; or it was deleted.",
        )

    def _plain(self, component: Component, name: str) -> Subject | None:
        return self._named[component.kind].get((component.namespace, name))

    def _progressive(self, component: Component) -> Subject | None:
        """What carries the traffic: the primary that Flagger makes of a Canary's target, or a Rollout's own pods."""
        if component.progressive == "canary":
            return self._plain(component, f"{component.name}-primary")
        found = self._rollouts.get((component.namespace, component.name))
        if found is None:
            return None
        refers = found.spec.workload_ref
        referred = self._plain(component, refers.name) if refers else None
        return as_deployment(found, cast("Deployment | None", referred))

    def judge(
        self,
        component: Component,
        claim: str,
        ruling: Ruling,
        *,
        uids: Iterable[str] = (),
        field: str = "",
        pods: Iterable[Pod] = (),
        needs: Iterable[str] = (),
    ) -> Judgement:
        """The ruling in four parts; what passed or pends without having been seen completely is unverified.

        A failure stands although something else could not be read: what was seen contradicts the expectation.
        """
        if ruling.state is not State.FAILED:
            ruling = self.gap(component.namespace, needs) or ruling
        title = f"{component.kind} {component.namespace}/{component.name}"
        where = ""
        if ruling.state not in (State.PASSED, State.NOT_APPLICABLE):
            pod = self.diagnosis.most_useful(pods)
            what = f"{title}, {field}" if field else title
            where = self.diagnosis.where(uids, component.namespace, what, pod)
        return Judgement(ruling.state, f"{title} {claim}", ruling.seen, where, ruling.cause, ruling.doomed)
