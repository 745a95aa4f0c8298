"""Claims about what keeps a release up beside its pods: autoscalers, disruption budgets, volumes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar, cast

from postdeploy.cluster import network
from postdeploy.cluster.objects import (
    Deployment,
    HorizontalPodAutoscaler,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    StatefulSet,
    Workload,
)
from postdeploy.cluster.owners import Named
from postdeploy.cluster.ruling import Ruling, degraded, failed, gravest, not_applicable, pending, unverified
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import Component
from postdeploy.verdict import Judgement, State

METRICS_GRACE = timedelta(minutes=2)
"""How long new pods may go unmeasured before their autoscaler's missing metric is a finding."""
SCALING_PATIENCE = timedelta(minutes=5)
"""How long after its last step an autoscaler's target may still be on its way."""
SHOWN = 3
NOTED = "odd, and no finding"

N = TypeVar("N", bound=Named)


def autoscaler(sight: Sight, component: Component) -> Judgement:
    """The autoscaler that has the component as its target, by every condition it reports."""
    uids, field = list[str](), "scaleTargetRef of the HorizontalPodAutoscalers"
    ruling = sight.gap(component.namespace, ("horizontalpodautoscalers", RESOURCES[component.kind]))
    if ruling is None:
        workload, seen = sight.find(component), autoscaler_of(sight, component)
        if isinstance(workload, Ruling):
            ruling = workload
        elif seen is None:
            ruling = failed(
                f"no HorizontalPodAutoscaler of namespace {component.namespace} has it as its target",
                "It was renamed or not delivered: under load nothing adds pods.",
            )
        else:
            field = f"HorizontalPodAutoscaler {seen.metadata.name} (status.conditions)"
            uids, ruling = [seen.metadata.uid], scales(sight, seen, cast("Workload", workload))
    return sight.judge(component, "can be scaled by its autoscaler", ruling, uids=uids, field=field)


def autoscaler_of(sight: Sight, component: Component) -> HorizontalPodAutoscaler | None:
    """The autoscaler of what carries the traffic: of the Rollout itself, or of the primary that Flagger keeps."""
    kind = "Rollout" if component.progressive == "rollout" else component.kind
    name = f"{component.name}-primary" if component.progressive == "canary" else component.name
    for each in sight.snapshot.horizontalpodautoscalers:
        target = each.spec.scale_target_ref
        if (each.metadata.namespace, target.kind, target.name) == (component.namespace, kind, name):
            return each
    return None


def scales(sight: Sight, seen: HorizontalPodAutoscaler, workload: Workload) -> Ruling:
    """Every condition of an autoscaler; its target's new pods may be unmeasured for a while."""
    now, made = sight.snapshot.taken, seen.metadata.creation_timestamp
    ruling = network.autoscaler(seen, fresh=_first_of_the_new(sight.family.current(workload), now))
    if ruling.state is State.PENDING and made and now - made < METRICS_GRACE:
        return Ruling(State.PASSED, f"just made: {ruling.seen}")
    status, last = seen.status, seen.status.last_scale_time
    follows = status.current_replicas == status.desired_replicas or (last and now - last < SCALING_PATIENCE)
    if ruling.state is not State.PASSED or follows:
        return ruling
    return degraded(
        f"{status.current_replicas} replicas where it wants {status.desired_replicas} (status.desiredReplicas)",
        "Its target does not follow: a quota, no room on the nodes, a delivery that sets the replicas back.",
    )


def _first_of_the_new(pods: Iterable[Pod], now: datetime) -> datetime | None:
    """When the first of those pods was born that may still be unmeasured."""
    births, since = (each.metadata.creation_timestamp for each in pods), now - METRICS_GRACE
    return min((each for each in births if each and each > since), default=None)


def disruption(sight: Sight) -> Judgement:
    """Every disruption budget of the environment."""
    claim = f"every PodDisruptionBudget of {sight.environment.name} guards pods and lets a node be drained"
    judged = [(each, _budget(sight, each)) for each in sight.snapshot.poddisruptionbudgets]
    return _together(sight, claim, judged, "poddisruptionbudgets")


