"""Who owns whom, by uid: which pods are a workload's current revision, which are left of an old one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from postdeploy.cluster.objects import (
    DaemonSet,
    Deployment,
    Job,
    Meta,
    Pod,
    ReplicaSet,
    Snapshot,
    StatefulSet,
    Workload,
)
from postdeploy.cluster.pods import is_plainly_well
from postdeploy.cluster.rollout import on_delete, partition

HASH = "controller-revision-hash"
GENERATION = "pod-template-generation"


class Named(Protocol):
    """Anything with metadata."""

    @property
    def metadata(self) -> Meta:
        """Its metadata."""


N = TypeVar("N", bound=Named)


def by_owner(objects: Iterable[N]) -> dict[str, list[N]]:
    """Owner's uid to what it owns."""
    found: dict[str, list[N]] = defaultdict(list)
    for each in objects:
        if owner := each.metadata.controller:
            found[owner.uid].append(each)
    return found


def by_name(objects: Iterable[N]) -> dict[tuple[str, str], N]:
    """Namespace and name to object."""
    return {(each.metadata.namespace, each.metadata.name): each for each in objects}


class Family:
    """Every object of one observation beside its owner and its offspring, indexed once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.replicasets = {each.metadata.uid: each for each in snapshot.replicasets}
        self._replicasets = by_owner(snapshot.replicasets)
        self._pods = by_owner(snapshot.pods)
        self._jobs = by_owner(snapshot.jobs)
        self._newest: dict[str, ReplicaSet | None] = {}
        self._living: dict[tuple[str, ...], list[Pod]] = {}
        self._doubtful: dict[tuple[str, ...], list[Pod]] = {}
        self._strays: dict[str, list[Pod]] = defaultdict(list)
        for pod in snapshot.pods:
            owner = pod.metadata.controller
            if owner is None or (owner.kind == "ReplicaSet" and owner.uid not in self.replicasets):
                self._strays[pod.metadata.namespace].append(pod)

    def pods_of(self, owner: Named) -> list[Pod]:
        """The pods that an object controls itself."""
        return self._pods.get(owner.metadata.uid, [])

    def by_maker(self) -> Iterator[list[Pod]]:
        """All pods, those together that one object controls, and each alone that nobody does."""
        yield from self._pods.values()
        yield from ([each] for pods in self._strays.values() for each in pods if each.metadata.controller is None)

    def jobs_of(self, owner: Named) -> list[Job]:
        """The Jobs that a CronJob has made."""
        return self._jobs.get(owner.metadata.uid, [])

    def replicasets_of(self, owner: Named) -> list[ReplicaSet]:
        """Every revision of a Deployment that is kept."""
        return self._replicasets.get(owner.metadata.uid, [])

    def current_replicaset(self, deployment: Deployment) -> ReplicaSet | None:
        """The ReplicaSet of the Deployment's own revision, owned by its uid and not merely named like it."""
        key = f"{deployment.metadata.uid}@{deployment.metadata.annotations.revision}"
        if key not in self._newest:
            self._newest[key] = self._of_its_revision(deployment)
        return self._newest[key]

    def _of_its_revision(self, deployment: Deployment) -> ReplicaSet | None:
        own = self._replicasets.get(deployment.metadata.uid, [])
        revision = deployment.metadata.annotations.revision
        if revision:
            return next((each for each in own if _revision(each.metadata) == revision), None)
        return max(own, key=_age, default=None)

    def current(self, workload: Workload) -> list[Pod]:
        """The pods of the workload's current revision, terminating ones and leftovers included."""
        match workload:
            case Deployment():
                newest = self.current_replicaset(workload)
                return self.pods_of(newest) if newest else []
            case StatefulSet():
                return [each for each in self.pods_of(workload) if _is_current_stateful(workload, each)]
            case DaemonSet():
                return [each for each in self.pods_of(workload) if _is_current_daemon(workload, each)]

    def living(self, workload: Workload) -> list[Pod]:
        """The pods of its current revision that count as replicas: neither ended nor going."""
        key = _key(workload)
        if key not in self._living:
            self._living[key] = [each for each in self.current(workload) if each.is_live]
        return self._living[key]

    def doubtful(self, workload: Workload) -> list[Pod]:
        """The pods of its current revision that are not plainly well: a rule about pods need look at no other."""
        key = _key(workload)
        if key not in self._doubtful:
            self._doubtful[key] = [each for each in self.current(workload) if not is_plainly_well(each)]
        return self._doubtful[key]

    def remarkable(self, workload: Workload) -> list[Pod]:
        """Those of them that are alive."""
        return [each for each in self.doubtful(workload) if each.is_live]

    def old(self, workload: Workload) -> list[Pod]:
        """The pods of earlier revisions that still run or are going; what has ended is a leftover and not here."""
        match workload:
            case Deployment():
                newest = self.current_replicaset(workload)
                others = [each for each in self._replicasets.get(workload.metadata.uid, []) if each is not newest]
                pods = [pod for each in others for pod in self.pods_of(each)]
            case StatefulSet():
                pods = [
                    each
                    for each in self.pods_of(workload)
                    if not _is_current_stateful(workload, each) and ordinal(each) >= partition(workload)
                ]
            case DaemonSet():
                pods = [each for each in self.pods_of(workload) if not _is_current_daemon(workload, each)]
        return [each for each in pods if not each.is_over]

    def unowned(self, namespace: str) -> list[Pod]:
        """The pods of a namespace that belong to nobody, or to a ReplicaSet that is no more."""
        return self._strays.get(namespace, [])

    def strays(self, workload: Workload) -> list[Pod]:
        """Running pods that the workload's selector matches and nobody owns: they take its traffic with old code."""
        selector = workload.spec.selector
        return [
            each
            for each in self._strays.get(workload.metadata.namespace, [])
            if not each.is_over and selector.matches(each.metadata.labels)
        ]


