"""What stands around workloads: Services and their endpoints, autoscalers, budgets, volume claims, definitions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from postdeploy.cluster.objects import (
    Condition,
    CustomResourceDefinition,
    EndpointSlice,
    HorizontalPodAutoscaler,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    Service,
    condition,
)
from postdeploy.cluster.rollout import going, unobserved
from postdeploy.cluster.ruling import Ruling, degraded, doomed, failed, passed, pending, unverified

STALE_TRAFFIC = "Its selector does not match the new pods' labels, or pods of a deleted ReplicaSet live on."


def service(seen: Service, selected: Collection[Pod] | None, old: Collection[str]) -> Ruling:
    """It sends traffic to ready pods of the current revision; `selected` is None where no pods were seen."""
    if found := going(seen.metadata):
        return found
    if seen.spec.type == "ExternalName":
        return passed("an ExternalName: only an alias")
    if seen.spec.type == "LoadBalancer" and not seen.status.load_balancer.ingress:
        return pending("no address yet (status.loadBalancer.ingress)", "The cloud has not made the load balancer yet.")
    if not seen.spec.selector:
        return passed("no selector: its endpoints are managed elsewhere")
    if selected is None:
        if seen.spec.type == "LoadBalancer":
            return passed("it has an address (status.loadBalancer.ingress)")
        return unverified("what it selects is unknown: judge it together with its pods and EndpointSlices")
    live = [each for each in selected if each.is_live]
    if not live:
        return failed(f"its selector matches no pod ({_pairs(seen.spec.selector)})", STALE_TRAFFIC)
    if all(each.metadata.uid in old for each in live):
        return failed(f"all {len(live)} pods it selects are of an old revision", STALE_TRAFFIC)
    ready = [each for each in live if (found_ready := each.condition("Ready")) and found_ready.is_true]
    if not ready:
        return pending(f"none of the {len(live)} pods it selects is ready")
    return passed(f"{len(ready)} of {len(live)} pods it selects are ready")


def _pairs(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())


def endpoint_slices(seen: Collection[EndpointSlice], old: Collection[str], known: Collection[str] = ()) -> Ruling:
    """All slices of one Service together: an address takes traffic, and none of an old revision does.

    `old` and `known` are uids of pods: of earlier revisions, and all that were seen.
    """
    everyone = {
        (each.target_ref.uid if each.target_ref else "") or each.addresses: each for s in seen for each in s.endpoints
    }
    ready = {key: each for key, each in everyone.items() if each.is_ready and not each.is_terminating}
    stale = [key for key in ready if key in old]
    if stale:
        return failed(f"{len(stale)} of {len(ready)} ready endpoints are pods of an old revision", STALE_TRAFFIC)
    gone = [key for key in ready if known and isinstance(key, str) and key not in known]
    if gone:
        return pending(f"{len(gone)} of {len(ready)} ready endpoints are pods that were not seen (targetRef.uid)")
    if not everyone:
        return failed("no endpoint at all (endpoints)", "The Service selects no pod, or it has no pods.")
    if ready:
        return passed(f"{len(ready)} of {len(everyone)} endpoints ready")
    if all(each.is_terminating for each in everyone.values()):
        return failed(f"all {len(everyone)} endpoints are terminating", "Its pods go, and none follows them.")
    return pending(f"none of {len(everyone)} endpoints is ready (conditions.ready)", "Why is in its pods.")


OF_PODS = frozenset({"FailedGetResourceMetric", "FailedGetContainerResourceMetric", "FailedGetPodsMetric"})
"""Reasons that pods which nothing has measured yet may give; what another object measures does not wait for them."""


def autoscaler(seen: HorizontalPodAutoscaler, *, fresh: datetime | None = None) -> Ruling:
    """Every condition counts: `AbleToScale=True` alone hides that its metric cannot be read.

    `fresh`: when its pods were born, where they are so new that nothing has measured them yet.
    """
    conditions = seen.status.conditions or _annotated(seen)
    if found := going(seen.metadata):
        return found
    able, active = condition(conditions, "AbleToScale"), condition(conditions, "ScalingActive")
    if able and able.is_false:
        return failed(str(able), "Its target is gone or renamed, or the autoscaler may not change its scale.")
    if active and active.is_false and active.reason != "ScalingDisabled":
        if fresh and active.reason in OF_PODS and not _began_before(active, fresh):
            return passed(f"its pods are too new to be measured: {active}")
        return failed(str(active), "Its metric is missing: the adapter, the Service or new pods do not report yet.")
    if found := _unsaid(able, "AbleToScale") or _unsaid(active, "ScalingActive"):
        return found
    limited, status = condition(conditions, "ScalingLimited"), seen.status
    if limited and limited.is_true and limited.reason == "TooManyReplicas":
        return degraded(
            f"it wants more than maxReplicas {seen.spec.max_replicas}: {limited}", "Load, or a slow release."
        )
    return passed(f"{status.current_replicas} replicas, {status.desired_replicas} desired, all conditions well")


def _began_before(seen: Condition, born: datetime) -> bool:
    return seen.last_transition_time is not None and seen.last_transition_time < born


def _unsaid(seen: Condition | None, kind: str) -> Ruling | None:
    if seen is None:
        return pending(f"not evaluated yet (no condition {kind})")
    return None if seen.is_true or seen.is_false else pending(str(seen), "Its controller cannot tell.")


def _annotated(seen: HorizontalPodAutoscaler) -> tuple[Condition, ...]:
    try:
        return msgspec.json.decode(seen.metadata.annotations.hpa_conditions or "[]", type=tuple[Condition, ...])
    except msgspec.DecodeError:
        return ()


def budget(seen: PodDisruptionBudget) -> Ruling:
    """It is in sync and guards pods; that it allows no disruption just now is no fault of a release."""
    meta, status = seen.metadata, seen.status
    if found := going(meta) or unobserved(meta, status.observed_generation, empty=True):
        return found
    allowed = condition(status.conditions, "DisruptionAllowed")
    if allowed and allowed.reason == "SyncFailed":
        return failed(str(allowed), "Its pods belong to something the controller cannot count.")
    if not status.expected_pods:
        return failed(
            "its selector matches no pod (status.expectedPods 0)", "A label was renamed, or the pods are gone."
        )
    counts = f"{status.current_healthy} healthy of {status.desired_healthy} desired (status.currentHealthy)"
    if status.current_healthy < status.desired_healthy:
        return pending(counts, "Why is in its pods.")
    if status.expected_pods and not status.disruptions_allowed and status.current_healthy >= status.expected_pods:
        return degraded(f"{counts}, no disruption allowed", "A node with such a pod cannot be drained.")
    return passed(counts)


def volume_claim(seen: PersistentVolumeClaim, waits_for_consumer: bool) -> Ruling:
    """Bound; or pending because its class waits for a pod."""
    if found := going(seen.metadata):
        return found
    match seen.status.phase:
        case "Bound":
            resizing = ", ".join(each.type for each in seen.status.conditions if each.is_true)
            if resizing:
                return degraded(f"bound, {resizing}", "Its new size is still to come, or waits for a pod to restart.")
            return passed("bound")
        case "Lost":
            return doomed("its volume is lost (status.phase Lost)", "The PersistentVolume was deleted.")
    if waits_for_consumer:
        return degraded(
            "pending until a pod uses it (WaitForFirstConsumer)", "Nothing mounts it: left of a removed pod?"
        )
    return pending(
        f"not bound (status.phase {seen.status.phase or 'absent'})", "No volume fits, or no provisioner runs."
    )


def definition(seen: CustomResourceDefinition) -> Ruling:
    """Its names are accepted, it is established, and its stored version is served."""
    if found := going(seen.metadata):
        return found
    names, up = condition(seen.status.conditions, "NamesAccepted"), condition(seen.status.conditions, "Established")
    if names and names.is_false:
        return failed(str(names), "Another definition already has one of its names.")
    if not (names and names.is_true and up and up.is_true):
        return pending("; ".join(str(each) for each in (names, up) if each) or "nothing reported yet")
    unserved = [each.name for each in seen.spec.versions if each.storage and not each.served]
    if unserved:
        return failed(f"its stored version {unserved[0]} is not served", "An upgrade stopped half-way.")
    return passed("names accepted, established")
