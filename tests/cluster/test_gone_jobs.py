"""A migration whose Job was deleted is judged by what is left of it, and by nothing that may be another release's."""

from __future__ import annotations

from msgspec.structs import replace

from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.objects import Gap, LogExcerpt
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import EARLIER, LONG_AGO, NOW, OLD, RELEASE, REPO, component

MIGRATE = component("Job", "migrate")


def judged(*raw, also=(), claim="migration", **more):
    seen = build.snapshot(*raw, **more)
    seen = replace(seen, job_events=tuple(build.seen(each) for each in also))
    return getattr(ClusterClaims(seen, build.environment(MIGRATE, component()), RELEASE), claim)(MIGRATE)


def ended(reason, at=EARLIER, name="migrate", **more):
    return build.event(name, reason, "Job completed", kind="Job", lastTimestamp=at, type="Normal") | more


def left(phase="Succeeded", image=f"{REPO}:{RELEASE}", owner="uid-migrate-gone"):
    more = {"spec": {"containers": build.containers(image)}, "status": {"phase": phase, "containerStatuses": []}}
    return build.pod("migrate-x1", ("Job", owner), **more)


def rolled(tag, at):
    spec = {"template": build.template(f"{REPO}:{tag}")}
    return build.replicaset(f"web-{tag}", spec=spec, metadata={"creationTimestamp": at})


def test_event_of_type_normal_proves_that_it_completed():
    judgement = judged(also=[ended("Completed")])
    assert judgement.state is State.PASSED
    assert "the Job migrate is gone" in judgement.seen
    assert EARLIER in judgement.seen


def test_event_proves_that_it_gave_up():
    assert judged(also=[ended("BackoffLimitExceeded")]).state is State.FAILED
    assert not judged(also=[ended("DeadlineExceeded")]).doomed


def test_last_end_counts():
    retried = [ended("BackoffLimitExceeded", LONG_AGO), ended("Completed", NOW)]
    assert judged(also=retried).state is State.PASSED
    assert judged(also=[ended("Completed", LONG_AGO), ended("BackoffLimitExceeded", NOW)]).state is State.FAILED


def test_event_before_another_release_was_rolled_out_is_not_ours():
    others = rolled(OLD, EARLIER)
    judgement = judged(others, also=[ended("Completed", "2026-11-20T09:55:00Z")])
    assert judgement.state is State.UNVERIFIED
    assert "another release's" in judgement.seen
    assert judged(rolled(OLD, LONG_AGO), also=[ended("Completed")]).state is State.PASSED
    assert judged(rolled(RELEASE, EARLIER), also=[ended("Completed")]).state is State.PASSED


ROLLED = [build.deployment(), build.replicaset()]
"""The release, rolled out at 09:50."""


def test_event_of_long_before_our_rollout_is_not_ours():
    assert judged(*ROLLED, also=[ended("Completed", "2026-11-20T09:49:00Z")]).state is State.PASSED
    assert judged(*ROLLED, also=[ended("Completed", "2026-11-20T09:05:00Z")]).state is State.UNVERIFIED
    assert judged(*ROLLED, also=[ended("BackoffLimitExceeded", "2026-11-20T09:05:00Z")]).state is State.UNVERIFIED
    others = rolled(OLD, "2026-11-20T09:00:00Z")
    assert judged(*ROLLED, others, also=[ended("Completed", "2026-11-20T09:12:00Z")]).state is State.UNVERIFIED


def test_event_proves_nothing_where_nobody_could_see_what_was_rolled_out():
    for resource in ("replicasets", "deployments"):
        judgement = judged(also=[ended("Completed")], gaps=(Gap(resource, "crm", "403 Forbidden"),))
        assert judgement.state is State.UNVERIFIED
        assert f"not of which release: {resource}" in judgement.seen


def test_event_of_a_job_with_a_declared_longer_name_is_that_ones():
    other = component("Job", "migrate-ledger")
    seen = replace(build.snapshot(), job_events=(build.seen(ended("Completed", name="migrate-ledger-7")),))
    claims = ClusterClaims(seen, build.environment(MIGRATE, other, component()), RELEASE)
    assert claims.migration(MIGRATE).state is State.UNVERIFIED
    assert claims.migration(other).state is State.PASSED


