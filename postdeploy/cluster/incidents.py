"""What happens to a release while it is held, told from one state of a pod to the next: pure, fed by watches or lists.

Only pods of the current revision of declared workloads count. A pod that goes because fewer are wanted is no incident,
nor is one that is born and has yet to get ready.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from postdeploy.cluster import pods, restarts
from postdeploy.cluster.doom import describe
from postdeploy.cluster.objects import DaemonSet, Deployment, Incident, Pod, Snapshot, StatefulSet, Workload
from postdeploy.cluster.objects_stability import Trouble
from postdeploy.cluster.ruling import Ruling
from postdeploy.cluster.sight import Sight
from postdeploy.environment import WORKLOAD_KINDS, Environment
from postdeploy.redact import Redactor
from postdeploy.verdict import State

Tell = Callable[[Incident], None]


class Followed(msgspec.Struct):
    """One pod that is followed, as it was seen last."""

    component: str
    pod: Pod
    was_ready: bool
    born: bool = False
    """Whether it was made during the hold."""
    gone: tuple[datetime, str] | None = None
    """When it was told to go or went, and what is known of why."""


class Tracker:
    """Follows the pods of a release from the look at which it was live, and notes what befalls them."""

    def __init__(
        self, snapshot: Snapshot, environment: Environment, clock: Callable[[], datetime], tell: Tell | None = None
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._redactor = Redactor()
        self._found: dict[tuple[str, str, Trouble], Incident] = {}
        self._pods: dict[str, Followed] = {}
        self._owners: dict[str, str] = {}
        """uid of what controls pods of the current revision, to component."""
        self._workloads: dict[str, tuple[str, Workload]] = {}
        """uid to component and state."""
        self._fewer: Counter[str] = Counter()
        """By how many pods each component was scaled down, all steps together."""
        self._moved: set[str] = set()
        """Components whose workload itself was replaced or deleted: what happens to their pods follows from that."""
        self._unlisted: set[str] = set()
        """uids of Argo Rollouts, which are in no list of Deployments."""
        self._environment = environment
        self._begin(snapshot)
        self._others = {each.metadata.uid for each in snapshot.pods} - self._pods.keys()

    def _begin(self, snapshot: Snapshot) -> None:
        sight = Sight.of(snapshot, self._environment, snapshot.release)
        for name, component in self._environment.components.items():
            seen = sight.find(component) if component.kind in WORKLOAD_KINDS else None
            if not isinstance(seen, Deployment | StatefulSet | DaemonSet):
                continue
            self._workloads[seen.metadata.uid] = (name, seen)
            if component.progressive == "rollout":
                self._unlisted.add(seen.metadata.uid)
            newest = sight.family.current_replicaset(seen) if isinstance(seen, Deployment) else seen
            if newest is not None:
                self._owners[newest.metadata.uid] = name
            live = [each for each in sight.family.current(seen) if each.is_live]
            self._pods |= {each.metadata.uid: Followed(name, each, restarts.is_ready(each)) for each in live}
            self._fewer[name] = max(0, len(live) - wanted(seen))

    # --- what is told to it ----------------------------------------------------------------------------------------

    def pod(self, pod: Pod) -> None:
        """A pod is new or has changed."""
        uid = pod.metadata.uid
        followed = self._pods.get(uid)
        if followed is None:
            self._meet(pod)
        elif followed.gone is None:
            before, followed.pod = followed.pod, pod
            if pod.is_live:
                self._compare(followed, before, pod)
            else:
                followed.gone = (self._clock(), _farewell(pod))

    def pod_deleted(self, pod: Pod) -> None:
        """A pod is gone."""
        followed = self._pods.get(pod.metadata.uid)
        if followed is not None and followed.gone is None:
            followed.gone = (self._clock(), "")

    def all_pods(self, namespace: str, seen: Iterable[Pod]) -> None:
        """These are all pods of the namespace now."""
        there = {each.metadata.uid: each for each in seen}
        for uid, followed in list(self._pods.items()):
            if followed.pod.metadata.namespace == namespace and uid not in there:
                self.pod_deleted(followed.pod)
        for each in there.values():
            self.pod(each)

    def workload(self, seen: Workload) -> None:
        """A workload has changed; one that was not there at the beginning is none of ours, or was made anew."""
        name, before = self._workloads.get(seen.metadata.uid, ("", None))
        if before is None:
            return
        self._workloads[seen.metadata.uid] = (name, seen)
        self._fewer[name] += max(0, wanted(before) - wanted(seen))
        old, new = revision(before), revision(seen)
        if old != new:
            self._moved.add(name)
            self._note(name, seen, "replaced", f"its revision went from {old or '-'} to {new or '-'}: a new rollout")

    def workload_deleted(self, seen: Workload) -> None:
        """A workload is gone."""
        name, before = self._workloads.get(seen.metadata.uid, ("", None))
        if before is not None and name not in self._moved:
            self._moved.add(name)
            self._note(name, before, "deleted", f"{before.KIND} {before.metadata.name} was deleted")

    def all_workloads(self, kind: str, namespace: str, seen: Iterable[Workload]) -> None:
        """These are all workloads of a kind in the namespace now."""
        there = {each.metadata.uid: each for each in seen}
        known = there.keys() | self._unlisted
        for uid, (_, before) in list(self._workloads.items()):
            if (before.KIND, before.metadata.namespace) == (kind, namespace) and uid not in known:
                self.workload_deleted(before)
        for each in there.values():
            self.workload(each)

    def look(self, snapshot: Snapshot) -> None:
        """The look at the end: what came between the last word of a watch and this is compared as well."""
        sight = Sight.of(snapshot, self._environment, snapshot.release)
        for uid, (name, before) in list(self._workloads.items()):
            found = sight.find(self._environment.components[name])
            if isinstance(found, Deployment | StatefulSet | DaemonSet) and found.metadata.uid == uid:
                self.workload(found)
            elif not isinstance(found, Ruling) or found.state is State.FAILED:
                self.workload_deleted(before)
        for namespace in self._environment.namespaces:
            if sight.gap(namespace, ["pods"]) is None:
                self.all_pods(namespace, [each for each in snapshot.pods if each.metadata.namespace == namespace])

    # --- what came of it -------------------------------------------------------------------------------------------

    def incidents(self) -> tuple[Incident, ...]:
        """Everything that must not have happened, in the order in which it did."""
        found = [*self._found.values(), *self._departed()]
        return tuple(sorted(found, key=lambda each: (each.at, each.component, each.pod, each.container, each.what)))

    def _departed(self) -> Iterable[Incident]:
        """Pods that went although as many were wanted as before: those beyond what was scaled down."""
        going: dict[str, list[Followed]] = defaultdict(list)
        born: Counter[str] = Counter()
        for each in self._pods.values():
            born[each.component] += each.born
            if each.gone and each.component not in self._moved:
                going[each.component].append(each)
        for component, departed in going.items():
            departed.sort(key=lambda each: (each.gone or (self._clock(), ""))[0])
            for each in departed[self._fewer[component] :]:
                at, why = each.gone or (self._clock(), "")
                what: Trouble = "replaced" if born[component] > 0 else "deleted"
                born[component] -= 1
                yield self._incident(component, each.pod, what, why, at=at)

    def _meet(self, pod: Pod) -> None:
        owner = pod.metadata.controller
        component = self._owners.get(owner.uid) if owner else None
        if component is None or pod.metadata.uid in self._others or not pod.is_live:
            return
        self._pods[pod.metadata.uid] = Followed(component, pod, restarts.is_ready(pod), born=True)
        self._doomed(self._pods[pod.metadata.uid])

    def _compare(self, followed: Followed, before: Pod, now: Pod) -> None:
        statuses = {each.name: each for each in before.status.all_statuses}
        for status in now.status.all_statuses:
            was = statuses.get(status.name)
            if followed.was_ready and was and restarts.between(restarts.record(before, was), status):
                self._note(followed.component, now, "restarted", describe(status), status.name)
        if why := restarts.fell(before, now):
            unready = [each for each in now.status.container_statuses if not each.ready]
            self._note(followed.component, now, "not ready", why, unready[0].name if unready else "")
        self._doomed(followed)
        followed.was_ready = followed.was_ready or restarts.is_ready(now)

    def _doomed(self, followed: Followed) -> None:
        ruling = pods.doom(followed.pod, self._clock())
        # What is born in the hold may fail its start, unless it is clear that it will never succeed.
        if ruling is not None and ruling.state is State.FAILED and (ruling.doomed or not followed.born):
            self._note(followed.component, followed.pod, "doomed", ruling.seen)

    def _note(self, component: str, seen: Pod | Workload, what: Trouble, detail: str, container: str = "") -> None:
        """The first of its kind is what is told; what follows of it is the same trouble."""
        key = (seen.metadata.uid, container, what)
        if key not in self._found:
            self._found[key] = self._incident(component, seen, what, detail, container)
            if self._tell:
                self._tell(self._found[key])

    def _incident(
        self,
        component: str,
        seen: Pod | Workload,
        what: Trouble,
        detail: str,
        container: str = "",
        at: datetime | None = None,
    ) -> Incident:
        meta, text = seen.metadata, self._redactor.text(detail)
        pod = meta.name if isinstance(seen, Pod) else ""
        return Incident(at or self._clock(), component, meta.namespace, what, pod, container, text)


def wanted(seen: Workload) -> int:
    """How many pods it should have."""
    return seen.status.desired_number_scheduled if isinstance(seen, DaemonSet) else seen.spec.replicas


def revision(seen: Workload) -> str:
    """What changes with its template."""
    match seen:
        case Deployment():
            return seen.metadata.annotations.revision
        case StatefulSet():
            return seen.status.update_revision
        case DaemonSet():
            return seen.metadata.annotations.template_generation


def _farewell(pod: Pod) -> str:
    disrupted = pod.condition("DisruptionTarget")
    if disrupted and disrupted.is_true:
        return str(disrupted)
    return pod.status.reason
