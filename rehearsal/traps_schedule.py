"""Schedules that are kept though it does not look like it, and a migration whose Job was tidied up."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from rehearsal.batch import slots
from rehearsal.builders import stamp
from rehearsal.entry import trap
from rehearsal.faults_schedule import awake, forget_runs
from rehearsal.scene import Scene

SCHEDULE = "infra.batch.schedule"
MIGRATION = "infra.batch.migration"
ZONES = ("Asia/Tokyo", "Africa/Johannesburg", "Africa/Lagos", "America/Los_Angeles")


@trap(SCHEDULE)
def cronjob_just_created(scene: Scene) -> None:
    """A CronJob was made after its last slot: it has never run, and is not due yet."""
    component = awake(scene)
    forget_runs(scene, component)
    owner = scene.owner(component)
    last = slots(component.schedule or "", scene.ago(30), 1)[0]
    owner["metadata"]["creationTimestamp"] = stamp(last + timedelta(seconds=20))
    owner["status"] = {}
    scene.world.put(owner)


@trap(SCHEDULE)
def schedule_in_another_time_zone(scene: Scene) -> None:
    """A daily CronJob keeps its schedule in a zone of its own, where today's slot is at another hour."""
    daily = [e for e in scene.components("CronJob") if not e.suspended and (e.schedule or "").endswith("* * *")]
    component = next(each for each in daily if each.schedule and each.schedule.split()[1].isdigit())
    forget_runs(scene, component)
    due = {each: slots(component.schedule or "", scene.ago(30).astimezone(ZoneInfo(each)), 1)[0] for each in ZONES}
    zone, last = min(due.items(), key=lambda pair: pair[1].timestamp())
    last = last.astimezone(UTC)
    owner = scene.owner(component)
    owner["spec"]["timeZone"] = zone
    owner["status"] = {"lastScheduleTime": stamp(last), "lastSuccessfulTime": stamp(last + timedelta(seconds=25))}
    scene.world.put(owner)


@trap(MIGRATION)
def migration_deleted_by_hook(scene: Scene) -> None:
    """A Helm hook deleted the migration's Job once it had completed: an event of type Normal still says that it did."""
    component = scene.components("Job")[0]
    run = scene.owner(component)
    forget_runs(scene, component)
    ago_s = (scene.world.now - scene.world.rollout_at).total_seconds() + 45
    scene.world.note(run, "Completed", "Job completed", ago_s=ago_s)


@trap(MIGRATION)
def migration_job_deleted_pod_left(scene: Scene) -> None:
    """Somebody deleted the migration's Job without its pods: the one that succeeded is still there."""
    scene.world.remove(scene.owner(scene.components("Job")[0]))
