"""CronJobs with the Jobs they started, and the migration Job of the release."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from postdeploy.environment import Component
from rehearsal.builders import earlier, labels_of, make, stamp, tag_of, template
from rehearsal.kinds import Obj
from rehearsal.pods import ended, pod

if TYPE_CHECKING:
    from rehearsal.world import World


def slots(schedule: str, before: datetime, count: int) -> list[datetime]:
    """The last moments at which a cron schedule was due, newest first; days of the month are not looked at."""
    minute, hour, _, _, weekday = schedule.split()
    every = minute.removeprefix("*/")
    if minute.startswith("*"):
        step, first = timedelta(minutes=int(every) if every.isdigit() else 1), 0
    elif hour.startswith("*"):
        step, first = timedelta(hours=1), int(minute.split(",")[0]) * 60
    else:
        step, first = timedelta(days=1), int(hour.split(",")[0].split("-")[0]) * 3600 + int(minute.split(",")[0]) * 60
    base = before.replace(hour=0, minute=0, second=0) - timedelta(days=2) + timedelta(seconds=first)
    last = base + (before - base) // step * step
    due = (last - step * each for each in range(1000))
    return list(islice((each for each in due if _on(weekday, each)), count))


def _on(weekday: str, at: datetime) -> bool:
    """Whether a moment falls on a day that a schedule's last field names, Sunday being 0."""
    today = at.isoweekday() % 7
    for part in weekday.split(","):
        first, _, last = part.partition("-")
        if first == "*" or int(first) <= today <= int(last or first):
            return True
    return False


def cronjob(world: World, component: Component) -> None:
    """Store a CronJob on the release, with its last three completed Jobs on whatever was live when they ran."""
    due = slots(component.schedule or "*/15 * * * *", world.now - timedelta(seconds=30), 3)
    if component.suspended:
        due = [each - timedelta(days=40) for each in due]
    body = template(world, component, tag_of(component, world.release), restart="OnFailure")
    spec: Obj = {"schedule": component.schedule, "suspend": component.suspended, "concurrencyPolicy": "Forbid"}
    spec |= {"successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}
    spec["jobTemplate"] = {"metadata": {"labels": labels_of(component)}, "spec": {"template": body, "backoffLimit": 2}}
    space = component.namespace
    owner = make(world, "CronJob", component.name, space, world.born_at, labels=labels_of(component), spec=spec)
    owner["metadata"]["generation"] = 12
    owner["status"] = {"lastScheduleTime": stamp(due[0]), "lastSuccessfulTime": stamp(due[0] + timedelta(seconds=25))}
    world.put(owner)
    for at in due:
        tag = component.tag or (world.release if at >= world.rollout_at else earlier(world.release, 1))
        run = job(world, component, f"{component.name}-{int(at.timestamp()) // 60}", tag, at, owner)
        job_pod(world, run, at + timedelta(seconds=1), at + timedelta(seconds=24))


def migration(world: World, component: Component) -> None:
    """Store the migration Job of this release, completed before the rollout; some seeds needed a second attempt."""
    at = world.rollout_at - timedelta(seconds=70)
    run = job(world, component, component.name, tag_of(component, world.release), at, None)
    first = at + timedelta(seconds=1)
    if world.chance.draw("migration").random() < 0.3:
        job_pod(world, run, first, at + timedelta(seconds=8), exit_code=1)
        run["status"]["failed"] = 1
        first = at + timedelta(seconds=10)
    job_pod(world, run, first, at + timedelta(seconds=24))
    world.put(run)


def job(world: World, component: Component, name: str, tag: str, at: datetime, owner: Obj | None) -> Obj:
    """A Job of a component that completed 25 s after it began, stored."""
    uid = world.chance.uid("Job", component.namespace, name, world.release)
    labels = labels_of(component) | {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name}
    body = template(world, component, tag, restart="Never")
    body["metadata"]["labels"] |= labels | {"job-name": name}
    spec: Obj = {"template": body, "backoffLimit": 2, "completions": 1, "parallelism": 1, "suspend": False}
    spec |= {"completionMode": "NonIndexed", "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}}
    made = make(world, "Job", name, component.namespace, at, labels=labels, owner=owner, spec=spec)
    made["metadata"] |= {"uid": uid, "generation": 1}
    done = stamp(at + timedelta(seconds=25))
    conditions = [
        {
            "type": each,
            "status": "True",
            "reason": "CompletionsReached",
            "lastProbeTime": done,
            "lastTransitionTime": done,
        }
        for each in ("SuccessCriteriaMet", "Complete")
    ]
    made["status"] = {"succeeded": 1, "ready": 0, "terminating": 0, "startTime": stamp(at), "completionTime": done}
    made["status"] |= {"conditions": conditions, "uncountedTerminatedPods": {}}
    return world.put(made)


def job_pod(world: World, run: Obj, began: datetime, over: datetime, exit_code: int = 0) -> Obj:
    """A pod of a Job that ended, stored."""
    attempt = int((began - datetime.fromisoformat(run["metadata"]["creationTimestamp"])).total_seconds())
    name = f"{run['metadata']['name']}-{world.chance.suffix(5, run['metadata']['uid'], attempt)}"
    return world.put(ended(pod(world, name, run["spec"]["template"], run, began), over, exit_code))
