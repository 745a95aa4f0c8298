"""The way in from outside: an Ingress, a Gateway and the routes on it, each judged by what its controller reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from postdeploy.cluster.objects import Condition, Gateway, HTTPRoute, Ingress, Service, condition
from postdeploy.cluster.objects_entry import BackendReference, RouteParent
from postdeploy.cluster.rollout import going
from postdeploy.cluster.ruling import Ruling, failed, passed, pending

NO_BACKEND = "The Service or its port was renamed, or belongs to a part that was not delivered."
NO_ADDRESS = "The load balancer's controller has not made it, or may not: a quota, a certificate, a wrong class."
NO_SUCH_GATEWAY = "It names a Gateway that does not exist, or whose controller does not run."
BEHIND = "Its controller does not run, or is behind."
REFUSED = "The Gateway's controller refuses it: a wrong reference, a host that no listener takes, a missing grant."

SHOWN = 2

Services = Mapping[str, Service] | None
"""Services of the namespace by name; None where they were not seen, and nothing can be said of backends."""


def ingress(seen: Ingress, services: Services = None) -> Ruling:
    """It has an address, and every Service and port that it leads to exists."""
    if found := going(seen.metadata):
        return found
    missing = [] if services is None else list(_missing(seen, services))
    if missing:
        return failed(f"it leads nowhere: {_some(missing)}", NO_BACKEND)
    addresses = [str(each.get("ip") or each.get("hostname") or "?") for each in seen.status.load_balancer.ingress]
    if not addresses:
        return pending("no address (status.loadBalancer.ingress)", NO_ADDRESS)
    return passed(f"at {', '.join(addresses)}")


def _missing(seen: Ingress, services: Mapping[str, Service]) -> Iterator[str]:
    for where, backend in seen.backends:
        found, port = services.get(backend.name), backend.port
        if found is None:
            yield f"{where} to Service {backend.name}, which does not exist"
        elif not _has_port(found, port.number, port.name):
            yield f"{where} to port {port.name or port.number} of Service {backend.name}, which it does not have"


def _some(found: list[str]) -> str:
    return "; ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")


def _has_port(found: Service, number: int, name: str = "") -> bool:
    if not number and not name:
        return True
    return found.spec.type == "ExternalName" or any(
        each.name == name if name else each.port == number for each in found.spec.ports
    )


def gateway(seen: Gateway) -> Ruling:
    """Accepted and programmed at its latest generation, with an address, and so is every listener."""
    if found := going(seen.metadata):
        return found
    status = seen.status
    if found := _unmet(status.conditions, ("Accepted", "Programmed"), seen.metadata.generation):
        return found
    if not status.listeners:
        return pending("nothing is said of its listeners yet (status.listeners)", BEHIND)
    for listener in status.listeners:
        if found := _refused(listener.conditions):
            return Ruling(found.state, f"listener {listener.name}: {found.seen}", found.cause)
    if not status.addresses:
        return pending("no address (status.addresses)", NO_ADDRESS)
    return passed(f"programmed at {', '.join(each.value for each in status.addresses)}")


def route(seen: HTTPRoute, services: Services = None) -> Ruling:
    """Every Gateway it hangs on has accepted it at its latest generation, and its backends exist."""
    if found := going(seen.metadata):
        return found
    missing = [] if services is None else list(_missing_backends(seen, services))
    if missing:
        return failed(f"it leads nowhere: {_some(missing)}", NO_BACKEND)
    return _accepted(seen)


def _accepted(seen: HTTPRoute) -> Ruling:
    """What is said of Gateways that it no longer hangs on does not count, and silence is no consent."""
    wanted = seen.spec.parent_refs
    answers = [(each.name, _answers(seen, each)) for each in wanted]
    for name, parent in ((name, one) for name, found in answers for one in found):
        if unmet := _unmet(parent.conditions, ("Accepted", "ResolvedRefs"), seen.metadata.generation):
            return Ruling(unmet.state, f"at Gateway {name}: {unmet.seen}", unmet.cause)
    silent = ", ".join(name for name, found in answers if not found)
    if silent or not wanted:
        return pending(f"no answer for it of Gateway {silent or '(none is named)'} (status.parents)", NO_SUCH_GATEWAY)
    return passed(f"accepted by {', '.join(sorted({each.name for each in wanted}))}")


def _answers(seen: HTTPRoute, parent: BackendReference) -> list[RouteParent]:
    """What is said of one Gateway; a controller may leave out the listener, or name each of them."""
    here = [each for each in seen.status.parents if seen.gateway_of(each.parent_ref) == seen.gateway_of(parent)]
    exact = [each for each in here if each.parent_ref.section_name == parent.section_name]
    return exact or [each for each in here if not (each.parent_ref.section_name and parent.section_name)]


def _missing_backends(seen: HTTPRoute, services: Mapping[str, Service]) -> Iterator[str]:
    for backend in seen.backends:
        found = services.get(backend.name)
        if found is None:
            yield f"Service {backend.name} does not exist"
        elif not _has_port(found, backend.port):
            yield f"Service {backend.name} has no port {backend.port}"


def _unmet(conditions: tuple[Condition, ...], wanted: Iterable[str], generation: int | None) -> Ruling | None:
    """The first of these conditions that is not true of the latest generation."""
    for kind in wanted:
        found = condition(conditions, kind)
        if found is None:
            return pending(f"not reported yet (no condition {kind})", BEHIND)
        if generation and found.observed_generation is not None and found.observed_generation != generation:
            return pending(
                f"{kind} speaks of generation {found.observed_generation} of {generation} (observedGeneration)",
                "Its controller has not caught up with the latest change.",
            )
        if not found.is_true:
            return failed(str(found), REFUSED) if found.is_false else pending(str(found), REFUSED)
    return None


def _refused(conditions: tuple[Condition, ...]) -> Ruling | None:
    """What a listener's conditions hold against it; some controllers leave one or the other out, but never all."""
    conflict = condition(conditions, "Conflicted")
    if conflict and conflict.is_true:
        return failed(str(conflict), REFUSED)
    said = [each for each in conditions if each.type in ("Accepted", "Programmed", "ResolvedRefs")]
    unmet = sorted((each for each in said if not each.is_true), key=lambda each: not each.is_false)
    if unmet:
        return failed(str(unmet[0]), REFUSED) if unmet[0].is_false else pending(str(unmet[0]), REFUSED)
    return None if said else pending("not reported yet (conditions)", BEHIND)
