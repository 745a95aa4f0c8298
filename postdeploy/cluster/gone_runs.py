"""How the last run of a CronJob ended whose Job is gone: a history limit or its time to live deletes a failure too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from postdeploy.cluster import batch
from postdeploy.cluster.current import delivered
from postdeploy.cluster.gone_jobs import COMPLETED, told_ends
from postdeploy.cluster.jobs import created
from postdeploy.cluster.objects import CronJob, Event, Job
from postdeploy.cluster.ruling import Ruling, degraded, failed, passed
from postdeploy.cluster.sight import Sight

FOLLOWS = timedelta(minutes=1)
"""How long the status may take to tell of a run that has ended."""
HANDED_OVER = timedelta(minutes=2)
"""A delivery reaches its CronJobs a little after its Deployments."""
AT_ONCE_S = 10
"""A Job that lives no longer than this may be deleted before the CronJob's controller has seen that it succeeded."""


def last_run(sight: Sight, seen: CronJob, kept: Iterable[Job]) -> Ruling | None:
    """What is left of the run of its last slot; None where that had old code, is still there, or did succeed."""
    slot = seen.status.last_schedule_time
    if slot is None or not _is_of_the_release(sight, slot) or sight.gap(seen.metadata.namespace, ["jobs"]):
        return None
    if any(created(each) >= slot for each in kept) or _is_open(sight, seen, slot):
        return None
    return _ended(seen, slot, _told(sight, seen, slot))


def _is_of_the_release(sight: Sight, slot: datetime) -> bool:
    last = delivered(sight)
    return last is not None and slot > last + HANDED_OVER


def _is_open(sight: Sight, seen: CronJob, slot: datetime) -> bool:
    """Whether the run goes on, has succeeded, or cannot be told by the status yet, or at all."""
    status = seen.status
    succeeded = status.last_successful_time is not None and status.last_successful_time >= slot
    is_new = sight.snapshot.taken - slot <= FOLLOWS
    return bool(status.active) or succeeded or is_new or seen.api_version != "batch/v1"


def _told(sight: Sight, seen: CronJob, slot: datetime) -> Event | None:
    """The event of the Job that was made for that slot: its name says the minute."""
    name = f"{seen.metadata.name}-{int(slot.timestamp()) // 60}"
    return next((each for each in told_ends(sight, seen.metadata.namespace) if each.about.name == name), None)


def _ended(seen: CronJob, slot: datetime, event: Event | None) -> Ruling:
    run = f"its run scheduled {slot:%Y-%m-%dT%H:%M:%SZ}, by this release's code,"
    if event is not None and event.reason == COMPLETED:
        return passed(f"{run} is gone, and an event says that it completed")
    if event is not None:
        return failed(
            f"{run} is gone, and its event says {event.reason}: {event.text}",
            batch.JOB_CAUSES.get(event.reason, "Read its log where logs are kept."),
        )
    success = seen.status.last_successful_time
    last = f"{success:%Y-%m-%dT%H:%M:%SZ}" if success else "absent"
    text = f"{run} did not succeed, and its Job is gone (status.lastSuccessfulTime {last})"
    lives_s = seen.spec.job_template.spec.ttl_seconds_after_finished
    if lives_s is not None and lives_s < AT_ONCE_S:
        return degraded(text, f"It failed; or its success was never seen, for it is deleted after {lives_s} s.")
    return failed(text, "It failed, and failedJobsHistoryLimit or its time to live deleted it: read its log.")
