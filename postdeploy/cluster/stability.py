"""The claims of stability: nothing happened in the hold, nothing restarts, nothing runs out of memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import cast

from postdeploy.cluster import image_claims, pods, restarts
from postdeploy.cluster.current import began
from postdeploy.cluster.doom import describe
from postdeploy.cluster.objects import Deployment, Event, Held, Incident, Pod, Snapshot, Workload
from postdeploy.cluster.restarts import Count, Window
from postdeploy.cluster.ruling import Ruling, degraded, failed, not_applicable, passed, unverified
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import WORKLOAD_KINDS, Component, Environment, RestartBudget
from postdeploy.verdict import Judgement

SHOWN = 3
OUT_OF_MEMORY = frozenset({"OOMKilling", "SystemOOM"})
"""Events by which a node tells that it killed a process; the death of a child leaves nothing else behind."""
LIVE = ("converged", "already-live")

RESTARTED = "The container ended by itself, or its liveness probe gave it up: read the log of its previous instance."
FELL = "The release came up and did not stay: a probe, a dependency, memory, or somebody who intervened."
MEMORY = (
    "Its memory limit is too low for what it does now, or it leaks. Exit code 137 without the word OOMKilled is a "
    "SIGKILL all the same: a node's own killer, or a process that did not stop in time."
)


class StabilityClaims:
    """Every claim about whether the release stays well, over one snapshot with its baseline and its hold."""

    def __init__(self, snapshot: Snapshot, environment: Environment, release: str) -> None:
        self.sight = Sight.of(snapshot, environment, release)
        told = (*snapshot.events, *snapshot.node_events)
        self._memory_events = [each for each in told if each.reason in OUT_OF_MEMORY]
        self._since = began(self.sight)
        self._baseline = {(each.uid, each.container): each for each in snapshot.baseline}
        self._changed = {each.uid for each in snapshot.baseline}
        self._budgets = [each for each in environment.restart_budgets if not each.is_expired(snapshot.taken.date())]

    def held(self, component: Component) -> Judgement:
        """Nothing happened to it while it was held."""
        return self._judge(component, "stayed well while it was held", self._held(component))

    def restarts(self, component: Component) -> Judgement:
        """No container of it restarted since the rollout beyond what start-up excuses and its budget allows."""
        return self._judge(component, "has not restarted since it rolled out", self._restarts(component))

    def oom(self, component: Component) -> Judgement:
        """No container of it was killed for want of memory since the rollout."""
        return self._judge(component, "has not run out of memory since it rolled out", self._oom(component))

    def _judge(self, component: Component, claim: str, ruling: Ruling) -> Judgement:
        found = self.sight.find(component)
        if isinstance(found, Ruling):
            return self.sight.judge(component, claim, found)
        needs = (RESOURCES[component.kind], *(("replicasets",) if component.kind == "Deployment" else ()), "pods")
        judgement = self.sight.judge(component, claim, ruling, uids=[found.metadata.uid], needs=needs)
        worst = self.worst(component) if judgement.where else None
        if worst is None:
            return judgement
        what = judgement.where.partition("\n")[0]
        where = self.sight.diagnosis.where([found.metadata.uid], component.namespace, what, worst)
        return replace(judgement, where=where)

    def worst(self, component: Component) -> Pod | None:
        """The living pod that says most of what is wrong; it may be well again, but its last log is worth reading."""
        held = self.sight.snapshot.held
        named = {each.pod for each in held.incidents if each.component == component.name} if held else set()
        living = self._pods(component)
        found = [each.pod for each in self._beyond(component)]
        found += [pod for pod, _ in self._killed(component)]
        found += [each for each in living if each.metadata.name in named]
        return found[0] if found else self.sight.diagnosis.most_useful(living)

    # --- held ------------------------------------------------------------------------------------------------------

    def _held(self, component: Component) -> Ruling:
        held, settled = self.sight.snapshot.held, self.sight.snapshot.settled
        if held is None:
            if settled is not None and settled.outcome not in LIVE:
                return not_applicable("it was not held, for the release had not become live")
            return not_applicable("it was not held: no hold was asked for")
        mine = [each for each in held.incidents if each.component == component.name]
        found = [each for each in mine if not self._is_budgeted(component, each, mine)]
        how = "watched" if held.watched else "compared by its lists"
        if not found:
            spared = f", {len(mine)} incidents within its restart budget" if mine else ""
            longer = f", and {held.more_s:g} s more until what was under way had arrived" if held.more_s else ""
            return _long_enough(held, f"{how} for {held.seconds:g} s{longer}{spared}")
        shown = [str(each) for each in found[:SHOWN]]
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        return failed(f"{len(found)} incidents in {held.seconds:g} s: " + "; ".join([*shown, *more]), FELL)

    def _is_budgeted(self, component: Component, incident: Incident, all_of_it: Iterable[Incident]) -> bool:
        """Whether a budget excuses a restart, and the moments in which its pod was not ready because of it."""
        if incident.what == "restarted":
            return self._within_budget(component, incident.pod, incident.container)
        restarted = [each for each in all_of_it if each.what == "restarted" and each.pod == incident.pod]
        return (
            incident.what == "not ready"
            and bool(restarted)
            and all(self._is_budgeted(component, each, ()) for each in restarted)
        )

    def _within_budget(self, component: Component, pod: str, container: str) -> bool:
        if self._budget(component, container) is None:
            return False
        beyond = {(each.pod.metadata.name, each.status.name) for each in self._beyond(component)}
        return (pod, container) not in beyond

    # --- restarts --------------------------------------------------------------------------------------------------

    def _restarts(self, component: Component) -> Ruling:
        found = self._counts(component)
        beyond = self._beyond(component)
        if not beyond:
            times = sum(each.times for each in found)
            excused = sum(each.times for each in found if each.excused)
            parts = [f"{excused} at start-up"] if excused else []
            parts += [f"{times - excused} within the budget"] if times > excused else []
            return passed(f"{times or 'no'} restarts" + (f": {', '.join(parts)}" if parts else ""))
        worst = sorted(beyond, key=lambda each: (-each.times, each.pod.metadata.name))
        return failed(_listed([self._say(component, each) for each in worst]), RESTARTED)

    def _say(self, component: Component, count: Count) -> str:
        budget = self._budget(component, count.status.name)
        allowed = f" where {budget.allowed} are allowed until {budget.expires}" if budget else ""
        times = "once" if count.times == 1 else f"{count.times} times"
        return f"pod {count.pod.metadata.name} restarted {times}{allowed}: {describe(count.status)}"

    def _beyond(self, component: Component) -> list[Count]:
        found = []
        for each in self._counts(component):
            budget = self._budget(component, each.status.name)
            if not each.excused and each.times > (budget.allowed if budget else 0):
                found.append(each)
        return found

    def _budget(self, component: Component, container: str) -> RestartBudget | None:
        fits = [e for e in self._budgets if e.component == component.name and e.container in (None, container)]
        return max(fits, key=lambda each: each.allowed, default=None)

    def _counts(self, component: Component) -> list[Count]:
        return self.sight.once(
            "restarts",
            component.name,
            lambda: list(restarts.counts(self._doubtful(component), self._window(component), self._baseline)),
        )

    def _doubtful(self, component: Component) -> list[Pod]:
        """Of its living pods those that may have restarted: in what the release made, a plainly well one has not."""
        living = self._pods(component)
        if not self._window(component).own:
            return living
        remarkable = self._remarkable(component)
        changed = [each for each in living if each.metadata.uid in self._changed] if self._changed else []
        return remarkable + [each for each in changed if pods.is_plainly_well(each)]

    def _remarkable(self, component: Component) -> list[Pod]:
        found = self.sight.find(component)
        return [] if isinstance(found, Ruling) else self.sight.family.remarkable(cast("Workload", found))

    def _pods(self, component: Component) -> list[Pod]:
        """The living pods of its current revision: what is gone or going no longer speaks for the release."""
        found = self.sight.find(component)
        if isinstance(found, Ruling):
            return []
        return self.sight.family.living(cast("Workload", found))

    def _window(self, component: Component) -> Window:
        found = self.sight.find(component)
        if isinstance(found, Ruling):
            return Window(self._since, own=False)
        seen = cast("Workload", found)
        own = component.tag is None and image_claims.is_on_release(self.sight, component, seen)
        return Window(self._since, own, _complete(seen))

    # --- memory ----------------------------------------------------------------------------------------------------

    def _killed(self, component: Component) -> list[tuple[Pod, str]]:
        return self.sight.once("killed", component.name, lambda: self._all_killed(component))

    def _all_killed(self, component: Component) -> list[tuple[Pod, str]]:
        found = restarts.killed(self._remarkable(component), self._window(component), self._baseline)
        return [(pod, f"pod {pod.metadata.name}: {describe(status)}") for pod, status in found]

    def _oom(self, component: Component) -> Ruling:
        killed = [text for _, text in self._killed(component)]
        told = [_told(event) for event in self._events(component)]
        if killed:
            return failed(_listed([*killed, *told]), MEMORY)
        if told:
            return degraded(_listed(told), "A process beside the container's first one was killed, and it lived on.")
        return passed("no container was killed")

    def _events(self, component: Component) -> list[Event]:
        """What nodes say of memory since the rollout, about its pods or about the nodes they run on."""
        if not self._memory_events:
            return []
        living = self._pods(component)
        about = {each.metadata.uid for each in living}
        nodes = {each.spec.node_name for each in living} - {""}
        return [
            each
            for each in self._memory_events
            if (each.about.uid in about or (each.about.kind == "Node" and each.about.name in nodes))
            and (self._since is None or each.last_seen is None or each.last_seen >= self._since)
        ]


def _long_enough(held: Held, seen: str) -> Ruling:
    if held.seconds >= held.asked:
        return passed(seen)
    return unverified(
        f"{seen}, of the {held.asked:g} s that it should stay well",
        "Settling used up the run's budget (--budget): give it more, or ask for a shorter hold (--hold).",
    )


def unsteady_pods(snapshot: Snapshot, environment: Environment) -> tuple[Pod, ...]:
    """At most one pod of each workload that did not stay well, though it may be well again."""
    claims = StabilityClaims(snapshot, environment, snapshot.release)
    workloads = [each for each in environment.components.values() if each.kind in WORKLOAD_KINDS]
    return tuple(pod for each in workloads if (pod := claims.worst(each)) is not None)


def _listed(texts: list[str]) -> str:
    return "; ".join([*texts[:SHOWN], *([f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else [])])


def _told(event: Event) -> str:
    return f"event {event.reason} about {event.about.kind} {event.about.name}: {event.text.strip()}"


def _complete(seen: Workload) -> datetime | None:
    """When its controller said that the rollout was complete; only a Deployment says so."""
    if not isinstance(seen, Deployment):
        return None
    progressing = seen.condition("Progressing")
    if progressing is None or progressing.reason != "NewReplicaSetAvailable":
        return None
    return progressing.last_update_time or progressing.last_transition_time
