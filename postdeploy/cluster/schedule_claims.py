"""Claims about when batch work runs: CronJobs by their schedule, and no Job of old code beside the new release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from postdeploy.cluster.current import began
from postdeploy.cluster.gone_runs import HANDED_OVER
from postdeploy.cluster.images import declared
from postdeploy.cluster.jobs import WHOSE_DIGEST, is_on, jobs_named
from postdeploy.cluster.objects import CronJob, Job, Snapshot
from postdeploy.cluster.ruling import Ruling, degraded, failed, gravest, not_applicable, passed, unverified
from postdeploy.cluster.schedule import Unreadable, due, same
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import Component, Environment
from postdeploy.verdict import Judgement, State

LATE_S = 100
"""What the controller may be late by where startingDeadlineSeconds says nothing."""
GRACE_S = 60
"""For the time between a slot, the Job's start, and our look."""
OLD_CODE_GRACE = timedelta(minutes=10)
"""A run that began this shortly before the rollout is on its last errand; an older one may go on for hours."""
HANGS = 4
"""A run that holds back so many slots, and takes so many times as long as any that is kept, hangs."""
GOING = timedelta(minutes=5)
"""How long a pod that was told to go may outlast its grace period."""


class BatchClaims:
    """What one environment's CronJobs and Jobs do around a release."""

    def __init__(
        self,
        snapshot: Snapshot,
        environment: Environment,
        release: str,
        digests: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.sight = Sight.of(snapshot, environment, release, digests)
        self._began = began(self.sight)

    def schedule(self, component: Component) -> Judgement:
        """The CronJob runs when its schedule says, and has succeeded before."""
        found = self.sight.find(component)
        if isinstance(found, Ruling):
            return self.sight.judge(component, "runs by its schedule", found)
        seen = cast("CronJob", found)
        now, jobs = self.sight.snapshot.taken, self.sight.family.jobs_of(seen)
        ruling = _asleep(component, seen) or _schedule(component, seen, now, self._began)
        if ruling.state is State.PASSED:
            ruling = _hangs(seen, jobs, now) or ruling
        uids = [seen.metadata.uid]
        return self.sight.judge(
            component, "runs by its schedule", ruling, uids=uids, field="status", needs=["cronjobs"]
        )

    def old_code(self) -> Judgement:
        """No Job that was made from the template of an earlier release still runs, and no pod of one."""
        claim = f"no Job of an earlier release than {self.sight.release} still runs"
        found = [(job, component) for component in self._batch() for job in self._old(component)]
        ruling = self._gone_on(found) or self._gap() or passed("none is active")
        where = "\n".join(f"Job {job.metadata.namespace}/{job.metadata.name}, status.active" for job, _ in found)
        return Judgement(ruling.state, claim, ruling.seen, where, ruling.cause)

    def _batch(self) -> list[Component]:
        parts = self.sight.environment.components.values()
        return [each for each in parts if each.kind in ("CronJob", "Job") and each.tag is None]

    def _old(self, component: Component) -> Iterator[Job]:
        """Jobs of a component with pods that run, or are going, and whose image is not known for the release's."""
        for job in self._jobs(component):
            runs = (job.status.active or job.status.terminating) and declared(job.spec.template, component.image)
            if runs and not is_on(self.sight, component, job.spec.template):
                yield job

    def _jobs(self, component: Component) -> list[Job]:
        if component.kind == "Job":
            return jobs_named(self.sight, component)
        seen = self.sight.find(component)
        return self.sight.family.jobs_of(seen) if isinstance(seen, CronJob) else []

    def _gone_on(self, found: list[tuple[Job, Component]]) -> Ruling | None:
        if not found:
            return None
        if self._began is None:
            return not_applicable(f"nothing of {self.sight.release} runs yet: all code is that of an earlier release")
        rulings = [self._judged(job, component, self._began) for job, component in found]
        return gravest(rulings, rulings[0])

    def _judged(self, job: Job, component: Component, rollout: datetime) -> Ruling:
        if is_on(self.sight, component, job.spec.template) is None:
            return unverified(f"{job.metadata.name} is pinned by digest alone, which names no release", WHOSE_DIGEST)
        if not job.status.active and not self._outlasts(job):
            return degraded(
                f"{job.metadata.name} is no more active, but {job.status.terminating} of its pods are still going",
                "They run the old code until they have ended: look again.",
            )
        return _old_code(job, component, rollout)

    def _outlasts(self, job: Job) -> bool:
        """Whether a pod of it was told to go long ago and did not."""
        told = [each.metadata.deletion_timestamp for each in self.sight.family.pods_of(job) if not each.is_over]
        return any(each is not None and self.sight.snapshot.taken - each > GOING for each in told)

    def _gap(self) -> Ruling | None:
        pairs = {(each.namespace, RESOURCES[each.kind]) for each in self._batch()} | {
            (each.namespace, "jobs") for each in self._batch()
        }
        gaps = (self.sight.gap(namespace, [resource]) for namespace, resource in sorted(pairs))
        return next((each for each in gaps if each), None)


def _old_code(job: Job, component: Component, rollout: datetime) -> Ruling:
    created = job.metadata.creation_timestamp or rollout
    images = ", ".join(sorted({str(each) for each in declared(job.spec.template, component.image).values()}))
    what = f"{job.metadata.name} runs {images} since {created:%Y-%m-%dT%H:%M:%SZ}"
    if created > rollout + HANDED_OVER:
        return failed(
            f"{what}: it was started after the rollout began ({rollout:%H:%M:%SZ})",
            "Its CronJob was not part of the delivery, or somebody started the old Job by hand.",
        )
    if rollout - created > OLD_CODE_GRACE:
        return failed(
            f"{what}: it began {_span(rollout - created)} before the rollout and goes on",
            "A long run, or one that hangs: code of two releases works on the same data. Let it end or delete it.",
        )
    return degraded(
        f"{what}: it began shortly before the rollout ({rollout:%H:%M:%SZ})", "It should end soon: look again."
    )


def _asleep(component: Component, seen: CronJob) -> Ruling | None:
    if component.suspended:
        return not_applicable("it is declared suspended: it has no schedule to keep")
    if seen.spec.suspend:
        return not_applicable("it is suspended, which infra.batch.cronjob judges")
    return None


def _schedule(component: Component, seen: CronJob, now: datetime, rollout: datetime | None) -> Ruling:
    spec, zone = seen.spec, seen.spec.time_zone
    allowed = timedelta(seconds=(spec.starting_deadline_seconds or LATE_S) + GRACE_S)
    try:
        if component.schedule and not same(component.schedule, spec.schedule):
            return failed(
                f"its schedule is {spec.schedule!r} where {component.schedule!r} is declared (spec.schedule)",
                "It was changed by hand, or the environment file was not.",
            )
        past = due(spec.schedule, zone, now, 1)
        owed = due(spec.schedule, zone, now - allowed, 2)
    except Unreadable as error:
        return unverified(str(error), "What it was due for cannot be told.")
    when = f"{spec.schedule}{f' {zone}' if zone else ''}"
    late = _overdue(seen, owed, when, rollout)
    return late or _never_succeeded(seen, owed, when) or passed(_in_step(seen, past, when))


def _overdue(seen: CronJob, owed: list[datetime], when: str, rollout: datetime | None) -> Ruling | None:
    """The latest slot that must have had its Job by now, and has not."""
    created, last = seen.metadata.creation_timestamp, seen.status.last_schedule_time
    if not owed or (created and created > owed[0]) or (last and last >= owed[0]):
        return None
    if seen.status.active and seen.spec.concurrency_policy == "Forbid":
        return None
    said = f"the last one was {_at(last)}" if last else "it has never been scheduled"
    text = f"it was due {_at(owed[0])} ({when}) and no Job was made: {said} (status.lastScheduleTime)"
    if _may_be_younger(seen, owed[0], rollout):
        return degraded(
            f"{text}; but it was changed at least once (metadata.generation), and the rollout came after that slot",
            "A schedule that came with the release makes up for no slot older than startingDeadlineSeconds: look again "
            "after its next slot.",
        )
    return failed(
        text,
        "Its controller does not make Jobs: a quota, an admission webhook, a startingDeadlineSeconds too short, "
        "or the control plane; its events say which.",
    )


def _may_be_younger(seen: CronJob, slot: datetime, rollout: datetime | None) -> bool:
    """Whether the rollout may have given it the schedule that a slot is of, too late for a Job of that slot."""
    has_deadline = seen.spec.starting_deadline_seconds is not None
    return has_deadline and (seen.metadata.generation or 1) > 1 and rollout is not None and rollout > slot


def _never_succeeded(seen: CronJob, owed: list[datetime], when: str) -> Ruling | None:
    """Two slots have passed since it was made, Jobs were made, and none of them ever succeeded."""
    created, status = seen.metadata.creation_timestamp, seen.status
    if seen.api_version != "batch/v1" or status.last_successful_time or not status.last_schedule_time:
        return None
    if len(owed) < 2 or (created and created > owed[1]) or status.active:
        return None
    return failed(
        f"it has never succeeded: scheduled last {_at(status.last_schedule_time)} ({when}), "
        "and there is no status.lastSuccessfulTime",
        "Every run of it failed, or was deleted before it ended: read the log of the last one.",
    )


def _hangs(seen: CronJob, jobs: list[Job], now: datetime) -> Ruling | None:
    """Where one run holds back the next, only what its earlier runs took tells whether it is a long one or hangs."""
    took = [
        e.status.completion_time - e.status.start_time for e in jobs if e.status.completion_time and e.status.start_time
    ]
    active = [e.metadata.creation_timestamp for e in jobs if e.status.active and e.metadata.creation_timestamp]
    if not took or not active or seen.spec.concurrency_policy != "Forbid":
        return None
    began, held_back = min(active), due(seen.spec.schedule, seen.spec.time_zone, now, HANGS)
    if len(held_back) < HANGS or began >= held_back[-1] or now - began <= HANGS * max(took):
        return None
    return degraded(
        f"a run is under way since {_at(began)} and holds back every slot since, where none that is kept took longer "
        f"than {_span(max(took))}",
        "It hangs: read the log of its pod. An activeDeadlineSeconds would end it.",
    )


def _in_step(seen: CronJob, past: list[datetime], when: str) -> str:
    created, last = seen.metadata.creation_timestamp, seen.status.last_schedule_time
    if last is None:
        since = f" since it was made {_at(created)}" if created else ""
        return f"not due yet{since} ({when})"
    if seen.status.active and past and last < past[0]:
        return f"a run is under way since {_at(last)}, the next one waits for it ({when})"
    return f"due {_at(past[0]) if past else 'never yet'}, last scheduled {_at(last)} ({when})"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "at an unknown time"


def _span(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
