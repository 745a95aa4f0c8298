"""One literal situation for each row of the research's oracle matrix, on which the usual tools disagree: our column."""

from __future__ import annotations

import pytest

from postdeploy.cluster.judge import judge_objects
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import OLD, REPO, SCRIPT, claims, component, condition, ended, ran, unready, waiting

WEB = component()
DB = component("StatefulSet", "db", update_strategy="OnDelete")
AGENT = component("DaemonSet", "agent", update_strategy="OnDelete")
MIGRATE = component("Job", "migrate")
NIGHTLY = component("CronJob", "nightly", image=SCRIPT)
ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
OLD_SET = build.replicaset("web-1", "1", replicas=0)


def states(*raw, part=WEB):
    return {
        each.claim.partition(f"/{part.name} ")[2]: each.state for each in claims(*raw, over=(part,)).of_component(part)
    }


def verdict(*raw):
    return judge_objects(list(raw))[0].verdict


def test_one_replica_may_be_unavailable_and_is_not_ready():
    """helm's legacy wait passes this: ready >= replicas - maxUnavailable."""
    raw = build.deployment(
        spec={"replicas": 1, "strategy": {"rollingUpdate": {"maxUnavailable": 1}}},
        status={"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1},
    )
    assert verdict(raw) == "pending"
    assert states(raw, build.replicaset(), unready(ran(ready=False)))["has rolled out"] is State.PENDING


def test_tag_never_reached_the_cluster():
    template = build.template(f"{REPO}:{OLD}")
    pods = [build.pod(f"web-2-{each}", spec={"containers": build.containers(f"{REPO}:{OLD}")}) for each in "abc"]
    found = states(build.deployment(spec={"template": template}), build.replicaset(), *pods)
    assert found.pop(f"runs {REPO}:{build.RELEASE}") is State.FAILED
    assert set(found.values()) == {State.PASSED}


def test_rollback_has_finished_and_the_old_version_is_healthy():
    raw = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "crm", "namespace": "crm"},
        "status": {
            "conditions": [condition("Remediated", "True", "RollbackSucceeded"), condition("Ready", "False")],
            "history": [{"chartVersion": "46.3.0", "status": "deployed"}],
            "lastAttemptedRevision": "47.1.0",
        },
    }
    assert verdict(raw) == "failed"
    assert "rolled back" in judge_objects([raw])[0].reason


def test_old_pods_terminate_after_the_counters_have_settled():
    going = build.pod("web-1-a", ("ReplicaSet", "uid-web-1"), metadata={"deletionTimestamp": build.NOW})
    found = states(*build.whole(), OLD_SET, going)
    assert found["has rolled out"] is State.PASSED
    assert found["has no pods of an old revision"] is State.PENDING


def test_scaled_to_zero_by_accident():
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)
    raw = build.deployment(spec={"replicas": 0}, status=counts)
    assert verdict(raw) == "failed"
    assert states(raw, build.replicaset(replicas=0))["is not scaled to zero"] is State.FAILED


def test_paused_with_a_changed_template():
    raw = build.deployment(spec={"paused": True}, status={"updatedReplicas": 0})
    assert verdict(raw) == "failed"
    assert states(raw, build.replicaset())["has rolled out"] is State.FAILED


def test_statefulset_on_delete_with_pods_on_the_old_revision():
    status = {"currentRevision": "db-1", "updatedReplicas": 0}
    raw = [build.statefulset(spec=ON_DELETE, status=status), *(build.member(each, "db-1") for each in range(3))]
    assert verdict(raw[0]) == "failed"
    assert states(*raw, part=DB)["has rolled out"] is State.FAILED


def test_daemonset_on_delete_with_pods_on_the_old_revision():
    labels = {"pod-template-generation": "1"}
    pod = build.pod("agent-a", ("DaemonSet", "uid-agent"), metadata={"labels": labels})
    raw = build.daemonset(spec=ON_DELETE, status={"updatedNumberScheduled": 0})
    assert verdict(raw) == "failed"
    assert states(raw, pod, part=AGENT)["has rolled out"] is State.FAILED


def test_standalone_pod_has_failed():
    assert (
        verdict(build.pod(owner=None, status={"phase": "Failed", "containerStatuses": [ran(state=ended(1))]}))
        == "failed"
    )


def test_init_container_in_a_crash_loop():
    raw = unready(waiting("PodInitializing"), spec={"initContainers": [{"name": "wait-for-db"}]}, phase="Pending")
    raw["status"]["initContainerStatuses"] = [waiting("CrashLoopBackOff", name="wait-for-db", restartCount=4)]
    assert verdict(raw) == "failed"
    assert states(build.deployment(), build.replicaset(), raw)["has no doomed pod"] is State.FAILED


def test_running_never_ready_without_a_restart():
    probe = {"readinessProbe": {"httpGet": {"path": "/health", "port": 8000}}}
    raw = unready(ran(ready=False), spec={"containers": build.containers(**probe)})
    assert verdict(raw) == "pending"
    judgement = claims(build.deployment(), build.replicaset(), raw).pods_ready(WEB)
    assert not judgement.holds
    assert "readinessProbe GET /health" in judgement.seen


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": {"conditions": [condition("Suspended", "False", "JobResumed")]}},
        {"spec": {"backoffLimit": 0}},
    ],
    ids=["running", "resumed", "no-retries"],
)
def test_job_runs(more):
    raw = build.job(done=False, **more)
    assert verdict(raw) == "pending"
    assert claims(raw, over=(MIGRATE,)).migration(MIGRATE).state is State.PENDING


def test_job_failed_and_was_then_collected():
    assert claims(over=(MIGRATE,)).migration(MIGRATE).state is State.UNVERIFIED


@pytest.mark.parametrize(
    "raw",
    [build.cronjob(image=f"{SCRIPT}:{OLD}"), build.cronjob(spec={"suspend": True})],
    ids=["old-tag", "suspended"],
)
def test_cronjob_on_the_old_tag_or_suspended_by_accident(raw):
    assert claims(raw, over=(NIGHTLY,)).cronjob(NIGHTLY).state is State.FAILED


def test_autoscaler_is_able_to_scale_and_cannot_read_its_metric():
    conditions = [condition("AbleToScale"), condition("ScalingActive", "False", "FailedGetPodsMetric")]
    raw = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}}
    assert verdict(raw | {"status": {"conditions": conditions}}) == "failed"


def test_volume_claim_waits_for_its_first_consumer():
    raw = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    late = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"}}
    claim = raw | {"spec": {"storageClassName": "late"}, "status": {"phase": "Pending"}}
    judged = judge_objects([claim, late | {"volumeBindingMode": "WaitForFirstConsumer"}])[0]
    assert judged.verdict == "passed"
    assert judged.reason.startswith("warning:")


def test_definition_whose_names_are_taken():
    raw = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"}}
    conditions = [condition("NamesAccepted", "False", "MultipleNamesAccepted"), condition("Established", "False")]
    assert verdict(raw | {"status": {"conditions": conditions}}) == "failed"


def test_service_selects_only_pods_of_an_old_revision():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "crm"}}
    old = build.pod("web-1-a", ("ReplicaSet", "uid-web-1"))
    around = [build.deployment(), build.replicaset(), OLD_SET, old]
    assert verdict(service | {"spec": {"selector": {"app": "web"}}}, *around) == "failed"
