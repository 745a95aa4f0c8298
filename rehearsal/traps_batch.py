"""Batch work that stumbled and arrived, rests on purpose, or has been tidied up."""

from __future__ import annotations

from datetime import timedelta

from rehearsal.batch import job, job_pod
from rehearsal.builders import stamp
from rehearsal.entry import trap
from rehearsal.scene import Scene, component_of

MIGRATION = "infra.batch.migration"
CRONJOB = "infra.batch.cronjob"


@trap(CRONJOB)
def cronjob_intended_suspended(scene: Scene) -> None:
    """A CronJob that is declared suspended has never run, and is on the release."""
    declared = [each for each in scene.components("CronJob") if each.suspended]
    for component in declared:
        owner = scene.owner(component)
        owner["status"] = {}
        scene.world.put(owner)


@trap(CRONJOB)
def cronjob_under_way(scene: Scene) -> None:
    """A CronJob's run has just begun: it was scheduled after its last success."""
    component = next(each for each in scene.components("CronJob") if not each.suspended)
    owner, at = scene.owner(component), scene.ago(12)
    run = job(scene.world, component, f"{component.name}-{int(at.timestamp()) // 60}", scene.world.release, at, owner)
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
    refers |= {"name": run["metadata"]["name"], "uid": run["metadata"]["uid"]}
    owner["status"] |= {"active": [refers], "lastScheduleTime": stamp(at)}
    scene.world.put(owner)


@trap(MIGRATION)
def job_retry_then_complete(scene: Scene) -> None:
    """The migration met a lock twice and completed at the third attempt: two Failed pods stay."""
    component = scene.components("Job")[0]
    run = scene.owner(component)
    began = scene.world.rollout_at - timedelta(seconds=140)
    for attempt in range(2):
        at = began + timedelta(seconds=20 * attempt)
        job_pod(scene.world, run, at, at + timedelta(seconds=7), exit_code=1)
    run["status"]["failed"] = 2
    scene.world.put(run)


@trap(MIGRATION)
def migration_pods_collected(scene: Scene) -> None:
    """The migration completed, and its pods have been collected since."""
    component = scene.components("Job")[0]
    for pod in scene.world.pods_of(component.name, leftovers=True):
        scene.world.remove(pod)


@trap(MIGRATION, only_in="stage")
def migration_hook_deleted(scene: Scene) -> None:
    """The migration is a Helm hook, and Helm deleted its Job with pods and all as soon as it had succeeded."""
    name = scene.components("Job")[0].name
    for obj in [each for each in scene.world.objects.values() if component_of(each) == name]:
        scene.world.remove(obj)


@trap("infra.pods.doomed")
def failed_run_of_a_cronjob_long_ago(scene: Scene) -> None:
    """One run of a CronJob failed days ago and is kept as its failed history; all runs since were well."""
    component = next(each for each in scene.components("CronJob") if not each.suspended)
    owner, at = scene.owner(component), scene.world.previous_at + timedelta(days=1)
    run = job(scene.world, component, f"{component.name}-{int(at.timestamp()) // 60}", scene.previous, at, owner)
    said = {
        "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit",
        "status": "True",
    }
    said |= {"type": "Failed", "lastProbeTime": stamp(at), "lastTransitionTime": stamp(at)}
    run["status"] = {
        "failed": 3,
        "ready": 0,
        "startTime": stamp(at),
        "conditions": [said],
        "uncountedTerminatedPods": {},
    }
    scene.world.put(run)
    job_pod(scene.world, run, at, at + timedelta(seconds=9), exit_code=1)
