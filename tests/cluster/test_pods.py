"""A pod is ready, may become so, or never will; leftovers are no part of the release."""

from __future__ import annotations

from datetime import datetime

import pytest

from postdeploy.cluster import pods
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import condition, ended, ran, seen, unready, waiting

NOW = datetime.fromisoformat(build.NOW)
SIDECAR = {"name": "istio-proxy", "image": "mesh:1", "restartPolicy": "Always"}
INIT = {"name": "wait-for-db", "image": f"{build.REPO}:{build.RELEASE}"}


def judged(raw, **more):
    return pods.pod(seen(raw), now=NOW, **more)


def young(raw):
    raw["metadata"]["creationTimestamp"] = build.NOW
    raw["status"]["conditions"][0]["lastTransitionTime"] = build.NOW
    return raw


def test_ready_pod_passes_whatever_restarted_before():
    raw = build.pod(status={"containerStatuses": [ran(restartCount=25, lastState=ended(255, "Unknown"))]})
    ruling = judged(raw)
    assert ruling.state is State.PASSED
    assert "25 restarts before" in ruling.seen


def test_restart_count_that_a_node_reset_to_zero_is_no_finding():
    raw = build.pod(status={"containerStatuses": [ran(restartCount=0, lastState=ended(137))]})
    assert judged(raw).state is State.PASSED


def test_debug_container_is_no_part_of_readiness_and_is_said():
    raw = build.pod(status={"ephemeralContainerStatuses": [waiting("Pending", name="debug")]})
    ruling = judged(raw)
    assert ruling.state is State.PASSED
    assert "debug" in ruling.seen


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("InvalidImageName", ""),
        ("ErrImageNeverPull", ""),
        ("ErrImagePull", "manifest unknown"),
        ("ErrImagePull", "pull access denied, repository does not exist"),
        ("ImagePullBackOff", "Back-off pulling image: ErrImagePull: not found"),
        ("ImagePullBackOff", "Back-off pulling image"),
        ("ErrImagePull", "i/o timeout"),
        ("CreateContainerConfigError", 'secret "crm" not found'),
        ("CreateContainerError", "no command specified"),
        ("RunContainerError", ""),
        ("PostStartHookError", ""),
    ],
)
def test_doom_table(reason, message):
    ruling = judged(unready(waiting(reason, message)))
    assert (ruling.state, ruling.doomed) == (State.FAILED, True)
    assert reason in ruling.seen
    assert ruling.cause


@pytest.mark.parametrize(
    ("reason", "message", "state"),
    [
        ("CreateContainerConfigError", "failed to sync secret cache: timed out waiting", State.PENDING),
        ("CreateContainerError", "context deadline exceeded", State.PENDING),
        ("RegistryUnavailable", "", State.PENDING),
        ("ErrImagePull", "429 Too Many Requests", State.PENDING),
        ("ErrImagePull", "something odd", State.PENDING),
        ("ErrImagePull", "dial tcp: lookup registry.example: no such host", State.PENDING),
        ("ErrImagePull", "httpReadSeeker: failed open: EOF", State.PENDING),
        ("ImagePullBackOff", "Back-off pulling image", State.FAILED),
        ("ContainerCreating", "", State.PENDING),
        ("PodInitializing", "", State.PENDING),
    ],
)
def test_exceptions_of_the_doom_table_do_not_end_the_wait(reason, message, state):
    ruling = judged(young(unready(waiting(reason, message))))
    assert (ruling.state, ruling.doomed) == (state, False)


@pytest.mark.parametrize(("ended_at", "is_over"), [(build.NOW, False), (build.LONG_AGO, True)])
def test_patience_with_a_pull_begins_when_the_init_containers_are_over(ended_at, is_over):
    """A pod is scheduled long before it pulls where a migration or a wait comes first."""
    done = {"terminated": {"exitCode": 0, "finishedAt": ended_at}}
    raw = unready(waiting("ErrImagePull", "429 Too Many Requests"))
    raw["status"]["initContainerStatuses"] = [{"name": "wait", "state": done}]
    ruling = judged(raw)
    assert ruling.doomed is is_over
    assert ruling.state is (State.FAILED if is_over else State.PENDING)


