"""The objects that make up the release right now, each with whether it is well; everything else is past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import cast

from postdeploy.cluster import batch, entries, jobs, network, pods, rollout, surround_claims
from postdeploy.cluster.images import declared
from postdeploy.cluster.objects import CronJob, DaemonSet, Deployment, Job, Pod, StatefulSet, Workload
from postdeploy.cluster.owners import Named
from postdeploy.cluster.ruling import Ruling
from postdeploy.cluster.sight import Sight
from postdeploy.environment import WORKLOAD_KINDS, Component
from postdeploy.verdict import State

ONE_ROLLOUT = timedelta(minutes=10)
"""Revisions made this close after each other belong to one rollout."""
ONE_DELIVERY = timedelta(hours=1)
"""And so do the steps of a delivery that come this soon, where no other release was rolled out between them."""
ALL_STEPS = timedelta(hours=6)
"""What all steps together may take. A release that was live long before was verified then, and is only renewed now."""
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
        for job in self._jobs(component):
            if jobs.is_on(self._sight, component, job.spec.template):
                ruling = batch.job(job)
                self._put(job, ruling)
                for pod in self._sight.family.pods_of(job):
                    self.pods[pod.metadata.uid] = pod
                    self._put(pod, ruling if ruling.state is not State.PENDING else pods.pod(pod, now=self._now))

    def _jobs(self, component: Component) -> Iterable[Job]:
        if component.kind == "Job":
            return jobs.jobs_named(self._sight, component)
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
    """When the rollout of the release began, by the server's clock: its first trace since the last of another release.

    A revision that took another release's place in these hours, and has kept it, counts: the release is served since.
    What has no such past, like a Job that may have been run days ahead, counts while it is close to the next trace.
    """
    return sight.once("began", "", lambda: _began(sight))


def _began(sight: Sight) -> datetime | None:
    moments = _moments(sight)
    if not moments:
        return None
    others = [at for _, before in _revisions(sight) for at in before]
    start = min((each for each in _served(sight) if moments[0] - each <= ALL_STEPS), default=moments[0])
    for each in moments:
        apart = ONE_ROLLOUT if any(each < other < start for other in others) else ONE_DELIVERY
        if timedelta() < start - each <= apart:
            start = each
    return start


def delivered(sight: Sight) -> datetime | None:
    """When the last part of the release was rolled out, by the server's clock."""
    return next(iter(_moments(sight)), None)


def _moments(sight: Sight) -> list[datetime]:
    """Every trace of the release, newest first."""
    return sight.once("moments", "", lambda: sorted(_traces(sight), reverse=True))


def _traces(sight: Sight) -> Iterator[datetime]:
    """When Helm deployed it, and when the revisions and the Jobs that carry its tag were made."""
    release = sight.release.removeprefix("v")
    for each in sight.snapshot.flux or ():
        deployed = next(iter(each.status.history), None)
        if deployed is None or deployed.last_deployed is None:
            continue
        if release in (deployed.chart_version.removeprefix("v"), deployed.app_version.removeprefix("v")):
            yield deployed.last_deployed
    for component in sight.environment.components.values():
        if component.kind == "Job" and component.tag is None:
            for job in jobs.jobs_named(sight, component):
                if jobs.is_on(sight, component, job.spec.template) and job.metadata.creation_timestamp:
                    yield job.metadata.creation_timestamp
    yield from (newest for newest, _ in _revisions(sight) if newest)


def _served(sight: Sight) -> Iterator[datetime]:
    """When those Deployments got the release that had another one before and have not had one since."""
    return (newest for newest, others in _revisions(sight) if newest and others and newest > max(others))


def _revisions(sight: Sight) -> list[tuple[datetime | None, list[datetime]]]:
    """Of each Deployment: when its newest revision was made, where that is the release's, and those of other ones."""
    parts = sight.environment.components.values()
    mine = [each for each in parts if each.kind == "Deployment" and each.tag is None]
    return sight.once("revisions", "", lambda: [found for each in mine if (found := _revisions_of(sight, each))])


def _revisions_of(sight: Sight, component: Component) -> tuple[datetime | None, list[datetime]] | None:
    seen = sight.find(component)
    if not isinstance(seen, Deployment):
        return None
    newest, others = sight.family.current_replicaset(seen), list[datetime]()
    for each in sight.family.replicasets_of(seen):
        at, made_from = each.metadata.creation_timestamp, each.spec.template
        if at and declared(made_from, component.image) and jobs.is_on(sight, component, made_from) is False:
            others.append(at)
    if newest is None or jobs.is_on(sight, component, seen.spec.template) is False:
        return None, others
    return newest.metadata.creation_timestamp, others
