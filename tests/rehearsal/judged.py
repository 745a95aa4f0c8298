"""A world judged in this process by the infrastructure tier's own claims: no server, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.objects import Event, Gap, Snapshot, decode
from postdeploy.environment import WORKLOAD_KINDS, Environment, load
from postdeploy.verdict import Judgement
from rehearsal.brokerage import Brokerage
from rehearsal.faults import apply
from rehearsal.world import World

RELEASE = "v2026.47.1"
KINDS = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "replicasets": "ReplicaSet",
    "pods": "Pod",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "events": "Event",
}
ENVIRONMENT = load("uk-prod")


class Rehearsal:
    """A world and a brokerage after some faults; motion happens when it is asked for, not with the clock."""

    def __init__(self, *names: str, seed: int = 1, environment: Environment = ENVIRONMENT) -> None:
        self.environment = environment
        self.world = World.build(environment, RELEASE, seed)
        self.brokerage = Brokerage(environment, RELEASE, seed, "correct horse")
        self.later: list[Any] = []
        self.world.later = lambda seconds, act: self.later.append(act)  # type: ignore[method-assign]
        apply(names, self.world, self.brokerage)

    def move(self) -> None:
        """Let everything happen that was put off."""
        while self.later:
            self.later.pop(0)()

    def snapshot(self) -> Snapshot:
        """What the harness would see of it now."""
        lists: dict[str, Any] = {name: tuple(self._listed(kind)) for name, kind in KINDS.items()}
        return Snapshot(
            environment=self.environment.name,
            release=RELEASE,
            taken=self.world.now,
            server_version="v1.32.4-rehearsal",
            gaps=tuple(self._gaps()),
            **lists,
        )

    def judged(self) -> Mapping[str, Mapping[str, Judgement]]:
        """Check id to subject to judgement, for every check of the infrastructure tier."""
        claims, parts = ClusterClaims(self.snapshot(), self.environment, RELEASE), self.environment.components
        workloads = {name: each for name, each in parts.items() if each.kind in WORKLOAD_KINDS}
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
            "infra.batch.migration": {name: claims.migration(each) for name, each in jobs.items()},
            "infra.batch.cronjob": {name: claims.cronjob(each) for name, each in cronjobs.items()},
        }

    def red(self) -> dict[str, dict[str, Judgement]]:
        """Only what does not hold."""
        found = {
            check: {name: each for name, each in judgements.items() if not each.holds}
            for check, judgements in self.judged().items()
        }
        return {check: each for check, each in found.items() if each}

    def _listed(self, kind: str) -> Iterator[Any]:
        for each in self.world.all(kind):
            found = decode(kind, msgspec.json.encode(each))
            if not isinstance(found, Event) or found.type == "Warning":
                yield found

    def _gaps(self) -> Iterator[Gap]:
        """What the harness could not read with the API in this mood."""
        settings = self.world.settings
        for each in settings.forbidden:
            resource, _, namespace = each.partition("@")
            yield from self._gap(resource, namespace, "403 Forbidden")
        for each in settings.truncate:
            yield from self._gap(each, "", "cut off at page 1")
        for each, times in settings.too_many.items():
            if times > 10:
                yield from self._gap(each, "", "429 Too Many Requests")
        for each, seconds in settings.slow_s.items():
            if seconds > 30:
                yield from self._gap(each, "", "time-out after 15 s")

    def _gap(self, resource: str, namespace: str, reason: str) -> Iterator[Gap]:
        for each in [namespace] if namespace else self.environment.namespaces:
            yield Gap(resource, each, reason)
