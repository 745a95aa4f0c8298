"""Whether a pod is ready, may still become so, or never will; which leftovers are no part of the release."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from postdeploy.cluster.doom import container_doom, describe, exit_cause
from postdeploy.cluster.objects import Container, ContainerStatus, Pod
from postdeploy.cluster.ruling import Ruling, doomed, gravest, not_applicable, passed, pending, unverified

LEFTOVER_REASONS = frozenset(
    {
        "Evicted",
        "NodeAffinity",
        "NodeLost",
        "NodeShutdown",
        "Preempting",
        "Shutdown",
        "Terminated",
        "TopologyAffinityError",
        "UnexpectedAdmissionError",
    }
)
"""Why a node gave a pod up; its controller makes another one, and the dead one stays until it is collected."""
WELL = passed("ready")
"""What is said of nearly every pod there is."""


def pod(seen: Pod, *, now: datetime | None = None, min_ready_s: int = 0) -> Ruling:
    """The state of one pod; terminating ones and leftovers are not applicable."""
    if seen.metadata.deletion_timestamp is not None:
        return not_applicable(
            f"on its way out (metadata.deletionTimestamp {seen.metadata.deletion_timestamp:%H:%M:%SZ})"
        )
    if seen.is_over:
        return _ended(seen)
    if seen.status.phase == "Unknown":
        return unverified("the node does not report (status.phase Unknown)", "The node is lost or cut off.")
    return doom(seen, now) or _unscheduled(seen) or _unready(seen) or _fresh(seen, now, min_ready_s) or _well(seen)


def is_plainly_well(seen: Pod) -> bool:
    """Whether no rule about pods has anything to object to or to tell: true of nearly all there are, and told at once.

    Ready, every container running in its first life, begun before the pod was ready; what had to end has ended well.
    """
    status, ready = seen.status, None
    if status.phase != "Running" or seen.metadata.deletion_timestamp or status.ephemeral_container_statuses:
        return False
    for condition in status.conditions:
        if condition.status == "False":
            return False
        if condition.type == "Ready" and ready is None:
            ready = condition
    if ready is None or ready.status != "True" or (since := ready.last_transition_time) is None:
        return False
    for each in status.container_statuses:  # loops, for this is asked of every pod there is
        running = each.state.running
        if not each.ready or running is None or running.started_at is None or running.started_at > since:
            return False
        if each.restart_count or each.last_state.terminated:
            return False
    return _began_well(status.init_container_statuses, since)


def _began_well(statuses: Iterable[ContainerStatus], ready_since: datetime) -> bool:
    """Of init containers: they have ended, or, the native sidecars, run since before the pod was ready."""
    for each in statuses:
        running, ended = each.state.running, each.state.terminated
        if running is not None:
            if not each.ready or running.started_at is None or running.started_at > ready_since:
                return False
        elif ended is None or ended.exit_code or ended.reason == "OOMKilled":
            return False
        if each.restart_count or each.last_state.terminated:
            return False
    return True


def _ended(seen: Pod) -> Ruling:
    status, owner = seen.status, seen.metadata.controller
    in_job = owner is not None and owner.kind == "Job"
    if status.phase == "Succeeded":
        if owner and not in_job and seen.spec.restart_policy == "Always":
            return not_applicable("a leftover: its containers ended with the node, its controller replaces it")
        return passed("ran to completion (status.phase Succeeded)")
    if owner and not in_job and is_leftover(seen):
        return not_applicable(f"a leftover ({status.reason or 'DisruptionTarget'}): its controller replaces it")
    ended = [each for each in status.all_statuses if each.state.terminated and each.state.terminated.exit_code != 0]
    why = "; ".join(describe(each) for each in ended) or f"{status.reason} {status.message}".strip()
    return doomed(f"the pod has failed (status.phase Failed): {why or 'no reason given'}", _end_cause(ended))


def _end_cause(ended: list[ContainerStatus]) -> str:
    for each in ended:
        if each.state.terminated:
            return exit_cause(each.state.terminated)
    return "The node gave the pod up."


def is_leftover(seen: Pod) -> bool:
    """Whether a failed pod says something about its node, and nothing about the release."""
    disrupted = seen.condition("DisruptionTarget")
    reason = seen.status.reason
    return reason in LEFTOVER_REASONS or reason.startswith("OutOf") or bool(disrupted and disrupted.is_true)


def doom(seen: Pod, now: datetime | None = None) -> Ruling | None:
    """The gravest container state that contradicts a healthy start, or none."""
    stopped = [each for each in seen.status.all_statuses if each.state.waiting or each.state.terminated]
    found = [ruling for each in stopped if (ruling := container_doom(seen, each, now))]
    return gravest(found, found[0]) if found else None


def _unscheduled(seen: Pod) -> Ruling | None:
    scheduled = seen.condition("PodScheduled")
    if scheduled is None or not scheduled.is_false:
        return None
    return pending(
        f"no node takes the pod: {scheduled}",
        "Not enough CPU or memory, a taint, an affinity or a volume's zone rules every node out; "
        "an autoscaler may still add one.",
    )


def _unready(seen: Pod) -> Ruling | None:
    ready, contained = seen.condition("Ready"), seen.condition("ContainersReady")
    if ready and ready.is_true and not (contained and contained.is_false):
        return _sidecar(seen)
    for each in seen.status.init_container_statuses:
        if not _has_initialised(seen, each):
            return pending(f"still initialising: {describe(each)}", "An init container waits for something.")
    for status in seen.status.container_statuses:
        if not status.ready:
            return pending(*_why_unready(status, _spec_of(seen, status.name)))
    if not seen.status.container_statuses:
        return pending(f"no container has been started yet (status.phase {seen.status.phase or 'absent'})")
    if ready is None:
        return None
    return pending(
        f"its containers are ready, the pod is not: {ready}",
        "A readiness gate is not met: usually the load balancer does not see the pod as healthy.",
    )


def _has_initialised(seen: Pod, status: ContainerStatus) -> bool:
    spec = _spec_of(seen, status.name)
    if spec and spec.is_sidecar:
        return status.ready or bool(status.started)
    return bool(status.state.terminated and status.state.terminated.exit_code == 0) or status.ready


def _sidecar(seen: Pod) -> Ruling | None:
    for each in seen.status.init_container_statuses:
        if each.started is False and not each.ready and (spec := _spec_of(seen, each.name)) and spec.is_sidecar:
            return pending(f"its native sidecar has not started: {describe(each)}")
    return None


def _spec_of(seen: Pod, name: str) -> Container | None:
    return next((each for each in seen.spec.all_containers if each.name == name), None)


def _why_unready(status: ContainerStatus, spec: Container | None) -> tuple[str, str]:
    if status.state.running is None:
        return f"not ready: {describe(status)}", "The container has not started yet: image, volumes or secrets."
    if spec and spec.startup_probe and status.started is False:
        return f"{describe(status)}, startupProbe {spec.startup_probe}", "The application has not finished starting."
    probe = f", readinessProbe {spec.readiness_probe}" if spec and spec.readiness_probe else ""
    return (
        f"running but not ready: {describe(status)}{probe}",
        "The application runs but its readiness probe fails: a dependency it checks is away, or it listens elsewhere.",
    )


def _fresh(seen: Pod, now: datetime | None, min_ready_s: int) -> Ruling | None:
    ready = seen.condition("Ready")
    if not (min_ready_s and now and ready and ready.last_transition_time):
        return None
    age = now - ready.last_transition_time
    if age >= timedelta(seconds=min_ready_s):
        return None
    return pending(f"ready for {age.total_seconds():.0f} s of minReadySeconds {min_ready_s}")


def _well(seen: Pod) -> Ruling:
    restarts = sum([each.restart_count for each in seen.status.all_statuses])
    if not restarts and not seen.status.ephemeral_container_statuses:
        return WELL
    note = f", {restarts} restarts before" if restarts else ""
    debug = ", ".join(each.name for each in seen.status.ephemeral_container_statuses)
    return passed("ready" + note + (f"; debug container {debug} attached" if debug else ""))