def _budget(sight: Sight, seen: PodDisruptionBudget) -> Ruling:
    ruling, status = network.budget(seen), seen.status
    if ruling.state is State.FAILED and not status.expected_pods and _guards_nobody(sight, seen):
        return Ruling(State.PASSED, "what it guards is scaled to zero", NOTED)
    current = status.observed_generation == seen.metadata.generation
    if ruling.state is State.PENDING and current and status.current_healthy < status.desired_healthy:
        # Whether its pods are well is judged where they are: the budget does what it is for.
        return Ruling(State.PASSED, f"{ruling.seen}: no disruption allowed until its pods are ready", NOTED)
    return ruling


def _guards_nobody(sight: Sight, seen: PodDisruptionBudget) -> bool:
    everyone: tuple[Deployment | StatefulSet, ...] = (*sight.snapshot.deployments, *sight.snapshot.statefulsets)
    selected = [
        each
        for each in everyone
        if each.metadata.namespace == seen.metadata.namespace
        and seen.spec.selector.matches(each.spec.template.metadata.labels)
    ]
    return bool(selected) and not any(each.spec.replicas for each in selected)


def volumes(sight: Sight) -> Judgement:
    """Every volume claim of the environment."""
    claim = f"every PersistentVolumeClaim of {sight.environment.name} has its volume"
    judged = [(each, _volume(sight, each)) for each in sight.snapshot.persistentvolumeclaims]
    return _together(sight, claim, judged, "persistentvolumeclaims")


def _volume(sight: Sight, seen: PersistentVolumeClaim) -> Ruling:
    if seen.status.phase != "Pending" or seen.metadata.deletion_timestamp:
        return network.volume_claim(seen, waits_for_consumer=False)
    if user := _user(sight, seen):
        return pending(
            f"not bound, and pod {user.metadata.name} waits for it (status.phase Pending)",
            "No volume fits, no provisioner runs, or no node can have both the pod and its volume.",
        )
    known = {each.metadata.name: each for each in sight.snapshot.storageclasses}
    if (found := known.get(seen.spec.storage_class_name)) is not None:
        waits = found.volume_binding_mode == "WaitForFirstConsumer"
        ruling = network.volume_claim(seen, waits)
        return Ruling(State.PASSED, ruling.seen, NOTED) if waits else ruling
    if gap := sight.gap("", ["storageclasses"]):
        return unverified(f"not bound; whether its class lets it wait for a pod is not known: {gap.seen}", gap.cause)
    return network.volume_claim(seen, waits_for_consumer=False)


def _user(sight: Sight, seen: PersistentVolumeClaim) -> Pod | None:
    for pod in sight.snapshot.pods:
        if pod.metadata.namespace == seen.metadata.namespace and not pod.is_over:
            claims = [each.persistent_volume_claim for each in pod.spec.volumes if each.persistent_volume_claim]
            if any(each.claim_name == seen.metadata.name for each in claims):
                return pod
    return None


def _together(sight: Sight, claim: str, judged: Sequence[tuple[N, Ruling]], resource: str) -> Judgement:
    """One judgement over all objects of a kind: the gravest state decides, and names those that are in it."""
    worst = gravest((ruling for _, ruling in judged), not_applicable(f"there are no {resource}"))
    if worst.state is not State.FAILED:
        gaps = (sight.gap(namespace, [resource]) for namespace in sight.environment.namespaces)
        worst = next(filter(None, gaps), worst)
    alike = [(each, ruling) for each, ruling in judged if ruling.state is worst.state]
    if worst.state is State.PASSED:
        return Judgement(worst.state, claim, _counted(judged))
    if not alike:
        return Judgement(worst.state, claim, worst.seen, "", worst.cause)
    alike.sort(key=lambda each: _title(each[0]))
    seen = "; ".join(f"{_title(each)}: {ruling.seen}" for each, ruling in alike[:SHOWN])
    seen += f"; and {len(alike) - SHOWN} more" if len(alike) > SHOWN else ""
    uids = [each.metadata.uid for each, _ in alike[:SHOWN]]
    first = alike[0][0].metadata
    where = sight.diagnosis.where(uids, first.namespace, f"{resource} {first.namespace}/{first.name}")
    return Judgement(worst.state, claim, seen, where, worst.cause, worst.doomed)


def _counted(judged: Sequence[tuple[N, Ruling]]) -> str:
    """How many there are, and what is to be said of those that are well for an odd reason."""
    odd = [f"{_title(each)}: {ruling.seen}" for each, ruling in judged if ruling.cause == NOTED]
    return "; ".join([f"all {len(judged)}", *odd[:SHOWN]])


def _title(each: Named) -> str:
    return f"{each.metadata.namespace}/{each.metadata.name}"
