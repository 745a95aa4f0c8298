"""The migration of this release has completed; CronJobs are on the release and as awake as declared."""

from __future__ import annotations

import pytest

from postdeploy.cluster import batch
from postdeploy.cluster.objects import Gap
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import EARLIER, LONG_AGO, NOW, OLD, REPO, SCRIPT, claims, component, condition, seen, waiting

MIGRATE = component("Job", "migrate")
NIGHTLY = component("CronJob", "nightly", image=SCRIPT)


def job(*conditions, spec=None, meta=None, **status):
    found = {"conditions": list(conditions)} | status
    return batch.job(seen(build.job(done=False, status=found, spec=spec or {}, metadata=meta or {})))


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([condition("Complete")], State.PASSED),
        ([condition("SuccessCriteriaMet"), condition("Complete")], State.PASSED),
        ([condition("SuccessCriteriaMet")], State.PENDING),
        ([condition("Failed", "True", "BackoffLimitExceeded")], State.FAILED),
        ([condition("FailureTarget", "True", "DeadlineExceeded")], State.FAILED),
        ([condition("Suspended", "True", "JobSuspended")], State.PENDING),
        ([condition("Suspended", "False", "JobResumed")], State.PENDING),
        ([condition("Failed", "False")], State.PENDING),
        ([], State.PENDING),
    ],
)
def test_job_is_done_only_when_complete(conditions, state):
    assert job(*conditions).state is state


def test_failed_job_is_final_and_says_why():
    ruling = job(condition("Failed", "True", "DeadlineExceeded"))
    assert ruling.doomed
    assert "activeDeadlineSeconds" in ruling.cause
    assert job(condition("Failed", "True", "Custom")).cause


def test_job_that_is_being_deleted_will_not_complete():
    assert job(meta={"deletionTimestamp": NOW}).doomed
    assert job(condition("Complete"), meta={"deletionTimestamp": NOW}).state is State.PASSED


def test_job_with_no_retries_left_to_give_still_runs():
    assert job(spec={"backoffLimit": 0}, failed=0, active=1).state is State.PENDING


def test_retries_of_a_completed_job_are_said():
    assert "after 2 failed pods" in job(condition("Complete"), failed=2).seen


def migration(*raw, **more):
    return claims(*raw, over=(MIGRATE,), **more).migration(MIGRATE)


def test_migration_of_this_release_passes():
    assert migration(build.job()).state is State.PASSED


def test_migration_may_carry_a_suffix_and_the_one_of_this_release_counts():
    old = build.job("migrate-46", f"{REPO}:{OLD}", metadata={"creationTimestamp": NOW})
    assert migration(old, build.job("migrate-47")).holds


def test_migration_of_the_old_release_is_not_ours():
    judgement = migration(build.job(image=f"{REPO}:{OLD}"))
    assert judgement.state is State.FAILED
    assert OLD in judgement.seen


def test_newest_try_of_this_release_counts():
    failed = build.job("migrate-a", done=False, status={"conditions": [condition("Failed")]})
    assert migration(failed, build.job("migrate-b", metadata={"creationTimestamp": NOW})).holds
    assert migration(build.job("migrate-b", metadata={"creationTimestamp": LONG_AGO}), failed).state is State.FAILED


def test_jobs_of_other_names_and_images_are_not_migrations():
    others = [build.job("migrated"), build.job("migrate-x", "busybox:1")]
    assert migration(*others).state is State.UNVERIFIED


def test_migration_that_was_collected_proves_nothing():
    judgement = migration()
    assert judgement.state is State.UNVERIFIED
    assert "ttlSecondsAfterFinished" in judgement.cause


def test_event_of_a_collected_migration_still_tells_its_failure():
    judgement = migration(build.event("migrate", "BackoffLimitExceeded", "gave up", kind="Job"))
    assert judgement.state is State.FAILED
    others = [build.event("migrate", "FailedCreate", kind="Job"), build.event("other", "DeadlineExceeded", kind="Job")]
    assert migration(*others).state is State.UNVERIFIED


def test_jobs_that_could_not_be_read_leave_the_migration_unverified():
    assert "403" in migration(gaps=(Gap("jobs", "crm", "403 Forbidden"),)).seen