def test_pull_of_unknown_age_is_not_called_hopeless():
    raw = unready(waiting("ImagePullBackOff", "Back-off"))
    raw["status"]["conditions"] = []
    raw["metadata"].pop("creationTimestamp")
    ruling = judged(raw)
    assert (ruling.state, ruling.doomed) == (State.FAILED, False)


@pytest.mark.parametrize(("restarts", "doomed"), [(1, False), (2, True)])
def test_crash_loop_is_hopeless_from_the_second_restart(restarts, doomed):
    status = waiting("CrashLoopBackOff", restartCount=restarts, lastState=ended(1))
    ruling = judged(unready(status))
    assert (ruling.state, ruling.doomed) == (State.FAILED, doomed)
    assert "last exit code 1 (Error)" in ruling.seen


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (ended(137, ""), "memory"),
        (ended(1, "OOMKilled"), "memory"),
        (ended(127), "does not exist"),
        (ended(0, "Completed"), "entry point"),
        (ended(42), "last log lines"),
        ({}, "last log lines"),
    ],
)
def test_cause_follows_the_exit_code(last, told):
    assert told in judged(unready(waiting("CrashLoopBackOff", restartCount=3, lastState=last))).cause


def test_kill_without_a_reason_is_called_one():
    assert "exit code 137 (killed)" in judged(unready(waiting("CrashLoopBackOff", lastState=ended(137, "")))).seen


@pytest.mark.parametrize(("code", "state"), [(127, State.FAILED), (128, State.PENDING)])
def test_container_that_cannot_run_is_doomed_but_for_exit_128(code, state):
    ruling = judged(unready(ran(ready=False, state=ended(code, "ContainerCannotRun"))))
    assert ruling.state is state
    assert ruling.doomed is (state is State.FAILED)


def test_words_of_the_runtime_are_shown_and_those_of_the_application_are_not():
    for kind, is_shown in (("StartError", True), ("Error", False)):
        last = {"terminated": {"exitCode": 1, "reason": kind, "message": "password=hunter2"}}
        ruling = judged(unready(waiting("CrashLoopBackOff", restartCount=3, lastState=last)))
        assert ("hunter2" in ruling.seen) is is_shown


def test_two_ends_on_record_are_a_loop_and_one_is_not():
    once = ran(ready=False, state=ended(0, "Completed"))
    ruling = judged(unready(once | {"lastState": ended(0, "Completed"), "restartCount": 2}))
    assert (ruling.state, ruling.doomed) == (State.FAILED, False)
    assert judged(unready(once)).state is State.PENDING


def test_pod_that_never_restarts_is_doomed_by_one_bad_end():
    spec = {"restartPolicy": "Never"}
    assert judged(unready(ran(ready=False, state=ended(1)), spec=spec)).doomed
    assert judged(unready(ran(ready=False, state=ended(0)), spec=spec)).state is State.PENDING


def test_init_container_in_a_crash_loop_is_doomed():
    status = waiting("CrashLoopBackOff", name="wait-for-db", restartCount=7)
    raw = unready(waiting("PodInitializing"), spec={"initContainers": [INIT]}, phase="Pending")
    raw["status"]["initContainerStatuses"] = [status]
    assert judged(raw).doomed


def test_init_container_that_has_ended_well_is_no_end_of_the_pod():
    done = ran("wait-for-db", ready=True, state=ended(0, "Completed"), lastState=ended(1))
    raw = build.pod(spec={"initContainers": [INIT]}, status={"initContainerStatuses": [done]})
    assert judged(raw).state is State.PASSED


def test_init_container_at_work_is_pending():
    raw = unready(waiting("PodInitializing"), spec={"initContainers": [INIT]}, phase="Pending")
    raw["status"]["initContainerStatuses"] = [ran("wait-for-db", ready=False)]
    ruling = judged(raw)
    assert ruling.state is State.PENDING
    assert "still initialising" in ruling.seen


def test_native_sidecar_keeps_running_by_design():
    raw = build.pod(spec={"initContainers": [SIDECAR]}, status={"initContainerStatuses": [ran("istio-proxy")]})
    assert judged(raw).state is State.PASSED


def test_native_sidecar_that_has_not_started_is_pending():
    status = waiting("PodInitializing", name="istio-proxy")
    raw = build.pod(spec={"initContainers": [SIDECAR]}, status={"initContainerStatuses": [status]})
    assert judged(raw).state is State.PENDING
    raw = unready(ran(ready=False), spec={"initContainers": [SIDECAR]})
    raw["status"]["initContainerStatuses"] = [status]
    assert "istio-proxy" in judged(raw).seen


