"""The objects that make up the release right now, each with whether it is well; everything else is past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import cast

from postdeploy.cluster import batch, batch_claims, entries, image_claims, network, pods, rollout, surround_claims
from postdeploy.cluster.objects import CronJob, DaemonSet, Deployment, Job, Pod, ReplicaSet, StatefulSet, Workload
from postdeploy.cluster.owners import Named
from postdeploy.cluster.ruling import Ruling
from postdeploy.cluster.sight import Sight
from postdeploy.environment import WORKLOAD_KINDS, Component
from postdeploy.verdict import State

ONE_ROLLOUT = timedelta(minutes=10)
"""Revisions made this close after each other belong to one rollout."""
WELL = frozenset({State.PASSED, State.DEGRADED, State.NOT_APPLICABLE})


class Current:
    """Every object of the release by its uid."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._now = sight.snapshot.taken
        self.pods: dict[str, Pod] = {}
        self._well: dict[str, bool] = {}
        for component in sight.environment.components.values():
            if component.kind in WORKLOAD_KINDS:
                self._add_workload(component)
            else:
                self._add_batch(component)
        self._add_surroundings()

    def is_well(self, uid: str) -> bool | None:
        """Whether an object is well now; None where it is not part of the release, or no more."""
        if uid not in self._well and uid in self.pods:
            pod = self.pods[uid]
            self._put(pod, None if pods.is_plainly_well(pod) else pods.pod(pod, now=self._now))
        return self._well.get(uid)

    def _put(self, seen: Named, ruling: Ruling | None) -> None:
        if seen.metadata.uid:
            self._well[seen.metadata.uid] = ruling is None or ruling.state in WELL

    def _add_workload(self, component: Component) -> None:
        found = self._sight.find(component)
        if isinstance(found, Ruling):
            return
        seen = cast("Workload", found)
        ruling = self._rollout(seen)
        self._put(seen, ruling)
        if isinstance(seen, Deployment) and (newest := self._sight.family.current_replicaset(seen)):
            self._put(newest, ruling)
        if scaler := surround_claims.autoscaler_of(self._sight, component):
            self._put(scaler, surround_claims.scales(self._sight, scaler, seen))
        for pod in self._sight.family.current(seen):
            self.pods[pod.metadata.uid] = pod

    def _rollout(self, seen: Workload) -> Ruling:
        match seen:
            case Deployment():
                return rollout.deployment(seen, self._now)
            case StatefulSet():
                return rollout.statefulset(seen)
            case DaemonSet():
                return rollout.daemonset(seen)

    def _add_batch(self, component: Component) -> None:
        """A Job of the release and its pods: of those only the Job says whether they came to a good end."""
        tag = self._sight.tag(component)
        for job in self._jobs(component):
            if batch_claims.is_on(job, component, tag):
                ruling = batch.job(job)
                self._put(job, ruling)
                for pod in self._sight.family.pods_of(job):
                    self.pods[pod.metadata.uid] = pod
                    self._put(pod, ruling if ruling.state is not State.PENDING else pods.pod(pod, now=self._now))

    def _jobs(self, component: Component) -> Iterable[Job]:
        if component.kind == "Job":
            return batch_claims.jobs_named(self._sight, component)
        found = self._sight.find(component)
        if not isinstance(found, CronJob):
            return ()
        self._put(found, batch.cronjob(found, suspended=component.suspended))
        return self._sight.family.jobs_of(found)

    def _add_surroundings(self) -> None:
        seen = self._sight.snapshot
        for claim in seen.persistentvolumeclaims:
            self._put(claim, network.volume_claim(claim, waits_for_consumer=True))
        for ingress in seen.ingresses:
            self._put(ingress, entries.ingress(ingress))
        for gateway in seen.gateways:
            self._put(gateway, entries.gateway(gateway))
        for route in seen.httproutes:
            self._put(route, entries.route(route))
        plain: tuple[Named, ...] = (*seen.services, *seen.endpointslices, *seen.poddisruptionbudgets)
        for each in plain:
            self._put(each, None)


def began(sight: Sight) -> datetime | None:
    """When the rollout of the release began, by the server's clock: the first of the last burst of its traces."""
    moments = sorted((each for each in _traces(sight) if each), reverse=True)
    if not moments:
        return None
    start = moments[0]
    for each in moments[1:]:
        if start - each > ONE_ROLLOUT:
            break
        start = each
    return start


def _traces(sight: Sight) -> Iterator[datetime | None]:
    """When Helm deployed it, and when the revisions and the Jobs that carry its tag were made."""
    release = sight.release.removeprefix("v")
    for each in sight.snapshot.flux or ():
        deployed = next(iter(each.status.history), None)
        if deployed and release in (deployed.chart_version.removeprefix("v"), deployed.app_version.removeprefix("v")):
            yield deployed.last_deployed
    for component in sight.environment.components.values():
        if component.tag is not None or component.kind == "CronJob":
            continue
        if component.kind == "Job":
            jobs = batch_claims.jobs_named(sight, component)
            yield from (e.metadata.creation_timestamp for e in jobs if batch_claims.is_on(e, component, sight.release))
        elif (newest := _newest(sight, component)) is not None:
            yield newest.metadata.creation_timestamp


def _newest(sight: Sight, component: Component) -> ReplicaSet | None:
    """The newest revision of a Deployment, where it carries the release."""
    found = sight.find(component)
    if not isinstance(found, Deployment) or not image_claims.is_on_release(sight, component, found):
        return None
    return sight.family.current_replicaset(found)
