"""Jobs and CronJobs: whether a Job has finished, and whether a CronJob does what was declared."""

from __future__ import annotations

from postdeploy.cluster.objects import CronJob, Job
from postdeploy.cluster.rollout import going
from postdeploy.cluster.ruling import Ruling, doomed, failed, passed, pending

JOB_CAUSES = {
    "BackoffLimitExceeded": "Its pods failed more often than spec.backoffLimit allows: read the log of the last one.",
    "DeadlineExceeded": "It ran longer than spec.activeDeadlineSeconds: a lock, or more rows than thought.",
    "PodFailurePolicy": "A pod failed in a way that spec.podFailurePolicy calls final.",
    "MaxFailedIndexesExceeded": "More indexes failed than spec.maxFailedIndexes allows.",
}


def job(seen: Job) -> Ruling:
    """Only `Complete=True` is success: a Job that runs, or is about to end well, has not."""
    for kind in ("Failed", "FailureTarget"):
        if (found := seen.condition(kind)) and found.is_true:
            cause = JOB_CAUSES.get(found.reason, "Read the log of its last pod.")
            return doomed(f"the Job has failed: {found}; {_counts(seen)}", cause)
    if (found := seen.condition("Complete")) and found.is_true:
        retries = f" after {seen.status.failed} failed pods" if seen.status.failed else ""
        return passed(f"ran to completion{retries}")
    if leaving := going(seen.metadata):
        return leaving
    if seen.spec.suspend or ((paused := seen.condition("Suspended")) and paused.is_true):
        return pending("suspended (spec.suspend): it will not run until it is resumed", "Somebody suspended it.")
    if (met := seen.condition("SuccessCriteriaMet")) and met.is_true:
        return pending(f"its success criteria are met, its pods have not ended: {_counts(seen)}")
    return pending(f"not finished: {_counts(seen)}", "It still runs, waits for a lock, or its pod cannot start.")


def _counts(seen: Job) -> str:
    status = seen.status
    return f"{status.active} active, {status.succeeded} succeeded, {status.failed} failed (status)"


def cronjob(seen: CronJob, *, suspended: bool = False) -> Ruling:
    """Suspended as declared, and its last scheduled run succeeded or is under way."""
    if found := going(seen.metadata):
        return found
    if seen.spec.suspend != suspended:
        return _wrongly_suspended(seen)
    status = seen.status
    if suspended:
        return passed("suspended, as declared (spec.suspend)")
    if status.active:
        return passed(f"{len(status.active)} runs under way, last scheduled {_at(seen)}")
    if status.last_schedule_time is None:
        return pending("it has never been scheduled (no status.lastScheduleTime): not due yet, or not picked up")
    if status.last_successful_time is None and seen.api_version != "batch/v1":
        return passed(f"last scheduled {_at(seen)}; this API version does not record success")
    if status.last_successful_time is None or status.last_successful_time < status.last_schedule_time:
        return failed(
            f"the run scheduled {_at(seen)} did not succeed "
            f"(status.lastSuccessfulTime {status.last_successful_time or 'absent'})",
            "The Job of the last run failed: read its log.",
        )
    return passed(f"the run scheduled {_at(seen)} succeeded")


def _wrongly_suspended(seen: CronJob) -> Ruling:
    if seen.spec.suspend:
        return failed(
            "it is suspended, which is not declared (spec.suspend true)",
            "Somebody suspended it by hand, for maintenance or for a deploy, and did not resume it.",
        )
    return failed("it runs although it is declared suspended (spec.suspend false)", "Somebody resumed it by hand.")


def _at(seen: CronJob) -> str:
    moment = seen.status.last_schedule_time
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "at an unknown time"
