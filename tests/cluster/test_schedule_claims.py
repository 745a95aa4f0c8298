"""A CronJob is late only when a Job is owed; it never succeeded only when it could have; old code must not go on."""

from __future__ import annotations

import pytest

from postdeploy.cluster.objects import Gap
from postdeploy.cluster.schedule_claims import BatchClaims
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import LONG_AGO, OLD, RELEASE, REPO, SCRIPT, component

QUARTERS = "*/15 * * * *"
NIGHTLY = component("CronJob", "nightly", image=SCRIPT)
MIGRATE = component("Job", "migrate")
ROLLOUT = "2026-11-20T09:50:00Z"
"""When the ReplicaSet of the release was made, ten minutes before the look."""


def claims(*raw, part=NIGHTLY, **more):
    seen = build.snapshot(*raw, **more)
    return BatchClaims(seen, build.environment(part, MIGRATE, component()), RELEASE)


def schedule(
    last="2026-11-20T09:45:00Z", done="2026-11-20T09:45:20Z", *, part=NIGHTLY, gaps=(), created=LONG_AGO, **more
):
    status = {"lastScheduleTime": last, "lastSuccessfulTime": done}
    spec = {"schedule": QUARTERS} | more.pop("spec", {})
    base = {"metadata": {"creationTimestamp": created}, "spec": spec, "status": status}
    return claims(build.merge(build.cronjob(**base), more), part=part, gaps=gaps).schedule(part)


def test_job_of_the_last_slot_is_on_time():
    assert schedule().state is State.PASSED


def test_slot_of_just_now_is_not_owed_yet():
    assert schedule(last="2026-11-20T09:45:00Z").state is State.PASSED


def test_slot_without_a_job_is_overdue():
    judgement = schedule(last="2026-11-20T09:30:00Z")
    assert judgement.state is State.FAILED
    assert "due 2026-11-20T09:45:00Z" in judgement.seen
    assert "lastScheduleTime" in judgement.seen


def test_starting_deadline_says_how_late_a_job_may_be():
    assert schedule(last="2026-11-20T09:30:00Z", spec={"startingDeadlineSeconds": 1200}).state is State.PASSED
    assert schedule(last="2026-11-20T09:30:00Z", spec={"startingDeadlineSeconds": 600}).state is State.FAILED


def test_schedule_that_may_have_come_with_the_release_makes_up_for_no_slot_before_it():
    rollout = [build.deployment(), build.replicaset(metadata={"creationTimestamp": ROLLOUT})]
    spec = {"schedule": "0 6 * * *", "startingDeadlineSeconds": 300}
    status = {"lastScheduleTime": "2026-11-19T22:00:00Z", "lastSuccessfulTime": "2026-11-19T22:03:00Z"}

    def judged(generation=2, deadline=300, at=ROLLOUT):
        meta = {"creationTimestamp": LONG_AGO, "generation": generation}
        seen = build.cronjob(metadata=meta, spec=spec | {"startingDeadlineSeconds": deadline}, status=status)
        return claims(seen, rollout[0], build.replicaset(metadata={"creationTimestamp": at})).schedule(NIGHTLY)

    assert judged().state is State.DEGRADED
    assert judged(generation=1).state is State.FAILED
    assert judged(deadline=None).state is State.FAILED
    assert judged(at="2026-11-20T05:00:00Z").state is State.FAILED


def test_one_that_never_ran_is_overdue_once_a_slot_has_passed():
    assert schedule(None, None, created="2026-11-20T09:46:00Z").state is State.PASSED
    judgement = schedule(None, None)
    assert judgement.state is State.FAILED
    assert "never been scheduled" in judgement.seen


def test_run_under_way_holds_the_next_one_back_only_where_that_is_forbidden():
    active = {"status": {"active": [{"name": "nightly-1"}]}}
    late = "2026-11-20T09:15:00Z"
    assert schedule(late, spec={"concurrencyPolicy": "Forbid"}, **active).state is State.PASSED
    assert schedule(late, spec={"concurrencyPolicy": "Allow"}, **active).state is State.FAILED


