"""Pods that are gone: what a backend still has of them, and to which component and revision they belonged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from postdeploy.cluster import image_claims
from postdeploy.cluster.logs.backend import Where
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.seen import Bucket
from postdeploy.cluster.objects import Deployment
from postdeploy.cluster.ruling import Ruling
from postdeploy.cluster.sight import Sight
from postdeploy.environment import Component

MOST = 300
"""Logs of pods that are gone which one look reads."""


class Gone:
    """Tells a pod's component by its name, which its owner's begins."""

    def __init__(self, sight: Sight, read: Iterable[Instance]) -> None:
        self._sight = sight
        self._known = {(each.metadata.namespace, each.metadata.name) for each in sight.snapshot.pods}
        self._containers: dict[str, set[str]] = {}
        for each in read:
            self._containers.setdefault(each.component, set()).add(each.container)

    def component(self, where: Where) -> Component | None:
        """The declared component with the longest name that the pod's begins with."""
        own = [
            each
            for each in self._sight.environment.components.values()
            if each.namespace == where.namespace and where.pod.startswith(f"{each.name}-")
        ]
        return max(own, key=lambda each: len(each.name), default=None)

    def instances(self, found: Iterable[Where]) -> Iterator[Instance]:
        """The containers of which there is no pod any more, at most so many."""
        missing = sorted(each for each in found if (each.namespace, each.pod) not in self._known)
        for where in missing[:MOST]:
            component = self.component(where)
            if component is not None and where.container in self._names(component):
                bucket = self._bucket(component, where.pod)
                yield Instance(component.name, where.namespace, where.pod, "", where.container, bucket)

    def _names(self, component: Component) -> set[str]:
        """The containers that belong to it: those that its pods have, else those of its template."""
        if component.name in self._containers:
            return self._containers[component.name]
        seen = image_claims.subject(self._sight, component)
        if isinstance(seen, Ruling):
            return {component.name}
        return {each.name for each in image_claims.template(seen).spec.all_containers}

    def _bucket(self, component: Component, pod: str) -> Bucket:
        """Of the release if it was of the current revision, or of a Job: those are made anew for each."""
        if component.kind in ("Job", "CronJob"):
            return "release"
        seen = self._sight.find(component)
        newest = self._sight.family.current_replicaset(seen) if isinstance(seen, Deployment) else None
        return "release" if newest and pod.startswith(f"{newest.metadata.name}-") else "old"
