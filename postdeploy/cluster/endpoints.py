"""Where a Service's traffic really goes: its EndpointSlices held against the pods of the current revision, by uid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from postdeploy.cluster.objects import Endpoint, EndpointSlice, Pod, Service
from postdeploy.cluster.ruling import Ruling, degraded, failed, not_applicable, passed, pending, unverified

NEG_READY = "cloud.google.com/load-balancer-neg-ready"
"""The load balancer sets this condition once it sees the pod itself; Ready waits for it."""
STALE = "The Service's selector still names the old revision's labels, or the old pods' owner was never scaled down."
ORPHANED = "A ReplicaSet was deleted without its pods (--cascade=orphan), or a pod was started by hand with its labels."

Key = str | tuple[str, ...]
"""What tells one endpoint from another: its pod's uid, else its addresses."""


class Behind(msgspec.Struct, frozen=True):
    """The pods around one Service."""

    current: Mapping[str, Pod]
    """Of the component's current revision, by uid."""
    old: Collection[str]
    """uids of the component's earlier revisions."""
    everyone: Mapping[str, Pod]
    """All pods of the namespace, by uid."""
    orphans: Iterable[Pod]
    """Pods that the selector matches and nobody owns."""
    rolling: bool
    """Whether the component's rollout is still under way, so that old pods may still serve."""


def traffic(service: Service, slices: Iterable[EndpointSlice], behind: Behind) -> Ruling:
    """Only ready pods of the current revision take traffic, at least one does, and none that is going."""
    everyone = _union(slices)
    ready = {key: each for key, each in everyone.items() if each.is_ready}
    if not service.spec.selector and not any(isinstance(each, str) for each in everyone):
        return not_applicable("no selector: its endpoints are managed elsewhere")
    return (
        _orphaned(behind)
        or _stale(ready, behind)
        or _leaving(service, ready, behind)
        or _unknown(ready, behind)
        or _gated(behind)
        or _counted(service, everyone, ready, behind)
    )


def _union(slices: Iterable[EndpointSlice]) -> dict[Key, Endpoint]:
    """Every endpoint once: a pod stands in a slice for each address family, and in two while slices are rebalanced.

    Of several entries the one that sends traffic counts, since traffic follows it.
    """
    found: dict[Key, Endpoint] = {}
    for each in (endpoint for one in slices for endpoint in one.endpoints):
        key: Key = (each.target_ref.uid if each.target_ref else "") or each.addresses
        if key not in found or (each.is_ready and not found[key].is_ready):
            found[key] = each
    return found


def _stale(ready: Mapping[Key, Endpoint], behind: Behind) -> Ruling | None:
    """Ready endpoints that are pods, and none of the current revision."""
    wrong = [each for each in ready if isinstance(each, str) and each in behind.everyone and each not in behind.current]
    if not wrong:
        return None
    old = [each for each in wrong if each in behind.old]
    what = "of an old revision" if old else "not of this component"
    seen = f"{len(old or wrong)} of {len(ready)} ready endpoints are pods {what}: {_named(old or wrong, behind)}"
    if behind.rolling and len(old) == len(wrong):
        return pending(seen, "The rollout is still under way.")
    return failed(seen, STALE)


def _orphaned(behind: Behind) -> Ruling | None:
    found = sorted(each.metadata.name for each in behind.orphans)
    if not found:
        return None
    return failed(f"its selector also matches {len(found)} pods that nobody owns: {', '.join(found[:3])}", ORPHANED)


def _leaving(service: Service, ready: Mapping[Key, Endpoint], behind: Behind) -> Ruling | None:
    """Endpoints that take traffic although their pod is going or not ready; a Service may ask for just that."""
    if service.spec.publish_not_ready_addresses:
        return None
    pods = {key: behind.current[key] for key in ready if isinstance(key, str) and key in behind.current}
    going = [
        key for key, each in ready.items() if each.is_terminating or (key in pods and pods[str(key)].is_terminating)
    ]
    if going:
        return failed(
            f"{len(going)} of {len(ready)} ready endpoints are terminating: {_named(going, behind)}",
            "The endpoint controller is behind, or something else writes the slices: requests end in the middle.",
        )
    unready = [key for key, pod in pods.items() if not _is_ready(pod)]
    if unready:
        return pending(
            f"{len(unready)} of {len(ready)} ready endpoints are pods that are not ready: {_named(unready, behind)}",
            "The endpoint controller is behind its pods.",
        )
    return None


def _unknown(ready: Mapping[Key, Endpoint], behind: Behind) -> Ruling | None:
    nameless = [each for each in ready if not isinstance(each, str)]
    if nameless:
        return unverified(
            f"{len(nameless)} of {len(ready)} ready endpoints name no pod (targetRef): {nameless[0][0]}",
            "Somebody writes this Service's endpoints by hand: whose addresses they are cannot be told.",
        )
    unseen = [each for each in ready if each not in behind.everyone]
    if unseen:
        return pending(
            f"{len(unseen)} of {len(ready)} ready endpoints are pods that do not exist (targetRef.uid)",
            "The endpoint controller is behind: it still sends traffic to pods that are gone.",
        )
    return None


def _gated(behind: Behind) -> Ruling | None:
    """Pods that the load balancer in front of them does not see yet."""
    waiting = [
        each
        for each in behind.current.values()
        if each.is_live and _has_gate(each) and not ((found := each.condition(NEG_READY)) and found.is_true)
    ]
    if not waiting:
        return None
    names = ", ".join(sorted(each.metadata.name for each in waiting)[:3])
    return pending(
        f"the load balancer does not see {len(waiting)} of {len(behind.current)} pods: {names} (condition {NEG_READY})",
        "The network endpoint group's health check fails or is missing, or its controller does not run.",
    )


def _counted(
    service: Service, everyone: Mapping[Key, Endpoint], ready: Mapping[Key, Endpoint], behind: Behind
) -> Ruling:
    if not everyone:
        selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
        return failed(f"no endpoint at all (selector {selector})", "The selector matches none of its pods' labels.")
    serving = [key for key, each in ready.items() if each.is_serving]
    if not serving:
        return pending(f"none of {len(everyone)} endpoints is ready (conditions.ready)", "Why is in its pods.")
    gates = (
        f"; the load balancer sees all of them ({NEG_READY})" if any(map(_has_gate, behind.current.values())) else ""
    )
    left_out = [uid for uid, pod in behind.current.items() if uid not in ready and pod.is_live and _is_ready(pod)]
    if left_out:
        return degraded(
            f"{len(left_out)} ready pods of the current revision get no traffic: {_named(left_out, behind)}",
            "Their labels differ from the selector, or the endpoint controller is behind.",
        )
    return passed(f"{len(serving)} pods of the current revision take its traffic, and nobody else{gates}")


def _has_gate(pod: Pod) -> bool:
    gates = pod.spec.readiness_gates
    return bool(gates) and any(each.condition_type == NEG_READY for each in gates)


def _is_ready(pod: Pod) -> bool:
    found = pod.condition("Ready")
    return found is not None and found.is_true


def _named(keys: Iterable[Key], behind: Behind) -> str:
    names = sorted(behind.everyone[key].metadata.name if key in behind.everyone else str(key) for key in map(str, keys))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
