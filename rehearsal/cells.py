"""What stands in one cell of kubectl's tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rehearsal.kinds import Obj

Cell = Callable[[Obj], Any]


def age(moment: str | None) -> str:
    """How long ago, in kubectl's short form."""
    if not moment:
        return "<unknown>"
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    if seconds < 600:
        return f"{seconds // 60}m{seconds % 60}s" if seconds % 60 else f"{seconds // 60}m"
    if seconds < 3 * 3600:
        return f"{seconds // 60}m"
    if seconds < 48 * 3600:
        return f"{seconds // 3600}h"
    return f"{seconds // 86400}d"


def pod_status(pod: Obj) -> str:
    """The STATUS of a pod: what its containers wait for says more than its phase."""
    status = pod["status"]
    said: str = status.get("reason") or status["phase"]
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for place, each in enumerate(status.get("initContainerStatuses", [])):
        state, total = each.get("state", {}), len(status["initContainerStatuses"])
        if state.get("terminated", {}).get("exitCode") == 0 or each.get("started"):
            continue
        why = state.get("terminated", state.get("waiting", {})).get("reason", "")
        return f"Init:{why}" if why not in ("", "PodInitializing") else f"Init:{place}/{total}"
    for each in reversed(status.get("containerStatuses", [])):
        said = each.get("state", {}).get("waiting", each.get("state", {}).get("terminated", {})).get("reason", said)
    return said


def restarts(pod: Obj) -> str:
    """How often containers came back, and when last."""
    found = [*pod["status"].get("containerStatuses", []), *_sidecars(pod)]
    total = sum(each["restartCount"] for each in found)
    ends = [each.get("lastState", {}).get("terminated", {}).get("finishedAt") for each in found]
    last = max((each for each in ends if each), default=None)
    return f"{total} ({age(last)} ago)" if total and last else str(total)


def ready(pod: Obj) -> str:
    """How many of the containers that stay are ready."""
    found = [*pod["status"].get("containerStatuses", []), *_sidecars(pod)]
    total = len(pod["spec"]["containers"]) + sum(_stays(each) for each in pod["spec"].get("initContainers", []))
    return f"{sum(bool(each['ready']) for each in found)}/{total}"


def _stays(container: Obj) -> bool:
    return container.get("restartPolicy") == "Always"


def _sidecars(pod: Obj) -> list[Obj]:
    stay = {each["name"] for each in pod["spec"].get("initContainers", []) if _stays(each)}
    return [each for each in pod["status"].get("initContainerStatuses", []) if each["name"] in stay]


def at(path: str, default: Any = "<none>") -> Cell:
    """The value at a dotted path."""

    def cell(obj: Obj) -> Any:
        seen: Any = obj
        for step in path.split("."):
            seen = seen.get(step) if isinstance(seen, dict) else None
        return default if seen is None else seen

    return cell


def count(path: str) -> Cell:
    """The number at a dotted path, which the API leaves out where it is zero."""
    return at(path, 0)


def containers(key: str, path: str = "spec.template.spec") -> Cell:
    """One key of every container of a template."""
    return lambda obj: ",".join(each[key] for each in at(path, {})(obj).get("containers", []))


def selector(path: str = "spec.selector.matchLabels") -> Cell:
    """A selector as text."""
    return lambda obj: ",".join(f"{key}={value}" for key, value in at(path, {})(obj).items()) or "<none>"


def job_outcome(obj: Obj) -> str:
    """What has become of a Job."""
    true = [each["type"] for each in obj.get("status", {}).get("conditions", []) if each["status"] == "True"]
    return next((each for each in ("Complete", "Failed", "Suspended") if each in true), "Running")


def ready_condition(obj: Obj) -> Obj:
    """The condition Ready, whatever it says."""
    found: list[Obj] = at("status.conditions", [])(obj)
    return next((each for each in found if each["type"] == "Ready"), {"status": "Unknown", "message": ""})


def ready_replicas(obj: Obj) -> str:
    """Ready replicas of those wanted."""
    return f"{count('status.readyReplicas')(obj)}/{count('spec.replicas')(obj)}"


def node_status(obj: Obj) -> str:
    """Whether a node is ready."""
    return "Ready" if ready_condition(obj)["status"] == "True" else "NotReady"


def ports(obj: Obj) -> str:
    """The ports of a Service."""
    return ",".join(f"{each['port']}/{each['protocol']}" for each in obj["spec"].get("ports", [])) or "<none>"


def few(found: list[str], otherwise: str = "<none>") -> str:
    """The first three of several values, and how many more there are."""
    shown = ",".join(found[:3])
    return (f"{shown} + {len(found) - 3} more..." if len(found) > 3 else shown) or otherwise


def readiness_gates(pod: Obj) -> str:
    """How many of the conditions that something outside sets are set."""
    gates = [each["conditionType"] for each in pod["spec"].get("readinessGates", ())]
    true = {each["type"] for each in pod["status"].get("conditions", ()) if each["status"] == "True"}
    return f"{len(true.intersection(gates))}/{len(gates)}" if gates else "<none>"


def access_modes(claim: Obj) -> str:
    """The access modes of a volume claim in kubectl's short form."""
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return ",".join(short.get(each, each) for each in at("status.accessModes", [])(claim))


def targets(scaler: Obj) -> str:
    """What an autoscaler measures of what it aims at."""
    shown = []
    for each, seen in zip(scaler["spec"]["metrics"], at("status.currentMetrics", [])(scaler), strict=False):
        wanted, current = each["resource"], seen.get("resource", {}).get("current", {}).get("averageUtilization")
        aim = wanted["target"]["averageUtilization"]
        shown.append(f"{wanted['name']}: {'<unknown>' if current is None else f'{current}%'}/{aim}%")
    return ", ".join(shown) or "<unknown>"


def addresses(obj: Obj) -> str:
    """The addresses of a load balancer."""
    found: list[Obj] = at("status.loadBalancer.ingress", [])(obj)
    return ",".join(each.get("ip") or each.get("hostname", "") for each in found)


def programmed(gateway: Obj) -> str:
    """Whether a Gateway's data plane is in place."""
    found: list[Obj] = at("status.conditions", [])(gateway)
    return next((str(each["status"]) for each in found if each["type"] == "Programmed"), "Unknown")
