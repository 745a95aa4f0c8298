"""Claims about batch work: the migration of this release has completed, CronJobs are on the release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from postdeploy.cluster import batch, gone_jobs, gone_runs, pods
from postdeploy.cluster.images import declared
from postdeploy.cluster.jobs import WHOSE_DIGEST, created, is_on, jobs_named, other_work
from postdeploy.cluster.objects import CronJob, Job, Pod
from postdeploy.cluster.ruling import Ruling, doomed, failed, passed, unverified
from postdeploy.cluster.sight import Sight, Subject
from postdeploy.environment import Component
from postdeploy.verdict import Judgement, State


def newest(sight: Sight, component: Component) -> Job | Ruling:
    """The Job of this release if there is one, else the component's newest; or why there is none."""
    own = _own(sight, component)
    mine = [each for each in own if not other_work(each.metadata.name, component)]
    return next(iter(mine or own or jobs_named(sight, component)), None) or _gone(sight, component)


def _own(sight: Sight, component: Component) -> list[Job]:
    """The component's Jobs of this release, newest first."""
    return [each for each in jobs_named(sight, component) if is_on(sight, component, each.spec.template)]


def migration(sight: Sight, component: Component) -> Judgement:
    """The Job of this release, told by its image's tag, has completed."""
    claim = f"of {sight.tag(component)} has completed"
    job = newest(sight, component)
    if isinstance(job, Ruling):
        return sight.judge(component, claim, job)
    mine = sight.family.pods_of(job)
    ruling = _of_this_release(sight, component, job) or _untold(sight, component) or batch.job(job)
    if ruling.state is State.PENDING:
        ruling = _stuck(sight, mine) or ruling
    field = f"Job {job.metadata.name}, status.conditions"
    return sight.judge(component, claim, ruling, uids=[job.metadata.uid], field=field, pods=mine, needs=["jobs"])


def _of_this_release(sight: Sight, component: Component, job: Job) -> Ruling | None:
    told = is_on(sight, component, job.spec.template)
    if told:
        return None
    images = ", ".join(sorted({str(each) for each in declared(job.spec.template, component.image).values()}))
    if told is None:
        return unverified(f"the newest Job, {job.metadata.name}, is pinned by digest alone ({images})", WHOSE_DIGEST)
    return failed(
        f"no Job of this release: the newest, {job.metadata.name}, ran {images}",
        "The migration of this release was not started: its Job was not renamed, or the delivery stopped before it.",
    )


def _untold(sight: Sight, component: Component) -> Ruling | None:
    """One Job of this release failed, and by its name the one that completed later may have done something else."""
    last = {other_work(each.metadata.name, component): each for each in reversed(_own(sight, component))}
    judged = [last[""]] if "" in last else last.values()
    done = [each for each in last.values() if batch.job(each).holds]
    for each in judged:
        later = next((other for other in done if created(other) > created(each)), None)
        if later and batch.job(each).state is State.FAILED:
            return unverified(
                f"{each.metadata.name} failed; {later.metadata.name} completed later, and nothing says it did the same",
                f"Read the log of {each.metadata.name}. Where the later one did its work again, delete the failed Job.",
            )
    return None


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
    jobs = sorted(sight.family.jobs_of(seen), key=created, reverse=True)
    ruling = _template(sight, component, seen) or _runs(sight, component, seen, jobs)
    mine = [pod for each in jobs[:1] for pod in sight.family.pods_of(each)]
    return sight.judge(
        component, claim, ruling, uids=[seen.metadata.uid], field="spec", pods=mine, needs=["cronjobs", "jobs"]
    )


def _template(sight: Sight, component: Component, seen: CronJob) -> Ruling | None:
    ruling = batch.cronjob(seen, suspended=component.suspended)
    if seen.spec.suspend != component.suspended or seen.metadata.deletion_timestamp:
        return ruling
    told = is_on(sight, component, seen.spec.job_template.spec.template)
    if told:
        return None
    images = declared(seen.spec.job_template.spec.template, component.image).values()
    wrong = ", ".join(sorted({str(each) for each in images if each.tag != sight.tag(component)}))
    if told is None:
        return unverified(f"its Jobs would run {wrong}, pinned by digest alone (spec.jobTemplate)", WHOSE_DIGEST)
    return failed(
        f"its Jobs would run {wrong or 'another image'} where {sight.tag(component)} is expected (spec.jobTemplate)",
        "The CronJob was not part of the delivery: old code runs at the next slot.",
    )


def _runs(sight: Sight, component: Component, seen: CronJob, jobs: list[Job]) -> Ruling:
    """Judges the runs that have this release's code; what old code did before is no finding about the release."""
    if not component.suspended and (gone := gone_runs.last_run(sight, seen, jobs)):
        return gone
    for each in jobs:
        if is_on(sight, component, each.spec.template):
            ruling = batch.job(each)
            if ruling.state is not State.PENDING:
                return passed(f"its run {each.metadata.name} completed") if ruling.holds else _run_failed(each, ruling)
            if stuck := _stuck(sight, sight.family.pods_of(each)):
                return doomed(f"its run {each.metadata.name} does not start: {stuck.seen}", stuck.cause)
    ruling = batch.cronjob(seen, suspended=component.suspended)
    return passed(f"on {sight.tag(component)}; {ruling.seen}")


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
    return [
        pod
        for maker, found in makers(sight, component)
        for pod in found
        if isinstance(maker, Job) and is_on(sight, component, maker.spec.template)
    ]