def _key(workload: Workload) -> tuple[str, ...]:
    meta = workload.metadata
    return workload.KIND, meta.namespace, meta.name, meta.uid


def _revision(meta: Meta) -> str:
    return meta.annotations.revision or meta.annotations.rollout_revision


def _age(each: ReplicaSet) -> tuple[int, str]:
    revision, created = _revision(each.metadata), each.metadata.creation_timestamp
    return int(revision) if revision.isdigit() else 0, created.isoformat() if created else ""


def ordinal(pod: Pod) -> int:
    """A StatefulSet's pod ends in its number."""
    number = pod.metadata.name.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def _is_current_stateful(workload: StatefulSet, pod: Pod) -> bool:
    revision, mine = workload.status.update_revision, pod.metadata.labels.get(HASH, "")
    # Other controllers label with the bare hash: both forms are in the wild.
    return not revision or not mine or mine == revision or revision.endswith(f"-{mine}")


def _all_updated(workload: DaemonSet) -> bool:
    """Whether its controller says so; under OnDelete old ones count nothing right: there the pods alone speak."""
    status = workload.status
    seen = status.observed_generation == workload.metadata.generation and not on_delete(workload)
    return seen and 0 < status.desired_number_scheduled <= status.updated_number_scheduled


def _is_current_daemon(workload: DaemonSet, pod: Pod) -> bool:
    generation = workload.metadata.annotations.template_generation
    mine = pod.metadata.labels.get(GENERATION)
    if generation and mine and (generation == mine or not _all_updated(workload)):
        return generation == mine
    # Without the (deprecated) generation nothing in a DaemonSet names its revision: compare what the pod runs. And a
    # template that was changed and changed back has its first pods again, by their hash: they keep their generation.
    asked = {each.name: each.image for each in workload.spec.template.spec.all_containers}
    has = {each.name: each.image for each in pod.spec.all_containers}
    return all(has.get(name) == image for name, image in asked.items())
