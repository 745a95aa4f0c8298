"""Where a Service's traffic really goes: its EndpointSlices held against the pods of the current revision, by uid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from postdeploy.cluster.objects import Endpoint, EndpointSlice, Pod, Service
from postdeploy.cluster.ruling import Ruling, degraded, failed, not_applicable, passed, pending, unverified

NEG_READY = "cloud.google.com/load-balancer-neg-ready"
"""The load balancer sets this condition once it sees the pod itself; Ready waits for it."""
STALE = "The Service's selector still names the old revision's labels, or the old pods' owner was never scaled down."
SENDS_TO_LEAVING = "The endpoint controller is behind, or something else writes the slices: requests end in the middle."
NO_SUCH_PORT = "No container has a port of the name that the Service's targetPort gives, or the name was changed."
ORPHANED = "A ReplicaSet was deleted without its pods (--cascade=orphan), or a pod was started by hand with its labels."

LAG = timedelta(seconds=10)
"""How long a pod may have been told to go before its endpoint stops taking traffic: lists are not of one moment."""

Key = str | tuple[str, ...]
"""What tells one endpoint from another: its pod's uid, else its addresses."""


class Behind(msgspec.Struct, frozen=True):
    """The pods around one Service."""

    current: Mapping[str, Pod]
    """Of the component's current revision, by uid."""
    doubtful: Mapping[str, Pod]
    """Those of them that are not plainly well, and so may not be ready, or be on their way out."""
    old: Collection[str]
    """uids of the component's earlier revisions."""
    everyone: Mapping[str, Pod]
    """All pods of the namespace, by uid."""
    orphans: Iterable[Pod]
    """Pods that the selector matches and nobody owns."""
    rolling: bool
    """Whether the component's rollout is still under way, so that old pods may still serve."""
    taken: datetime
    """When all this was seen."""
    knows_ports: bool
    """Whether the ports of slices were recorded."""


def traffic(service: Service, slices: Collection[EndpointSlice], behind: Behind) -> Ruling:
    """Only ready pods of the current revision take traffic on every port, at least one does, and none that is going."""
    everyone = _union(slices)
    ready = {key: each for key, each in everyone.items() if each.is_ready}
    return (
        _misdirected(service, everyone, ready, behind)
        or _gated(behind)
        or _nobody(service, everyone, ready)
        or _uncarried(service, slices, behind)
        or _counted(ready, behind)
    )


def idle(service: Service, slices: Collection[EndpointSlice], behind: Behind) -> Ruling:
    """Of what is scaled to zero: its Service sends nothing to anybody else meanwhile."""
    everyone = _union(slices)
    ready = {key: each for key, each in everyone.items() if each.is_ready}
    nobody = passed("scaled to zero, as declared: there is nobody to send traffic to")
    return _misdirected(service, everyone, ready, behind) or nobody


def _misdirected(
    service: Service, everyone: Iterable[Key], ready: Mapping[Key, Endpoint], behind: Behind
) -> Ruling | None:
    """What takes the Service's traffic and should not, or may not be told."""
    return (
        _elsewhere(service, everyone)
        or _orphaned(behind)
        or _stale(ready, behind)
        or _leaving(service, ready, behind)
        or _unknown(ready, behind)
    )


def _elsewhere(service: Service, everyone: Iterable[Key]) -> Ruling | None:
    if service.spec.selector or any(isinstance(each, str) for each in everyone):
        return None
    return not_applicable("no selector: its endpoints are managed elsewhere")


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
    pods: dict[Key, Pod] = {uid: pod for uid, pod in behind.doubtful.items() if uid in ready}
    going = [key for key, each in ready.items() if each.is_terminating or (key in pods and pods[key].is_terminating)]
    if going:
        seen = f"{len(going)} of {len(ready)} ready endpoints are terminating: {_named(going, behind)}"
        just = not any(ready[key].is_terminating or _left_long_ago(pods[key], behind.taken) for key in going)
        return pending(f"{seen}, just told to go", SENDS_TO_LEAVING) if just else failed(seen, SENDS_TO_LEAVING)
    unready = [key for key, pod in pods.items() if not _is_ready(pod)]
    if unready:
        return pending(
            f"{len(unready)} of {len(ready)} ready endpoints are pods that are not ready: {_named(unready, behind)}",
            "The endpoint controller is behind its pods.",
        )
    return None


def _left_long_ago(pod: Pod, now: datetime) -> bool:
    return pod.told_to_go is not None and now - pod.told_to_go > LAG


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


def _nobody(service: Service, everyone: Mapping[Key, Endpoint], ready: Mapping[Key, Endpoint]) -> Ruling | None:
    if not everyone:
        selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
        return failed(f"no endpoint at all (selector {selector})", "The selector matches none of its pods' labels.")
    if not any(each.is_serving for each in ready.values()):
        return pending(f"none of {len(everyone)} endpoints is ready (conditions.ready)", "Why is in its pods.")
    return None


def _uncarried(service: Service, slices: Collection[EndpointSlice], behind: Behind) -> Ruling | None:
    """Ports of the Service that no ready endpoint takes traffic on."""
    carried = {name for each in slices if any(one.is_ready for one in each.endpoints) for name in each.carries}
    missing = [each for each in service.spec.ports if each.name not in carried]
    if not missing or not behind.knows_ports:
        return None
    named = ", ".join(each.name or str(each.port) for each in missing)
    seen = f"no ready endpoint takes traffic on port {named} (ports of the EndpointSlices)"
    if behind.rolling:
        return pending(seen, "The rollout is still under way.")
    if service.spec.cluster_ip == "None":
        return degraded(f"{seen}: only who asks for its addresses alone finds it", NO_SUCH_PORT)
    return failed(seen, NO_SUCH_PORT)


def _counted(ready: Mapping[Key, Endpoint], behind: Behind) -> Ruling:
    serving = [key for key, each in ready.items() if each.is_serving]
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