def test_migration_waiting_for_an_image_that_is_not_there_is_doomed():
    stuck = build.unready(waiting("ErrImagePull", "manifest unknown"), name="migrate-x")
    stuck["metadata"]["ownerReferences"] = build.meta("x", owner=("Job", "uid-migrate"))["ownerReferences"]
    judgement = migration(build.job(done=False), stuck)
    assert judgement.doomed
    assert "migrate-x" in judgement.where


def test_crash_of_a_migration_is_for_its_backoff_limit_to_judge():
    crashing = build.unready(waiting("CrashLoopBackOff", restartCount=3), name="migrate-x")
    crashing["metadata"]["ownerReferences"] = build.meta("x", owner=("Job", "uid-migrate"))["ownerReferences"]
    assert migration(build.job(done=False), crashing).state is State.PENDING


def cronjob(*raw, part=NIGHTLY, **more):
    return claims(*raw, over=(part,), **more).cronjob(part)


def run(name="nightly-1", image=f"{SCRIPT}:{build.RELEASE}", **more):
    return build.merge(build.job(name, image, metadata=build.meta(name, owner=("CronJob", "uid-nightly"))), more)


FAILED = {"status": {"conditions": [condition("Failed", "True", "BackoffLimitExceeded")]}}


def test_cronjob_on_the_release_passes():
    assert cronjob(build.cronjob()).state is State.PASSED
    assert cronjob(build.cronjob(), run()).state is State.PASSED


def test_cronjob_that_is_not_due_yet_passes():
    assert cronjob(build.cronjob(status=None)).state is State.PASSED


def test_cronjob_on_the_old_tag_fails():
    assert OLD in cronjob(build.cronjob(image=f"{SCRIPT}:{OLD}")).seen
    assert "another image" in cronjob(build.cronjob(image="busybox:1")).seen


def test_suspension_must_be_as_declared():
    asleep = build.cronjob(spec={"suspend": True})
    declared = component("CronJob", "nightly", image=SCRIPT, suspended=True)
    assert cronjob(asleep).state is State.FAILED
    assert cronjob(asleep, part=declared).state is State.PASSED
    assert cronjob(build.cronjob(), part=declared).state is State.FAILED


def test_cronjob_that_is_being_deleted_fails():
    assert cronjob(build.cronjob(metadata={"deletionTimestamp": NOW})).state is State.FAILED


def test_failed_run_of_the_release_fails():
    judgement = cronjob(build.cronjob(), run(**FAILED))
    assert judgement.state is State.FAILED
    assert "nightly-1" in judgement.seen


def test_failed_run_of_the_old_code_is_no_finding_about_the_release():
    status = {"status": {"lastSuccessfulTime": LONG_AGO}}
    assert cronjob(build.cronjob(**status), run(image=f"{SCRIPT}:{OLD}", **FAILED)).holds


def test_old_code_that_still_runs_is_another_checks_finding():
    active = {"status": {"active": 1, "succeeded": 0, "conditions": []}}
    assert cronjob(build.cronjob(), run(image=f"{SCRIPT}:{OLD}", **active)).state is State.PASSED
    assert cronjob(build.cronjob(), run(**active)).state is State.PASSED


def test_missing_cronjob_fails_unless_it_could_not_be_read():
    assert cronjob().state is State.FAILED
    assert cronjob(gaps=(Gap("cronjobs", "crm", "403"),)).state is State.UNVERIFIED
    assert cronjob(build.cronjob(), gaps=(Gap("jobs", "crm", "403"),)).state is State.UNVERIFIED


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, State.PASSED),
        ({"status": {"lastSuccessfulTime": LONG_AGO}}, State.FAILED),
        ({"status": {"lastSuccessfulTime": None}}, State.FAILED),
        ({"status": {"lastSuccessfulTime": None}, "apiVersion": "batch/v1beta1"}, State.PASSED),
        ({"status": {"lastSuccessfulTime": LONG_AGO, "active": [{"name": "nightly-1"}]}}, State.PASSED),
        ({"status": {"lastScheduleTime": None, "active": [{"name": "nightly-1"}]}}, State.PASSED),
        ({"status": None}, State.PENDING),
        ({"spec": {"suspend": True}}, State.FAILED),
    ],
)
def test_cronjob_alone(more, state):
    assert batch.cronjob(seen(build.cronjob(**more))).state is state


def test_times_are_utc_in_messages():
    assert EARLIER in batch.cronjob(seen(build.cronjob())).seen