@pytest.mark.parametrize(
    ("since", "took", "policy", "state"),
    [
        ("07:00", "08:00", "Forbid", State.PASSED),
        ("07:00", "06:01", "Forbid", State.DEGRADED),
        ("07:00", "06:01", "Allow", State.FAILED),
        ("09:30", "06:01", "Forbid", State.PASSED),
    ],
)
def test_run_that_holds_back_slots_hangs_only_where_earlier_ones_were_much_shorter(since, took, policy, state):
    times = {"startTime": "2026-11-20T06:00:00Z", "completionTime": f"2026-11-20T{took}:00Z"}
    before = run("2026-11-20T06:00:00Z", RELEASE, status={"active": 0} | times, metadata={"name": "nightly-0"})
    now = run(f"2026-11-20T{since}:00Z", RELEASE)
    status = {"lastScheduleTime": f"2026-11-20T{since}:00Z", "active": [{"name": "nightly-1"}]}
    spec = {"schedule": QUARTERS, "concurrencyPolicy": policy}
    seen = build.cronjob(metadata={"creationTimestamp": LONG_AGO}, spec=spec, status=status)
    assert claims(seen, before, now).schedule(NIGHTLY).state is state


def test_never_succeeded_fails_after_two_slots():
    judgement = schedule(done=None)
    assert judgement.state is State.FAILED
    assert "lastSuccessfulTime" in judgement.seen
    assert schedule(done=None, created="2026-11-20T09:40:00Z").state is State.PASSED
    assert schedule(done=None, status={"active": [{"name": "nightly-1"}]}).state is State.PASSED
    assert schedule(done=None, apiVersion="batch/v1beta1").state is State.PASSED


def test_time_zone_of_the_schedule_is_honoured():
    daily = {"spec": {"schedule": "30 5 * * *", "timeZone": "Asia/Hong_Kong"}}
    assert schedule("2026-11-19T21:30:00Z", "2026-11-19T21:31:00Z", **daily).state is State.PASSED
    assert schedule("2026-11-18T21:30:00Z", "2026-11-18T21:31:00Z", **daily).state is State.FAILED
    utc = {"spec": {"schedule": "30 5 * * *"}}
    assert schedule("2026-11-19T21:30:00Z", "2026-11-19T21:31:00Z", **utc).state is State.FAILED


def test_schedule_must_be_the_declared_one_in_any_notation():
    declared = component("CronJob", "nightly", image=SCRIPT, schedule="0,15,30,45 * * * *")
    assert schedule(part=declared).state is State.PASSED
    other = component("CronJob", "nightly", image=SCRIPT, schedule="0 * * * *")
    assert schedule(part=other).state is State.FAILED


@pytest.mark.parametrize("spec", [{"schedule": "@every 1h"}, {"timeZone": "Mars/Olympus"}])
def test_schedule_that_cannot_be_read_is_unverified(spec):
    assert schedule(spec=spec).state is State.UNVERIFIED


def test_suspended_cronjob_has_no_schedule_to_keep():
    asleep = {"spec": {"suspend": True}}
    declared = component("CronJob", "nightly", image=SCRIPT, suspended=True)
    assert schedule(LONG_AGO, None, part=declared, **asleep).state is State.NOT_APPLICABLE
    assert schedule(LONG_AGO, None, **asleep).state is State.NOT_APPLICABLE


def test_missing_cronjob_fails_unless_it_could_not_be_read():
    assert claims().schedule(NIGHTLY).state is State.FAILED
    assert claims(gaps=(Gap("cronjobs", "crm", "403"),)).schedule(NIGHTLY).state is State.UNVERIFIED


def old_code(*jobs, live=True, gaps=()):
    rollout = [build.deployment(), build.replicaset(metadata={"creationTimestamp": ROLLOUT})] if live else []
    return claims(build.cronjob(), *rollout, *jobs, gaps=gaps).old_code()


def run(at, tag=OLD, **more):
    meta = build.meta("nightly-1", owner=("CronJob", "uid-nightly"), creationTimestamp=at)
    return build.merge(build.job("nightly-1", f"{SCRIPT}:{tag}", done=False, metadata=meta), more)


