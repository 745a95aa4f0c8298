"""Faults of batch work: the migration of the release, and the CronJobs."""

from __future__ import annotations

from datetime import datetime, timedelta

from postdeploy.environment import Component
from rehearsal.batch import job, job_pod
from rehearsal.builders import stamp
from rehearsal.entry import fault
from rehearsal.faults_schedule import forget_runs
from rehearsal.kinds import Obj
from rehearsal.scene import Scene, component_of, retag

MIGRATION = "infra.batch.migration"
CRONJOB = "infra.batch.cronjob"
BACKOFF = "Job has reached the specified backoff limit"


@fault(MIGRATION)
def migration_failed(scene: Scene) -> None:
    """The migration of this release failed three times and gave up."""
    run = _without_pods(scene)
    began = scene.world.rollout_at - timedelta(seconds=160)
    for attempt in range(3):
        at = began + timedelta(seconds=30 * attempt)
        _fails(scene, job_pod(scene.world, run, at, at + timedelta(seconds=9), exit_code=1))
    _gave_up(run, began + timedelta(seconds=80), 3)
    scene.world.put(run)
    scene.world.note(run, "BackoffLimitExceeded", BACKOFF, warning=True, ago_s=300)


@fault(MIGRATION)
def migration_hangs(scene: Scene) -> None:
    """The migration of this release still runs: it waits for a lock that an open transaction holds."""
    run = _without_pods(scene)
    began = scene.world.rollout_at - timedelta(seconds=30)
    pod = job_pod(scene.world, run, began, began)
    status = pod["status"]["containerStatuses"][0]
    status |= {"ready": True, "started": True, "state": {"running": {"startedAt": stamp(began)}}}
    pod["status"]["phase"] = "Running"
    for condition in pod["status"]["conditions"]:
        condition["status"] = "True"
        condition.pop("reason", None)
    scene.world.put(pod)
    _writes(scene, pod, ("  Applying ledger.0093_entry_booked_at...",))
    run["status"] = {
        "active": 1,
        "ready": 1,
        "terminating": 0,
        "startTime": stamp(began),
        "uncountedTerminatedPods": {},
    }
    scene.world.put(run)


@fault(MIGRATION)
def migration_of_old_release(scene: Scene) -> None:
    """The only migration that ever completed is the one of the release before."""
    component = _migration(scene)
    scene.take_from(scene.before(), [component])


@fault(MIGRATION, "unverified")
def migration_missing(scene: Scene) -> None:
    """The migration Job is gone and no event tells how it ended: it may have failed like it may have completed."""
    _collect(scene)
    without_hooks(scene)


@fault(MIGRATION, "unverified", only_in="stage")
def migration_hooks_disabled(scene: Scene) -> None:
    """The Helm hook that migrates was switched off in an incident and stayed so: nothing ran, and Helm is content."""
    _collect(scene)
    without_hooks(scene)


@fault(MIGRATION)
def migration_failed_and_collected(scene: Scene) -> None:
    """The migration failed and its Job was deleted after its time to live; an event still says that it gave up."""
    run = scene.owner(_migration(scene))
    _collect(scene)
    scene.world.note(run, "BackoffLimitExceeded", BACKOFF, warning=True, ago_s=280)


@fault(CRONJOB)
def cronjob_suspended(scene: Scene) -> None:
    """A CronJob was suspended during an incident and never resumed."""
    owner = scene.owner(_cronjob(scene))
    owner["spec"]["suspend"] = True
    owner["metadata"]["generation"] += 1
    scene.world.put(owner)


@fault(CRONJOB)
def cronjob_old_tag(scene: Scene) -> None:
    """One CronJob was left out of the release: its next run uses the old image."""
    component = _cronjob(scene)
    owner = scene.owner(component)
    retag(owner["spec"]["jobTemplate"]["spec"]["template"]["spec"], component.image, scene.previous)
    scene.world.put(owner)


