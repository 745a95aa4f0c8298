"""One snapshot beside one environment: finds what a component is in the cluster, and says what could not be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from postdeploy.cluster.diagnosis import Diagnosis
from postdeploy.cluster.objects import CronJob, DaemonSet, Deployment, Job, Pod, Snapshot, StatefulSet
from postdeploy.cluster.owners import Family, by_name
from postdeploy.cluster.ruling import Ruling, failed, unverified
from postdeploy.environment import Component, Environment
from postdeploy.verdict import Judgement, State

Subject: TypeAlias = Deployment | StatefulSet | DaemonSet | CronJob | Job

RESOURCES = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "CronJob": "cronjobs",
    "Job": "jobs",
}


class Sight:
    """What was seen, indexed once, and how a ruling about a component becomes a judgement."""

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
        self._gaps = {(each.resource, each.namespace): each.reason for each in snapshot.gaps}

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
        found = self._named[component.kind].get((component.namespace, component.name))
        if found is not None:
            return found
        resource = RESOURCES[component.kind]
        return self.gap(component.namespace, [resource]) or failed(
            f"not found among the {resource} of namespace {component.namespace}",
            "The delivery tool has not applied it: suspended, failing, or looking at another path; or it was deleted.",
        )

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
