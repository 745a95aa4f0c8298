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


GAVE_UP = {"failed": 4, "conditions": [condition("Failed", "True", "BackoffLimitExceeded")]}


def gave_up(name):
    return build.job(name, done=False, status=GAVE_UP, metadata={"creationTimestamp": "2026-11-20T09:40:00Z"})


def test_job_with_a_declared_longer_name_is_that_ones():
    ledger = component("Job", "migrate-ledger")
    judge = claims(gave_up("migrate-v1"), build.job("migrate-ledger-v1"), over=(MIGRATE, ledger))
    assert judge.migration(MIGRATE).state is State.FAILED
    assert judge.migration(ledger).state is State.PASSED


@pytest.mark.parametrize("again", ["migrate-v2", "migrate-2026-47-1", "migrate-xkzbt", "migrate-v1-retry", "migrate-b"])
def test_failed_job_that_was_run_again_is_mended(again):
    assert migration(gave_up("migrate-v1"), build.job(again)).state is State.PASSED


def test_name_of_a_component_may_itself_end_in_a_number_or_be_short():
    part = component("Job", "migrate-db-2")
    judge = claims(gave_up("migrate-db-2-v1"), build.job("migrate-db-2-check"), over=(part,))
    assert judge.migration(part).state is State.UNVERIFIED
    assert claims(gave_up("migrate-db-2"), build.job("migrate-db-2-v2"), over=(part,)).migration(part).holds


def test_failed_job_is_not_mended_by_one_of_another_work():
    judgement = migration(gave_up("migrate-v1"), build.job("migrate-check"))
    assert judgement.state is State.UNVERIFIED
    assert "migrate-v1 failed; migrate-check completed later" in judgement.seen
    assert migration(gave_up("migrate-pre"), build.job("migrate-post")).state is State.UNVERIFIED
    mended = build.job("migrate-v2")
    assert migration(gave_up("migrate-v1"), mended, build.job("migrate-check")).state is State.PASSED
    assert migration(gave_up("migrate-check"), mended).state is State.PASSED


def pinned(digest, *raw, accepts=build.DIGEST, part=MIGRATE):
    digests = {f"{part.image}:{build.RELEASE}": frozenset({accepts})} if accepts else {}
    return claims(*raw, over=(part,), digests=digests)


def test_job_pinned_by_digest_is_the_releases_where_that_is_accepted():
    job = build.job(image=f"{REPO}@{build.DIGEST}")
    assert pinned(build.DIGEST, job).migration(MIGRATE).state is State.PASSED
    assert pinned(build.DIGEST, job, accepts=build.OTHER).migration(MIGRATE).state is State.FAILED
    assert pinned(build.DIGEST, job, accepts="").migration(MIGRATE).state is State.UNVERIFIED


def test_cronjob_pinned_by_digest_is_on_the_release_where_that_is_accepted():
    seen = build.cronjob(image=f"{SCRIPT}@{build.DIGEST}")
    assert pinned(build.DIGEST, seen, part=NIGHTLY).cronjob(NIGHTLY).state is State.PASSED
    assert pinned(build.DIGEST, seen, part=NIGHTLY, accepts=build.OTHER).cronjob(NIGHTLY).state is State.FAILED
    assert pinned(build.DIGEST, seen, part=NIGHTLY, accepts="").cronjob(NIGHTLY).state is State.UNVERIFIED


def test_tag_beside_a_foreign_digest_makes_no_job_the_releases():
    job = build.job(image=f"{build.REPO}:{build.RELEASE}@{build.DIGEST}")
    assert pinned(build.DIGEST, job).migration(MIGRATE).state is State.PASSED
    assert pinned(build.DIGEST, job, accepts=build.OTHER).migration(MIGRATE).state is State.FAILED
    assert pinned(build.DIGEST, job, accepts="").migration(MIGRATE).state is State.PASSED
    assert cronjob(build.cronjob(image=SCRIPT)).state is State.FAILED


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


SLOT = "2026-11-20T09:45:00Z"
SINCE_8 = [build.deployment(), build.replicaset(metadata={"creationTimestamp": "2026-11-20T08:00:00Z"})]


def last_run(*raw, done=LONG_AGO, rolled=SINCE_8, spec=None, **status):
    """A CronJob whose last slot was 09:45, on a release that is live since 08:00."""
    seen = build.cronjob(status={"lastScheduleTime": SLOT, "lastSuccessfulTime": done} | status, spec=spec or {})
    judge = claims(*rolled, *raw, seen, over=(NIGHTLY, component()))
    return judge.cronjob(NIGHTLY)


def test_run_of_the_release_that_did_not_succeed_fails_though_its_job_is_gone():
    assert "did not succeed" in last_run().seen
    assert last_run().state is State.FAILED
    assert last_run(done=None).state is State.FAILED
    assert last_run(run("nightly-0", metadata={"creationTimestamp": "2026-11-20T09:30:00Z"})).state is State.FAILED


def test_run_that_goes_on_succeeded_just_ended_or_had_old_code_is_no_such_failure():
    assert last_run(done="2026-11-20T09:45:30Z").state is State.PASSED
    assert last_run(active=[{"name": "nightly-1"}]).state is State.PASSED
    assert last_run(lastScheduleTime="2026-11-20T09:59:30Z").state is State.PASSED
    assert last_run(rolled=build.whole()).state is State.PASSED
    assert last_run(rolled=[]).state is State.PASSED
    old = run(image=f"{SCRIPT}:{OLD}", metadata={"creationTimestamp": SLOT}, **FAILED)
    assert last_run(old).state is State.PASSED


def test_event_of_a_run_that_is_gone_tells_how_it_ended():
    name = "nightly-29919465"
    assert "reached" in last_run(build.event(name, "BackoffLimitExceeded", "limit reached", kind="Job")).seen
    assert last_run(build.event(name, "Completed", kind="Job", type="Normal")).state is State.PASSED
    assert last_run(build.event("nightly-1", "Completed", kind="Job", type="Normal")).state is State.FAILED


def test_run_that_is_deleted_at_once_may_have_succeeded_unseen():
    spec = {"jobTemplate": {"spec": {"ttlSecondsAfterFinished": 0}}}
    assert last_run(spec=spec).state is State.DEGRADED


def test_run_of_the_release_that_cannot_start_fails():
    stuck = build.unready(waiting("ErrImagePull", "manifest unknown"), name="nightly-x", phase="Pending")
    stuck["metadata"]["ownerReferences"] = build.meta("x", owner=("Job", "uid-nightly-1"))["ownerReferences"]
    active = {"status": {"active": 1, "succeeded": 0, "conditions": []}}
    under_way = build.cronjob(status={"active": [{"name": "nightly-1"}]})
    assert cronjob(under_way, run(**active), stuck).state is State.FAILED
    assert cronjob(under_way, run(image=f"{SCRIPT}:{OLD}", **active), stuck).state is State.PASSED


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
