"""Objects of one dump as each other's context: owners and pods, Services and endpoints, claims and classes."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, TypeVar

from postdeploy.cluster import rollout
from postdeploy.cluster.objects import (
    Canary,
    DaemonSet,
    Deployment,
    EndpointSlice,
    Event,
    HTTPRoute,
    Ingress,
    PersistentVolumeClaim,
    Pod,
    ReplicaSet,
    Rollout,
    Selector,
    Service,
    Snapshot,
    StatefulSet,
    StorageClass,
    Workload,
)
from postdeploy.cluster.owners import Family
from postdeploy.cluster.ruling import Ruling, failed, not_applicable, passed, pending
from postdeploy.verdict import State

T = TypeVar("T")


class Neighbours:
    """What else was in the dump; a rule that needs more than it has stays with the object alone."""

    def __init__(self, objects: list[Any], now: datetime | None) -> None:
        self.now = now
        pods = _only(objects, Pod)
        self._pods: dict[str, list[Pod]] = defaultdict(list)
        for pod in pods:
            self._pods[pod.metadata.namespace].append(pod)
        workloads = [each for each in objects if isinstance(each, (Deployment, StatefulSet, DaemonSet))]
        self._family = Family(
            Snapshot(
                environment="",
                release="",
                taken=now or datetime.now(UTC),
                replicasets=tuple(_only(objects, ReplicaSet)),
                pods=tuple(pods),
            )
        )
        # Objects written by hand may have no uid: they are nobody's old pods.
        self._old = {pod.metadata.uid: each for each in workloads for pod in self._family.old(each) if pod.metadata.uid}
        self._slices: dict[tuple[str, str], list[EndpointSlice]] = defaultdict(list)
        for each in _only(objects, EndpointSlice):
            self._slices[each.metadata.namespace, each.service].append(each)
        self._services: dict[str, dict[str, Service]] = defaultdict(dict)
        for service in _only(objects, Service):
            self._services[service.metadata.namespace][service.metadata.name] = service
        self._classes = {each.metadata.name: each for each in _only(objects, StorageClass)}
        self._events = _only(objects, Event)
        self._scaled_elsewhere = _targets(objects)

    @property
    def old_uids(self) -> frozenset[str]:
        """Pods of earlier revisions."""
        return frozenset(self._old)

    def known_uids(self, seen: EndpointSlice) -> frozenset[str]:
        """Every pod of the namespace that was seen; none where the dump has no pods of it."""
        return frozenset(each.metadata.uid for each in self._pods.get(seen.metadata.namespace, ()))

    def siblings(self, seen: EndpointSlice) -> list[EndpointSlice]:
        """All slices of the same Service: only their sum says whether it has endpoints."""
        return self._slices[seen.metadata.namespace, seen.service] if seen.service else [seen]

    def selected(self, seen: Service) -> list[Pod] | None:
        """The pods a Service selects; None where the dump has no pods of its namespace."""
        here = self._pods.get(seen.metadata.namespace)
        selector = Selector(match_labels=seen.spec.selector)
        return [each for each in here if selector.matches(each.metadata.labels)] if here else None

    def services(self, seen: Ingress | HTTPRoute) -> dict[str, Service] | None:
        """The Services of a way in's namespace by name; None where the dump has none of them."""
        return self._services.get(seen.metadata.namespace)

    def waits_for_consumer(self, seen: PersistentVolumeClaim) -> bool:
        """Whether the claim's class binds only once a pod uses it: the class says so, or the claim's events do."""
        found = self._classes.get(seen.spec.storage_class_name)
        if found:
            return found.volume_binding_mode == "WaitForFirstConsumer"
        uid = seen.metadata.uid
        return any(each.reason == "WaitForFirstConsumer" and uid and each.about.uid == uid for each in self._events)

    def pod(self, seen: Pod, ruling: Ruling) -> Ruling:
        """A pod of an earlier revision is no part of the release, as long as its workload's rollout is over."""
        workload = self._old.get(seen.metadata.uid)
        if workload is None or ruling.state is State.NOT_APPLICABLE:
            return ruling
        return not_applicable(f"a pod of an old revision of {workload.KIND} {workload.metadata.name}")

    def workload(self, seen: Workload, ruling: Ruling) -> Ruling:
        """The controller's counters, and then what the pods in the dump say beside them."""
        if ruling.state is not State.PASSED:
            return ruling
        left = self._family.old(seen)
        if left and not isinstance(seen, Deployment) and rollout.on_delete(seen):
            return rollout.stale(f"{len(left)} pods of an old revision")
        if left:
            return pending(f"{len(left)} pods of an old revision are left: {', '.join(_names(left))}")
        if isinstance(seen, Deployment) and seen.status.terminating_replicas:
            return pending(f"{seen.status.terminating_replicas} pods still terminate (status.terminatingReplicas)")
        return _at_zero(seen, ruling, is_target=_key(seen) in self._scaled_elsewhere)


def _at_zero(seen: Workload, ruling: Ruling, *, is_target: bool) -> Ruling:
    wanted = seen.status.desired_number_scheduled if isinstance(seen, DaemonSet) else seen.spec.replicas
    if wanted:
        return ruling
    if is_target:
        return passed("scaled to zero: a Canary or a Rollout runs its pods")
    return failed(
        "scaled to zero: nothing of it runs", "Somebody scaled it down, an autoscaler idles it, or no node fits."
    )


def _targets(objects: list[Any]) -> set[tuple[str, str, str]]:
    """Workloads that something else runs in their stead."""
    canaries = [(each, each.spec.target_ref) for each in _only(objects, Canary)]
    rollouts = [(each, each.spec.workload_ref) for each in _only(objects, Rollout) if each.spec.workload_ref]
    pairs = [(each.metadata.namespace, ref) for each, ref in canaries]
    pairs += [(each.metadata.namespace, ref) for each, ref in rollouts]
    return {(ref.kind, namespace, ref.name) for namespace, ref in pairs}


def _key(seen: Workload) -> tuple[str, str, str]:
    return seen.KIND, seen.metadata.namespace, seen.metadata.name


def _only(objects: list[Any], kind: type[T]) -> list[T]:
    return [each for each in objects if isinstance(each, kind)]


def _names(found: list[Pod]) -> list[str]:
    return sorted(each.metadata.name for each in found)[:3]