def test_event_of_other_work_does_not_outvote_its_own():
    both = [ended("BackoffLimitExceeded", name="migrate-7"), ended("Completed", NOW, name="migrate-check")]
    assert judged(also=both).state is State.FAILED


def test_events_of_other_jobs_and_of_other_kinds_of_news_prove_nothing():
    others = [ended("Completed", name="migrated"), ended("SuccessfulCreate"), ended("Completed", name="other")]
    assert judged(also=others).state is State.UNVERIFIED
    elsewhere = ended("Completed", involvedObject={"kind": "Job", "namespace": "other", "name": "migrate"})
    assert judged(also=[elsewhere]).state is State.UNVERIFIED


def test_job_with_a_suffix_is_its_own():
    assert judged(also=[ended("Completed", name="migrate-v2026-47-1")]).state is State.PASSED


def test_pod_that_was_left_proves_success_only():
    assert judged(left()).state is State.PASSED
    failed = judged(left("Failed"))
    assert failed.state is State.UNVERIFIED
    assert "migrate-x1 is left and ended as Failed" in failed.seen


def test_pod_of_old_code_or_of_a_job_that_exists_proves_nothing():
    assert judged(left(image=f"{REPO}:{OLD}")).state is State.UNVERIFIED
    other = build.job("backfill", "busybox:1", metadata={"uid": "uid-migrate-gone"})
    assert judged(left(), other).state is State.UNVERIFIED


def test_last_line_of_its_log_is_quoted():
    line = LogExcerpt("crm", "migrate-x1", "web", previous=False, lines=("Applying ledger.0093... OK",))
    assert "ledger.0093" in judged(left(), excerpts=(line,)).seen


def test_what_was_tried_is_said():
    judgement = judged()
    assert judgement.state is State.UNVERIFIED
    assert "no event tells how it ended" in judgement.seen
    assert "no pod of it is left" in judgement.seen
    assert "403" in judged(gaps=(Gap("events", "crm", "403 Forbidden"),)).seen


def test_jobs_that_could_not_be_read_are_not_gone():
    assert judged(also=[ended("Completed")], gaps=(Gap("jobs", "crm", "403"),)).state is State.UNVERIFIED


def test_tag_of_a_job_that_completed_and_is_gone_is_not_asked_for():
    assert judged(also=[ended("Completed")], claim="image_tag").state is State.NOT_APPLICABLE
    assert judged(claim="image_tag").state is State.UNVERIFIED


HOOK = MIGRATE.model_copy(update={"hook_of": "crm"})


def helm(status="deployed", version=RELEASE, **spec):
    past = {"appVersion": version, "chartVersion": "1.0", "status": status, "lastDeployed": EARLIER}
    raw = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": build.meta("crm")}
    return build.seen(raw | {"spec": spec, "status": {"history": [past]}})


def hooked(*flux, component_=HOOK):
    seen = replace(build.snapshot(), flux=flux)
    return ClusterClaims(seen, build.environment(component_, component()), RELEASE).migration(component_)


def test_helm_that_deployed_the_release_waited_for_its_hook():
    judgement = hooked(helm())
    assert judgement.state is State.PASSED
    assert "HelmRelease crm is deployed" in judgement.seen


def test_helm_says_nothing_of_a_job_that_is_not_declared_its_hook():
    assert hooked(helm(), component_=MIGRATE).state is State.UNVERIFIED


def test_helm_proves_nothing_where_the_hook_did_not_run_for_this_release():
    assert hooked(helm("failed")).state is State.UNVERIFIED
    assert hooked(helm(version=OLD)).state is State.UNVERIFIED
    assert "disableHooks" in hooked(helm(upgrade={"disableHooks": True})).seen
    assert "disableHooks" in hooked(helm(install={"disableHooks": True})).seen
    assert "no history" in hooked().seen


def test_the_inventory_of_flux_tells_that_it_was_applied_and_not_how_it_ended():
    status = {"lastAppliedRevision": "v1@sha1:ab", "inventory": {"entries": [{"id": "crm_migrate-7_batch_Job"}]}}
    raw = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": build.meta("crm")}
    judgement = hooked(build.seen(raw | {"status": status}), component_=MIGRATE)
    assert judgement.state is State.UNVERIFIED
    assert "Kustomization crm applied it at v1@sha1:ab" in judgement.seen
    assert "no inventory of Flux lists it" in hooked(component_=MIGRATE).seen
