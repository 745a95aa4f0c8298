"""Argo Rollouts and Flagger Canaries: healthy is not enough, the new revision must be the one that serves."""

from __future__ import annotations

from msgspec.structs import replace

from postdeploy.cluster.objects import Canary, Deployment, Rollout, condition
from postdeploy.cluster.objects_workloads import DeploymentSpec, DeploymentStatus
from postdeploy.cluster.rollout import going
from postdeploy.cluster.ruling import Ruling, doomed, passed, pending

ANALYSIS = "An analysis of the new revision failed: the old one goes on serving, in good health."


def rollout(seen: Rollout) -> Ruling:
    """Observed, not aborted, not paused, and stable (or active) is the current revision."""
    return (
        going(seen.metadata)
        or _behind(seen)
        or _broken(seen)
        or _held(seen)
        or _serving(seen)
        or passed(f"revision {seen.status.current_pod_hash or '-'} serves, {seen.status.available_replicas} available")
    )


class RolledOut(Deployment, frozen=True):
    """An Argo Rollout as the Deployment it stands for, so that its pods are judged like any other's."""

    keeps_the_old_stack: bool = False


def as_deployment(seen: Rollout, referred: Deployment | None) -> RolledOut:
    """The Rollout's current revision; the template is its own, or that of the Deployment it refers to."""
    status, strategy, meta = seen.status, seen.spec.strategy, seen.metadata
    keeps = strategy is not None and strategy.keeps_the_old_stack and rollout(seen).holds
    template, selector = seen.spec.template, seen.spec.selector
    if seen.spec.workload_ref is not None and referred is not None:
        template, selector = referred.spec.template, referred.spec.selector
    return RolledOut(
        metadata=replace(meta, annotations=replace(meta.annotations, revision=meta.annotations.rollout_revision)),
        spec=DeploymentSpec(
            replicas=seen.spec.replicas,
            min_ready_seconds=seen.spec.min_ready_seconds,
            selector=selector,
            template=template,
        ),
        status=DeploymentStatus(
            observed_generation=meta.generation,
            replicas=status.updated_replicas if keeps else status.replicas,
            updated_replicas=status.updated_replicas,
            ready_replicas=status.ready_replicas,
            available_replicas=status.available_replicas,
            conditions=status.conditions,
        ),
        keeps_the_old_stack=keeps,
    )


def _behind(seen: Rollout) -> Ruling | None:
    status = seen.status
    observed, generation = str(status.observed_generation), seen.metadata.generation
    # Before 1.0 this was a hash of the spec, which cannot be compared with a generation.
    if observed.isdigit() and generation is not None and int(observed) != generation:
        return pending(f"the controller has seen generation {observed} of {generation} (status.observedGeneration)")
    wanted, got = seen.metadata.annotations.workload_generation, str(status.workload_observed_generation)
    if seen.spec.workload_ref and wanted and wanted != got:
        return pending(f"the controller has seen generation {got or '-'} of {wanted} of its workload")
    return None


def _broken(seen: Rollout) -> Ruling | None:
    conditions, status = seen.status.conditions, seen.status
    invalid, progressing = condition(conditions, "InvalidSpec"), condition(conditions, "Progressing")
    if invalid and invalid.is_true:
        return doomed(f"its spec is refused: {invalid}", "A Service or a step that the spec names does not fit.")
    if status.abort:
        return doomed(f"the new revision was aborted: {progressing or status.message}", ANALYSIS)
    if progressing and progressing.is_false:
        return doomed(f"the rollout gave up: {progressing}", "The new pods did not become available in time.")
    if status.phase == "Degraded":
        return doomed(f"phase Degraded: {status.message}", ANALYSIS)
    return None


def _held(seen: Rollout) -> Ruling | None:
    status = seen.status
    if status.pause_conditions or status.phase == "Paused" or seen.spec.paused:
        why = ", ".join(each.reason for each in status.pause_conditions) or status.message or "spec.paused"
        return pending(f"paused: {why}", "It waits for a promotion: by time, by analysis or by hand.")
    if not status.current_pod_hash and not status.conditions:
        return pending("nothing reported yet")
    if status.phase == "Progressing":
        return pending(f"phase Progressing: {status.message}")
    return None


def _serving(seen: Rollout) -> Ruling | None:
    status, wanted = seen.status, seen.spec.replicas
    current = status.current_pod_hash
    blue_green = seen.spec.strategy is not None and seen.spec.strategy.blue_green is not None
    serving = (status.blue_green.active_selector if blue_green else "") or status.stable_rs
    if serving and serving != current:
        return pending(f"revision {serving} still serves, not the current {current} (status.stableRS, activeSelector)")
    for got, what in (
        (status.updated_replicas, "updatedReplicas"),
        (status.available_replicas, "availableReplicas"),
    ):
        if got < wanted:
            return pending(f"{got} of {wanted} replicas (status.{what})")
    available = condition(status.conditions, "Available")
    # Old versions write Available=False/True on a complete Rollout alike; False still means too few.
    if available and available.is_false:
        return pending(str(available))
    return None


def canary(seen: Canary) -> Ruling:
    """Succeeded or initialised, and what was promoted is what was applied last."""
    if found := going(seen.metadata):
        return found
    status = seen.status
    detail = condition(status.conditions, "Promoted")
    said = f": {detail.message}" if detail and detail.message else ""
    match status.phase:
        case "Failed":
            return doomed(f"phase Failed{said}", ANALYSIS)
        case "Succeeded" | "Initialized":
            promoted, applied = status.last_promoted_spec, status.last_applied_spec
            if promoted and applied and promoted != applied:
                return pending(f"phase {status.phase}, but spec {applied} is applied and {promoted} promoted")
            return passed(f"phase {status.phase}{said}")
        case _:
            weight = f" at weight {status.canary_weight}" if status.canary_weight else ""
            return pending(f"phase {status.phase or 'not reported yet'}{weight}{said}")
