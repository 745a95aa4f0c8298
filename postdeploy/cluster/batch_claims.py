"""Claims about batch work: the migration of this release has completed, CronJobs are on the release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

from postdeploy.cluster import batch, gone_jobs, pods
from postdeploy.cluster.images import declared
from postdeploy.cluster.objects import CronJob, Job, Pod
from postdeploy.cluster.ruling import Ruling, doomed, failed, passed
from postdeploy.cluster.sight import Sight, Subject
from postdeploy.environment import Component
from postdeploy.verdict import Judgement, State

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def jobs_named(sight: Sight, component: Component) -> list[Job]:
    """Jobs of a component, newest first: its own name, or that name with a suffix (a Job cannot be changed)."""
    found = [
        each
        for each in sight.snapshot.jobs
        if each.metadata.namespace == component.namespace
        and gone_jobs.is_named(each.metadata.name, component)
        and declared(each.spec.template, component.image)
    ]
    return sorted(found, key=_created, reverse=True)


def _created(each: Job) -> datetime:
    return each.metadata.creation_timestamp or LONG_AGO


def is_on(job: Job, component: Component, tag: str) -> bool:
    """Whether all of a Job's containers of the component's image carry the tag."""
    images = declared(job.spec.template, component.image)
    return bool(images) and all(each.tag == tag for each in images.values())


def newest(sight: Sight, component: Component) -> Job | Ruling:
    """The Job of this release if there is one, else the component's newest; or why there is none."""
    found = jobs_named(sight, component)
    own = [each for each in found if is_on(each, component, sight.tag(component))]
    return next(iter(own or found), None) or _gone(sight, component)


def migration(sight: Sight, component: Component) -> Judgement:
    """The Job of this release, told by its image's tag, has completed."""
    claim = f"of {sight.tag(component)} has completed"
    job = newest(sight, component)
    if isinstance(job, Ruling):
        return sight.judge(component, claim, job)
    mine = sight.family.pods_of(job)
    ruling = _of_this_release(sight, component, job) or batch.job(job)
    if ruling.state is State.PENDING:
        ruling = _stuck(sight, mine) or ruling
    field = f"Job {job.metadata.name}, status.conditions"
    return sight.judge(component, claim, ruling, uids=[job.metadata.uid], field=field, pods=mine, needs=["jobs"])


def _of_this_release(sight: Sight, component: Component, job: Job) -> Ruling | None:
    tag = sight.tag(component)
    if is_on(job, component, tag):
        return None
    images = ", ".join(sorted({str(each) for each in declared(job.spec.template, component.image).values()}))
    return failed(
        f"no Job of this release: the newest, {job.metadata.name}, ran {images}",
        "The migration of this release was not started: its Job was not renamed, or the delivery stopped before it.",
    )


def _stuck(sight: Sight, mine: list[Pod]) -> Ruling | None:
    """A Job never fails over a pod that cannot start: it waits, and so would we."""
    for each in mine:
        found = pods.doom(each, sight.snapshot.taken) if each.is_live else None
        if found and found.doomed and "CrashLoopBackOff" not in found.seen:
            return doomed(f"its pod {each.metadata.name} cannot start: {found.seen}", found.cause)
    return None


def _gone(sight: Sight, component: Component) -> Ruling:
    """What is left of it tells how it ended, where its absence was seen at all."""
    return sight.gap(component.namespace, ["jobs"]) or gone_jobs.ended(sight, component)


def cronjob(sight: Sight, component: Component) -> Judgement:
    """On the release, suspended as declared, and no run of the release has failed."""
    claim = "is suspended as declared" if component.suspended else "makes Jobs of the release"
    found = sight.find(component)
    if isinstance(found, Ruling):
        return sight.judge(component, claim, found)
    seen = cast("CronJob", found)
    jobs = sorted(sight.family.jobs_of(seen), key=_created, reverse=True)
    ruling = _template(sight, component, seen) or _runs(sight, component, seen, jobs)
    mine = [pod for each in jobs[:1] for pod in sight.family.pods_of(each)]
    return sight.judge(
        component, claim, ruling, uids=[seen.metadata.uid], field="spec", pods=mine, needs=["cronjobs", "jobs"]
    )


def _template(sight: Sight, component: Component, seen: CronJob) -> Ruling | None:
    ruling = batch.cronjob(seen, suspended=component.suspended)
    if seen.spec.suspend != component.suspended or seen.metadata.deletion_timestamp:
        return ruling
    images = declared(seen.spec.job_template.spec.template, component.image)
    wrong = [str(each) for each in images.values() if each.tag and each.tag != sight.tag(component)]
    if wrong or not images:
        return failed(
            f"its Jobs would run {', '.join(wrong) or 'another image'} where {sight.tag(component)} is expected "
            "(spec.jobTemplate)",
            "The CronJob was not part of the delivery: old code runs at the next slot.",
        )
    return None


def _runs(sight: Sight, component: Component, seen: CronJob, jobs: list[Job]) -> Ruling:
    """Judges the runs that have this release's code; what old code did before is no finding about the release."""
    tag = sight.tag(component)
    for each in jobs:
        ruling = batch.job(each)
        if is_on(each, component, tag) and ruling.state is not State.PENDING:
            return passed(f"its run {each.metadata.name} completed") if ruling.holds else _run_failed(each, ruling)
    ruling = batch.cronjob(seen, suspended=component.suspended)
    return passed(f"on {tag}; {ruling.seen}")


def _run_failed(job: Job, ruling: Ruling) -> Ruling:
    return failed(f"its run {job.metadata.name} failed: {ruling.seen}", ruling.cause)


def makers(sight: Sight, component: Component) -> Iterator[tuple[Subject, list[Pod]]]:
    """Each object that made pods of a component's current code, with those pods."""
    if component.kind == "Job":
        for job in jobs_named(sight, component):
            yield job, sight.family.pods_of(job)
        return
    seen = sight.find(component)
    if isinstance(seen, CronJob):
        for job in sight.family.jobs_of(seen):
            yield job, sight.family.pods_of(job)
    elif not isinstance(seen, (Ruling, Job)):
        yield seen, sight.family.living(seen)


def pods_of(sight: Sight, component: Component) -> list[Pod]:
    """The pods of a batch component that have this release's code."""
    tag = sight.tag(component)
    return [
        pod
        for maker, found in makers(sight, component)
        for pod in found
        if isinstance(maker, Job) and is_on(maker, component, tag)
    ]
