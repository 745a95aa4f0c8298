"""A world judged in this process by the infrastructure tier's own claims: no server, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import anyio
import msgspec

from postdeploy.cluster import preflight, restarts
from postdeploy.cluster.access_claims import AccessClaims
from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.event_claims import EventClaims
from postdeploy.cluster.guest_claims import GuestClaims
from postdeploy.cluster.incidents import Tracker
from postdeploy.cluster.manifests import Reply, resolve, wanted
from postdeploy.cluster.objects import Access, Event, Gap, Held, Snapshot, decode
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.cluster.schedule_claims import BatchClaims
from postdeploy.cluster.stability import StabilityClaims
from postdeploy.cluster.traffic import TrafficClaims
from postdeploy.environment import WORKLOAD_KINDS, Environment, load
from postdeploy.verdict import Judgement, State
from rehearsal import reviews
from rehearsal.answers import Refused
from rehearsal.brokerage import Brokerage
from rehearsal.faults import apply
from rehearsal.registry import Registry
from rehearsal.world import Change, World
from tests.rehearsal import delivered, logged

RELEASE = "v2026.47.1"
WELL = (State.PASSED, State.DEGRADED, State.NOT_APPLICABLE)
KINDS = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "replicasets": "ReplicaSet",
    "pods": "Pod",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "events": "Event",
    "services": "Service",
    "endpointslices": "EndpointSlice",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "storageclasses": "StorageClass",
    "ingresses": "Ingress",
    "gateways": "Gateway",
    "httproutes": "HTTPRoute",
}
ENVIRONMENT = load("uk-prod")


class Rehearsal:
    """A world and a brokerage after some faults; motion happens when it is asked for, not with the clock."""

    def __init__(self, *names: str, seed: int = 1, environment: Environment = ENVIRONMENT) -> None:
        self.environment = environment
        self.world = World.build(environment, RELEASE, seed)
        self.brokerage = Brokerage(environment, RELEASE, seed, "correct horse")
        self.later: list[Any] = []
        self.held: Held | None = None
        self.world.later = lambda seconds, act: self.later.append(act)  # type: ignore[method-assign]
        apply(names, self.world, self.brokerage)

    def move(self) -> None:
        """Let everything happen that was put off."""
        while self.later:
            self.later.pop(0)()

    def snapshot(self) -> Snapshot:
        """What the harness would see of it at the end of a hold that begins now."""
        first = self.look()
        tracker = Tracker(first, self.environment, lambda: self.world.now)
        begun, put_off = len(self.world.history), len(self.later)
        self.world.hold_begins()
        while self.later[put_off:]:  # the last look waits for what is under way
            self.later.pop(put_off)()
        for change in self.world.history[begun:]:
            self._tell(tracker, change)
        last = self.look()
        tracker.look(last)
        # A second look at the same world finds nothing new: what its hold saw is kept.
        self.held = self.held or Held(seconds=2.0, incidents=tracker.incidents())
        return msgspec.structs.replace(last, held=self.held, baseline=restarts.changed(first.pods, last.pods))

    @staticmethod
    def _tell(tracker: Tracker, change: Change) -> None:
        kind, gone = change.object["kind"], change.what == "DELETED"
        if kind == "Pod":
            tell: Any = tracker.pod_deleted if gone else tracker.pod
        elif kind in WORKLOAD_KINDS:
            tell = tracker.workload_deleted if gone else tracker.workload
        else:
            return
        tell(decode(kind, msgspec.json.encode(change.object)))

    def look(self) -> Snapshot:
        """What the harness would see of it now."""
        lists: dict[str, Any] = {name: tuple(self._listed(kind)) for name, kind in KINDS.items()}
        return Snapshot(
            environment=self.environment.name,
            release=RELEASE,
            taken=self.world.now,
            server_version="v1.32.4-rehearsal",
            gaps=tuple(self._gaps()),
            access=self._access(),
            digest_sets=self._digest_sets(),
            node_events=tuple(
                each for each in self._seen("Event") if (each.about.kind, each.type) == ("Node", "Warning")
            ),
            job_events=tuple(each for each in self._seen("Event") if each.about.kind == "Job"),
            **delivered.delivered(self.world, RELEASE),
            **lists,
        )

    def _access(self) -> Access:
        """What the harness would be told of its own rights: answered as the server does, without one."""

        async def review(path: str, spec: Mapping[str, Any], kind: type[Any]) -> tuple[Any, Gap | None]:
            plural = path.rpartition("/")[2]
            try:
                said = reviews.answer(plural, msgspec.json.encode({"spec": spec}), self.world.settings)
            except Refused as refused:
                return None, Gap(plural, "", f"{refused.code} {refused.reason}")
            return msgspec.convert(said, kind), None

        return anyio.run(preflight.look, SimpleNamespace(review=review), self.environment)

    def judged(self) -> Mapping[str, Mapping[str, Judgement]]:
        """Check id to subject to judgement, for every check of the infrastructure tier."""
        seen = self.snapshot()
        claims, parts = ClusterClaims(seen, self.environment, RELEASE), self.environment.components
        access = AccessClaims(seen, self.environment, RELEASE)
        workloads = {name: each for name, each in parts.items() if each.kind in WORKLOAD_KINDS}
        stability = StabilityClaims(seen, self.environment, RELEASE)
        cronjobs = {name: each for name, each in parts.items() if each.kind == "CronJob"}
        jobs = {name: each for name, each in parts.items() if each.kind == "Job"}
        return {
            "infra.rollout.complete": {name: claims.rollout(each) for name, each in workloads.items()},
            "infra.rollout.scale": {name: claims.scale(each) for name, each in workloads.items()},
            "infra.rollout.old-pods": {name: claims.old_pods(each) for name, each in workloads.items()},
            "infra.pods.ready": {name: claims.pods_ready(each) for name, each in workloads.items()},
            "infra.pods.doomed": {name: claims.pods_doomed(each) for name, each in workloads.items()},
            "infra.images.tag": {name: claims.image_tag(each) for name, each in parts.items()},
            "infra.images.digest": {e: claims.image_digest(e) for e in {each.image for each in parts.values()}},
            "infra.images.lockstep": {self.environment.name: claims.lockstep()},
            "infra.stability.held": {name: stability.held(each) for name, each in workloads.items()},
            "infra.stability.restarts": {name: stability.restarts(each) for name, each in workloads.items()},
            "infra.stability.oom": {name: stability.oom(each) for name, each in workloads.items()},
            "infra.access.read": {self.environment.name: access.read()},
            "infra.access.readonly": {self.environment.name: access.readonly()},
            "infra.batch.migration": {name: claims.migration(each) for name, each in jobs.items()},
            "infra.batch.cronjob": {name: claims.cronjob(each) for name, each in cronjobs.items()},
            **logged.judged(logged.looked(self.world, seen, self.environment), self.environment),
            **self._timing(seen),
            **self._around(seen),
            **delivered.judged(seen, self.environment, RELEASE),
        }

    def _digest_sets(self) -> tuple[DigestSet, ...]:
        """What the harness would be told by the registry."""
        settings, registry = self.world.registry, Registry(self.world)

        async def ask(image: str, reference: str) -> Reply:
            found = registry.content(image, reference)
            if settings.unreachable or settings.refuses or found is None:
                return Reply(reason="no answer")
            return Reply(found[0])

        return anyio.run(resolve, ask, wanted(self.environment, RELEASE))

    def _timing(self, seen: Snapshot) -> dict[str, dict[str, Judgement]]:
        """What is claimed of when batch work runs, and of what was added to the pods."""
        environment = self.environment
        guests, batch = GuestClaims(seen, environment, RELEASE), BatchClaims(seen, environment, RELEASE)
        cronjobs, workloads = environment.subjects("cronjob"), environment.subjects("workload")
        return {
            "infra.images.debug": {name: guests.debug(each) for name, each in workloads.items()},
            "infra.images.proxies": {environment.name: guests.proxies()},
            "infra.batch.schedule": {name: batch.schedule(each) for name, each in cronjobs.items()},
            "infra.batch.old-code": {environment.name: batch.old_code()},
        }

    def _around(self, seen: Snapshot) -> dict[str, dict[str, Judgement]]:
        """What is claimed of traffic and of events."""
        environment = self.environment
        traffic = TrafficClaims(seen, environment, RELEASE)
        over: dict[str, Mapping[str, Any]] = {
            each: environment.subjects(each) for each in ("service", "autoscaled", "entry")
        }
        return {
            "infra.traffic.endpoints": {name: traffic.endpoints(each) for name, each in over["service"].items()},
            "infra.traffic.autoscaler": {name: traffic.autoscaler(each) for name, each in over["autoscaled"].items()},
            "infra.traffic.disruption": {environment.name: traffic.disruption()},
            "infra.traffic.volumes": {environment.name: traffic.volumes()},
            "infra.traffic.entry": {name: traffic.entry(each) for name, each in over["entry"].items()},
            "infra.events.warnings": {environment.name: EventClaims(seen, environment, RELEASE).warnings()},
        }

    def red(self) -> dict[str, dict[str, Judgement]]:
        """Only what does not hold."""
        found = {
            check: {name: each for name, each in judgements.items() if each.state not in WELL}
            for check, judgements in self.judged().items()
        }
        return {check: each for check, each in found.items() if each}

    def _listed(self, kind: str) -> Iterator[Any]:
        for each in self._seen(kind):
            if not isinstance(each, Event) or (each.type == "Warning" and each.about.kind != "Node"):
                yield each

    def _seen(self, kind: str) -> Iterator[Any]:
        for each in self.world.all(kind):
            if each["metadata"].get("namespace", "default") not in ("default", *self.environment.namespaces):
                continue
            yield decode(kind, msgspec.json.encode(each))

    def _gaps(self) -> Iterator[Gap]:
        """What the harness could not read with the API in this mood."""
        settings = self.world.settings
        for each in settings.forbidden:
            resource, _, namespace = each.partition("@")
            yield from self._gap(resource, namespace, "403 Forbidden")
        for each in (*settings.truncate, *settings.proxied):
            yield from self._gap(each, "", "cut off at page 1")
        for each, times in (settings.too_many | settings.broken | settings.reset).items():
            if times > 10:
                yield from self._gap(each, "", "no answer however often it was asked")
        for each, seconds in settings.slow_s.items():
            if seconds > 30:
                yield from self._gap(each, "", "time-out after 15 s")
        for each in settings.gone_on_page if settings.gone_times > 10 else ():
            yield from self._gap(each, "", "cut off at page 2: 410 Gone")
        for each in KINDS if settings.is_away else ():
            yield from self._gap(each, "", "the API cannot be reached")

    def _gap(self, resource: str, namespace: str, reason: str) -> Iterator[Gap]:
        everywhere = (*self.environment.namespaces, self.environment.flux.namespace)
        for each in [namespace] if namespace else everywhere:
            yield Gap(resource, each, reason)