@pytest.mark.parametrize(
    ("began", "state"),
    [
        ("2026-11-20T07:00:00Z", State.FAILED),
        ("2026-11-20T09:39:00Z", State.FAILED),
        ("2026-11-20T09:41:00Z", State.DEGRADED),
        ("2026-11-20T09:51:00Z", State.DEGRADED),
        ("2026-11-20T09:53:00Z", State.FAILED),
    ],
)
def test_old_code_may_end_what_it_just_began(began, state):
    judgement = old_code(run(began))
    assert judgement.state is state
    assert "nightly-1" in judgement.where


def test_code_of_the_release_and_ended_runs_are_no_finding():
    assert old_code(run("2026-11-20T07:00:00Z", RELEASE)).state is State.PASSED
    assert old_code(run("2026-11-20T07:00:00Z", status={"active": 0, "succeeded": 1})).state is State.PASSED
    assert old_code().state is State.PASSED


def test_pods_of_old_code_that_are_still_going_are_no_end_of_it():
    ends = {"active": 0, "terminating": 1}
    judgement = old_code(run("2026-11-20T07:00:00Z", status=ends))
    assert judgement.state is State.DEGRADED
    assert "1 of its pods are still going" in judgement.seen
    for told, state in (("2026-11-20T09:59:30Z", State.DEGRADED), ("2026-11-20T09:30:00Z", State.FAILED)):
        going = build.pod("nightly-1-x", ("Job", "uid-nightly-1"), metadata={"deletionTimestamp": told})
        assert old_code(run("2026-11-20T07:00:00Z", status=ends), going).state is state


def test_run_pinned_by_digest_is_old_code_unless_that_is_accepted():
    pinned = run("2026-11-20T07:00:00Z", spec={"template": build.template(f"{SCRIPT}@{build.DIGEST}")})
    raw = [build.cronjob(), build.deployment(), build.replicaset(metadata={"creationTimestamp": ROLLOUT}), pinned]
    parts = build.environment(NIGHTLY, MIGRATE, component())
    for digest, state in ((build.DIGEST, State.PASSED), (build.OTHER, State.FAILED)):
        digests = {f"{SCRIPT}:{RELEASE}": frozenset({digest})}
        assert BatchClaims(build.snapshot(*raw), parts, RELEASE, digests).old_code().state is state
    assert BatchClaims(build.snapshot(*raw), parts, RELEASE).old_code().state is State.UNVERIFIED


def test_run_of_old_code_between_two_steps_of_the_delivery_was_started_after_the_rollout_began():
    first = build.replicaset(metadata={"creationTimestamp": "2026-11-20T09:10:00Z"})
    second = build.replicaset("api-2", owner="uid-api", metadata={"creationTimestamp": "2026-11-20T09:45:00Z"})
    raw = [build.cronjob(), build.deployment(), build.deployment("api"), first, second, run("2026-11-20T09:40:00Z")]
    parts = build.environment(NIGHTLY, component(), component(name="api"))
    assert BatchClaims(build.snapshot(*raw), parts, RELEASE).old_code().state is State.FAILED


def test_old_migration_that_still_runs_is_found():
    meta = build.meta("migrate", creationTimestamp="2026-11-20T07:00:00Z")
    assert old_code(build.job("migrate", f"{REPO}:{OLD}", done=False, metadata=meta)).state is State.FAILED


def test_worst_of_several_counts():
    other = run("2026-11-20T07:00:00Z", metadata={"name": "nightly-0", "uid": "uid-0"})
    assert old_code(run("2026-11-20T09:45:00Z"), other).state is State.FAILED


def test_old_code_is_no_finding_before_anything_new_runs():
    assert old_code(run("2026-11-20T07:00:00Z"), live=False).state is State.NOT_APPLICABLE


def test_jobs_that_could_not_be_read_leave_it_unverified():
    assert old_code(gaps=(Gap("jobs", "crm", "403"),)).state is State.UNVERIFIED
    assert old_code(run("2026-11-20T07:00:00Z"), gaps=(Gap("cronjobs", "crm", "cut off"),)).state is State.FAILED
