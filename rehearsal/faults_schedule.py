"""Faults of when batch work runs: CronJobs that make no Jobs or no good ones, and old code that goes on."""

from __future__ import annotations

from datetime import datetime, timedelta

from postdeploy.environment import Component
from rehearsal.batch import job, job_pod, slots
from rehearsal.builders import stamp
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.scene import Scene, component_of

SCHEDULE = "infra.batch.schedule"
OLD_CODE = "infra.batch.old-code"


@fault(SCHEDULE)
def cronjob_overdue(scene: Scene) -> None:
    """A CronJob has made no Job for three slots: a quota refuses them, and nothing of it looks ill."""
    component = awake(scene)
    last = slots(component.schedule or "", scene.ago(300), 4)[3]
    forget_runs(scene, component)
    _ran(scene, component, {"lastScheduleTime": stamp(last), "lastSuccessfulTime": stamp(last + timedelta(seconds=25))})


@fault(SCHEDULE)
def cronjob_never_scheduled(scene: Scene) -> None:
    """A CronJob that exists for months has never made a Job."""
    component = awake(scene)
    forget_runs(scene, component)
    _ran(scene, component, {})


@fault(SCHEDULE)
def cronjob_never_succeeded(scene: Scene) -> None:
    """A CronJob makes its Jobs on time, and not one of them ever ended well."""
    component = awake(scene)
    forget_runs(scene, component)
    _ran(scene, component, {"lastScheduleTime": scene.owner(component)["status"]["lastScheduleTime"]})


@fault(SCHEDULE)
def cronjob_schedule_changed(scene: Scene) -> None:
    """Somebody gave a CronJob another schedule by hand: it will not run when it must."""
    owner = scene.owner(awake(scene))
    owner["spec"]["schedule"] = "7 4 1 1 *"
    owner["metadata"]["generation"] += 1
    scene.world.put(owner)


@fault(OLD_CODE)
def old_code_job_running(scene: Scene) -> None:
    """A run that began hours before the rollout still works with the code of the release before."""
    start_run(scene, awake(scene), scene.previous, scene.world.rollout_at - timedelta(hours=3))


@fault(OLD_CODE)
def old_code_job_started_by_hand(scene: Scene) -> None:
    """After the rollout somebody started a Job from a copy of the old template."""
    at = scene.world.rollout_at + (scene.world.now - scene.world.rollout_at) * 0.75
    start_run(scene, awake(scene), scene.previous, at.replace(microsecond=0))


@fault(OLD_CODE, "degraded")
def old_code_job_ending(scene: Scene) -> None:
    """A run that began shortly before the rollout is not done yet."""
    start_run(scene, awake(scene), scene.previous, scene.world.rollout_at - timedelta(minutes=3))


def awake(scene: Scene) -> Component:
    """A CronJob that is meant to run, as the seed picks it."""
    found = [each for each in scene.components("CronJob") if not each.suspended]
    return scene.draw.choice(sorted(found, key=lambda each: each.name))


def forget_runs(scene: Scene, component: Component) -> None:
    """Let every Job that a CronJob made be gone, with its pods."""
    gone = [o for o in scene.world.objects.values() if component_of(o) == component.name and o["kind"] != "CronJob"]
    for obj in gone:
        scene.world.remove(obj)


def start_run(scene: Scene, component: Component, tag: str, at: datetime) -> Obj:
    """A run of a CronJob that began then and goes on."""
    owner = scene.owner(component)
    run = job(scene.world, component, f"{component.name}-{int(at.timestamp()) // 60}", tag, at, owner)
    run["status"] = {"active": 1, "ready": 1, "startTime": stamp(at), "uncountedTerminatedPods": {}}
    scene.world.put(run)
    pod = job_pod(scene.world, run, at, at)
    container = pod["status"]["containerStatuses"][0]
    container |= {"ready": True, "started": True, "state": {"running": {"startedAt": stamp(at)}}}
    pod["status"]["phase"] = "Running"
    for condition in pod["status"]["conditions"]:
        condition["status"] = "True"
        condition.pop("reason", None)
    scene.world.put(pod)
    refers = {"apiVersion": "batch/v1", "kind": "Job", "namespace": component.namespace}
    owner["status"]["active"] = [refers | {"name": run["metadata"]["name"], "uid": run["metadata"]["uid"]}]
    scene.world.put(owner)
    return run


def _ran(scene: Scene, component: Component, status: Obj) -> None:
    owner = scene.owner(component)
    owner["status"] = status
    scene.world.put(owner)