@pytest.mark.parametrize(
    ("probes", "started", "told"),
    [
        (
            {"readinessProbe": {"httpGet": {"path": "/health", "port": 8000}}},
            True,
            "readinessProbe GET /health on port 8000",
        ),
        ({"startupProbe": {"tcpSocket": {"port": 8000}}}, False, "startupProbe TCP on port 8000"),
        ({}, True, "running but not ready"),
    ],
)
def test_running_but_never_ready_names_the_probe(probes, started, told):
    raw = unready(ran(ready=False, started=started), spec={"containers": build.containers(**probes)})
    ruling = judged(raw)
    assert ruling.state is State.PENDING
    assert told in ruling.seen
    assert "0 restarts" in ruling.seen


def test_readiness_gate_keeps_a_pod_unready():
    ruling = judged(unready(ran()))
    assert ruling.state is State.PENDING
    assert "Ready=False" in ruling.seen


def test_pod_ready_before_its_containers_is_not_believed():
    raw = build.pod(status={"conditions": [condition("Ready"), condition("ContainersReady", "False")]})
    assert judged(raw).state is State.PENDING


def test_pod_without_any_condition_is_judged_by_its_containers():
    assert judged(build.pod(status={"conditions": []})).state is State.PASSED
    assert judged(build.pod(status={"conditions": [], "containerStatuses": []})).state is State.PENDING


def test_ready_for_less_than_min_ready_seconds_is_pending():
    raw = build.pod(status={"conditions": [condition("Ready", since="2026-11-20T09:59:50Z")]})
    assert judged(raw, min_ready_s=30).state is State.PENDING
    assert judged(raw, min_ready_s=5).state is State.PASSED


def test_unschedulable_is_pending_since_an_autoscaler_may_help():
    raw = build.pod(status={"conditions": [condition("PodScheduled", "False", "Unschedulable")], "phase": "Pending"})
    ruling = judged(raw)
    assert ruling.state is State.PENDING
    assert "Unschedulable" in ruling.seen


def test_lost_node_says_nothing_about_the_product():
    assert judged(build.pod(status={"phase": "Unknown"})).state is State.UNVERIFIED


def test_terminating_pod_is_not_judged():
    assert judged(build.pod(metadata={"deletionTimestamp": build.NOW})).state is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    "status",
    [
        {"reason": "Evicted"},
        {"reason": "NodeShutdown"},
        {"reason": "OutOfcpu"},
        {"conditions": [condition("DisruptionTarget", "True", "PreemptionByScheduler")]},
    ],
)
def test_leftover_of_a_lost_node_is_not_judged(status):
    assert judged(build.pod(status={"phase": "Failed"} | status)).state is State.NOT_APPLICABLE


def test_failed_pod_alone_is_a_failure_even_when_evicted():
    assert judged(build.pod(owner=None, status={"phase": "Failed", "reason": "Evicted", "message": "disk"})).doomed


def test_failed_pod_names_the_container_that_failed():
    raw = build.pod(
        owner=("Job", "uid-migrate"), status={"phase": "Failed", "containerStatuses": [ran(state=ended(42))]}
    )
    ruling = judged(raw)
    assert ruling.doomed
    assert "exit code 42" in ruling.seen


def test_failed_pod_without_any_word_is_still_a_failure():
    assert "no reason given" in judged(build.pod(status={"phase": "Failed", "containerStatuses": []})).seen


@pytest.mark.parametrize(
    ("owner", "state"),
    [
        (("Job", "uid-migrate"), State.PASSED),
        (None, State.PASSED),
        (("ReplicaSet", "uid-web-2"), State.NOT_APPLICABLE),
    ],
)
def test_completed_pod_is_success_but_for_a_workload(owner, state):
    assert judged(build.pod(owner=owner, status={"phase": "Succeeded"})).state is state


def test_container_without_a_state_is_described():
    assert "without a state" in judged(unready(ran(ready=False, state={}))).seen


@pytest.mark.parametrize("reason", ["OutOfcpu", "OutOfephemeral-storage", "TopologyAffinityError"])
def test_pod_that_its_node_refused_is_a_leftover(reason):
    assert judged(build.pod(status={"phase": "Failed", "reason": reason})).state is State.NOT_APPLICABLE