@fault(CRONJOB)
def cronjob_run_failed(scene: Scene) -> None:
    """The first run of a CronJob on this release failed."""
    component = _cronjob(scene)
    forget_runs(scene, component)  # its schedule may have made one since
    owner, at = scene.owner(component), scene.ago(150)
    run = job(scene.world, component, f"{component.name}-{int(at.timestamp()) // 60}", scene.world.release, at, owner)
    _fails(scene, job_pod(scene.world, run, at, at + timedelta(seconds=11), exit_code=1))
    _gave_up(run, at + timedelta(seconds=12), 3)
    scene.world.put(run)
    owner["status"]["lastScheduleTime"] = stamp(at)
    owner["status"]["lastSuccessfulTime"] = stamp(at - timedelta(hours=1))
    scene.world.put(owner)


@fault(CRONJOB)
def cronjob_run_failed_and_collected(scene: Scene) -> None:
    """The first run of a CronJob on this release failed, like all of the last days, and no failed Job is kept."""
    component, at = _cronjob(scene), scene.ago(70)
    forget_runs(scene, component)
    owner = scene.owner(component)
    owner["status"] = {"lastScheduleTime": stamp(at), "lastSuccessfulTime": stamp(at - timedelta(days=3))}
    scene.world.put(owner)


@fault(CRONJOB)
def cronjob_resumed(scene: Scene) -> None:
    """A CronJob that must only run by hand is no longer suspended."""
    declared = [each for each in scene.components("CronJob") if each.suspended]
    owner = scene.owner(scene.draw.choice(sorted(declared, key=lambda each: each.name)))
    owner["spec"]["suspend"] = False
    scene.world.put(owner)


def _gave_up(run: Obj, at: datetime, attempts: int) -> None:
    said = {"reason": "BackoffLimitExceeded", "message": BACKOFF, "status": "True"}
    said |= {"lastProbeTime": stamp(at), "lastTransitionTime": stamp(at)}
    run["status"] = {"failed": attempts, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}}
    run["status"] |= {"startTime": run["metadata"]["creationTimestamp"]}
    run["status"]["conditions"] = [said | {"type": "FailureTarget"}, said | {"type": "Failed"}]


def _migration(scene: Scene) -> Component:
    return scene.components("Job")[0]


def _cronjob(scene: Scene) -> Component:
    found = [each for each in scene.components("CronJob") if not each.suspended]
    return scene.draw.choice(sorted(found, key=lambda each: each.name))


def without_hooks(scene: Scene) -> None:
    """Let Helm run no hooks in its upgrades, where the migration is one."""
    if hook_of := _migration(scene).hook_of:
        found = scene.world.get("HelmRelease", hook_of, scene.world.environment.flux.namespace)
        found["spec"]["upgrade"] = {"disableHooks": True}
        scene.world.put(found)


def _collect(scene: Scene) -> None:
    name = _migration(scene).name
    for obj in [each for each in scene.world.objects.values() if component_of(each) == name]:
        scene.world.remove(obj)


def _without_pods(scene: Scene) -> Obj:
    component = _migration(scene)
    for pod in scene.world.pods_of(component.name):
        scene.world.remove(pod)
    return scene.owner(component)


def _fails(scene: Scene, pod: Obj) -> None:
    _writes(
        scene,
        pod,
        (
            "Operations to perform:",
            "  Apply all migrations: accounts, cashier, kyc, ledger, trading",
            "Running migrations:",
            "  Applying ledger.0093_entry_booked_at...",
            'django.db.utils.ProgrammingError: column "booked_at" of relation "ledger_entry" already exists',
        ),
    )


def _writes(scene: Scene, pod: Obj, lines: tuple[str, ...]) -> None:
    meta, container = pod["metadata"], pod["spec"]["containers"][0]["name"]
    written = [f"{meta['creationTimestamp']} {line}" for line in lines]
    scene.world.logs[meta["namespace"], meta["name"], container, False] = written
