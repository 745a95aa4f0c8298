"""Judges any dump of Kubernetes objects by the suite's rules: what `postdeploy judge FILE…` prints."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from postdeploy.cluster import batch, entries, events, flux, network, pods, progressive, rollout
from postdeploy.cluster.dump import NotAnObject, latest, read_dump
from postdeploy.cluster.neighbours import Neighbours
from postdeploy.cluster.objects import FLUX_KINDS, KINDS, read
from postdeploy.cluster.ruling import Ruling, unverified
from postdeploy.verdict import State

__all__ = ["Judged", "NotAnObject", "judge_files", "judge_objects", "render", "to_json"]

GROUPS: dict[str, tuple[str, ...]] = {
    "Canary": ("flagger.app",),
    "CronJob": ("batch",),
    "CustomResourceDefinition": ("apiextensions.k8s.io",),
    "DaemonSet": ("apps", "extensions"),
    "Deployment": ("apps", "extensions"),
    "EndpointSlice": ("discovery.k8s.io",),
    "Event": ("", "events.k8s.io"),
    "Gateway": ("gateway.networking.k8s.io",),
    "HTTPRoute": ("gateway.networking.k8s.io",),
    "HorizontalPodAutoscaler": ("autoscaling",),
    "Ingress": ("networking.k8s.io", "extensions"),
    "Job": ("batch",),
    "PersistentVolumeClaim": ("",),
    "Pod": ("",),
    "PodDisruptionBudget": ("policy",),
    "ReplicaSet": ("apps", "extensions"),
    "Rollout": ("argoproj.io",),
    "Service": ("",),
    "StatefulSet": ("apps",),
    "StorageClass": ("storage.k8s.io",),
}
"""API groups whose kind of that name is meant: a Knative Service is none of ours."""


class Judged(msgspec.Struct, frozen=True):
    """The verdict on one object."""

    kind: str
    namespace: str
    name: str
    verdict: str
    reason: str


def judge_files(paths: Iterable[str], *, now: datetime | None = None) -> list[Judged]:
    """The verdict on every object in these files, judged with each other as context; NotAnObject for a wrong file."""
    return judge_objects([each for path in paths for each in read_dump(path)], now=now)


def judge_objects(objects: Sequence[dict[str, Any]], *, now: datetime | None = None) -> list[Judged]:
    """The same for objects that are already parsed; `now` defaults to the latest time any of them names."""
    moment = now or latest(list(objects))
    read_ones = [_read(each) for each in objects]
    around = Neighbours([each for each in read_ones if not isinstance(each, Ruling)], moment)
    return [_judged(raw, _rule(raw, seen, around)) for raw, seen in zip(objects, read_ones, strict=True)]


def _read(raw: dict[str, Any]) -> Any:
    kind, version = raw["kind"], str(raw.get("apiVersion") or "")
    group = version.rpartition("/")[0]
    allowed = GROUPS.get(kind) or (group if group.endswith(".toolkit.fluxcd.io") and kind in FLUX_KINDS else "none",)
    if kind not in KINDS or (version and group not in allowed):
        return unverified(f"no rule for kind {kind}" + (f" of {group}" if group else ""))
    try:
        return read(kind, raw)
    except msgspec.ValidationError as error:
        return unverified(f"it cannot be read as a {kind}: {error}")


def _rule(raw: dict[str, Any], seen: Any, around: Neighbours) -> Ruling:
    if isinstance(seen, Ruling):
        return seen
    return RULES[raw["kind"]](seen, around)


def _slices(seen: Any, around: Neighbours) -> Ruling:
    return network.endpoint_slices(around.siblings(seen), around.old_uids, around.known_uids(seen))


RULES: dict[str, Callable[[Any, Neighbours], Ruling]] = {
    "Canary": lambda seen, _: progressive.canary(seen),
    "CronJob": lambda seen, _: batch.cronjob(seen),
    "CustomResourceDefinition": lambda seen, _: network.definition(seen),
    "DaemonSet": lambda seen, around: around.workload(seen, rollout.daemonset(seen)),
    "Deployment": lambda seen, around: around.workload(seen, rollout.deployment(seen, around.now)),
    "EndpointSlice": _slices,
    "Event": lambda seen, _: events.event(seen),
    "Gateway": lambda seen, _: entries.gateway(seen),
    "HTTPRoute": lambda seen, around: entries.route(seen, around.services(seen)),
    "HorizontalPodAutoscaler": lambda seen, _: network.autoscaler(seen),
    "Ingress": lambda seen, around: entries.ingress(seen, around.services(seen)),
    "Job": lambda seen, _: batch.job(seen),
    "PersistentVolumeClaim": lambda seen, around: network.volume_claim(seen, around.waits_for_consumer(seen)),
    "Pod": lambda seen, around: around.pod(seen, pods.pod(seen, now=around.now)),
    "PodDisruptionBudget": lambda seen, _: network.budget(seen),
    "ReplicaSet": lambda seen, _: rollout.replicaset(seen),
    "Rollout": lambda seen, _: progressive.rollout(seen),
    "Service": lambda seen, around: network.service(seen, around.selected(seen), around.old_uids),
    "StatefulSet": lambda seen, around: around.workload(seen, rollout.statefulset(seen)),
    "StorageClass": lambda seen, _: unverified("no rule for kind StorageClass: it only says when claims are bound"),
} | dict.fromkeys(FLUX_KINDS, lambda seen, _: flux.flux(seen))


def _judged(raw: dict[str, Any], ruling: Ruling) -> Judged:
    meta = raw["metadata"]
    verdict = State.PASSED if ruling.state is State.DEGRADED else ruling.state
    reason = f"warning: {ruling.seen}" if ruling.state is State.DEGRADED else ruling.seen
    if ruling.cause and not ruling.holds:
        reason = f"{reason.rstrip('.')}. {ruling.cause}"
    name = meta.get("name") or meta.get("generateName") or ""
    return Judged(raw["kind"], str(meta.get("namespace") or ""), str(name), str(verdict), " ".join(reason.split()))


def to_json(judged: Sequence[Judged]) -> str:
    """A JSON list with one entry per object."""
    return json.dumps([msgspec.structs.asdict(each) for each in judged], indent=2, ensure_ascii=False)


def render(judged: Sequence[Judged]) -> str:
    """An aligned table, one line per object, and a last line that counts the verdicts."""
    if not judged:
        return "no objects"
    rows = [(each.verdict, each.kind, f"{each.namespace}/{each.name}".lstrip("/"), each.reason) for each in judged]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    counts: dict[str, int] = defaultdict(int)
    for each in judged:
        counts[each.verdict] += 1
    total = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return "\n".join([*(line.rstrip() for line in lines), f"{len(judged)} objects: {total}"])
