"""Claims about warnings: since the rollout began none tells of trouble that lasts, as far as events are still kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec

from postdeploy.cluster.current import Current, began
from postdeploy.cluster.diagnosis import suppresses
from postdeploy.cluster.objects import Event, Snapshot
from postdeploy.cluster.ruling import GRAVEST_FIRST, Ruling, degraded, failed, passed
from postdeploy.cluster.sight import Sight
from postdeploy.cluster.snapshot import NODES_IN
from postdeploy.cluster.warning_rules import NODE_TROUBLE, Weight, normalised, weigh
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State

TTL = timedelta(hours=1)
"""How long an API server keeps an event, where nobody has set it otherwise."""
NEEDS = ("events", "pods", "replicasets", "deployments", "statefulsets", "daemonsets", "jobs", "cronjobs")
SHOWN = 4
CAUSE = "The message says it; the claims about the object named say whether it still holds."


class Group(msgspec.Struct):
    """Warnings that say the same of several objects."""

    state: State
    """What they mean for the release."""
    event: Event
    """The first of them, for its words."""
    times: int = 0
    names: set[str] = msgspec.field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.brief}: {self.event.text.strip()}"

    @property
    def brief(self) -> str:
        """Without its words."""
        names = sorted(self.names)
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{self.event.reason} x{self.times} ({self.event.about.kind} {names[0]}{others})"


class EventClaims:
    """What the warnings since the rollout say of the objects that are there now."""

    def __init__(
        self,
        snapshot: Snapshot,
        environment: Environment,
        release: str,
        digests: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.sight = Sight.of(snapshot, environment, release, digests)
        self._taken = snapshot.taken
        self._began = began(self.sight)
        self._current = Current(self.sight)
        self._nodes = {each.spec.node_name for each in self._current.pods.values()}
        self._suppressed: dict[str, int] = defaultdict(int)
        self._groups = self._grouped()

    def warnings(self) -> Judgement:
        """No fatal warning since the rollout is about something that is not well."""
        environment = self.sight.environment
        ruling = self._ruled()
        if ruling.state is not State.FAILED:
            gaps = (self.sight.gap(namespace, NEEDS) for namespace in environment.namespaces)
            ruling = next(filter(None, gaps), ruling)
        claim = f"no warning since the rollout in {environment.name} tells of trouble that lasts"
        where = ""
        if ruling.state is not State.PASSED:
            shown = [str(each) for each in self._groups if each.state is ruling.state]
            where = "\n".join(["kubectl get events -A --field-selector type=Warning", *shown[:SHOWN]])
        return Judgement(ruling.state, claim, ruling.seen, where, ruling.cause)

    def _ruled(self) -> Ruling:
        bad = [each for each in self._groups if each.state is State.FAILED]
        odd = [each for each in self._groups if each.state is State.DEGRADED]
        noise = [each for each in self._groups if each.state is State.PASSED]
        rest = [f"besides noise of a rollout ({len(noise)} different warnings)"] if noise else []
        if bad:
            return failed("; ".join([_briefs(bad), *rest, *self._footnotes()]), CAUSE)
        if odd:
            text = f"{_briefs(odd)}, about objects that are well now or by an unknown reason"
            return degraded("; ".join([text, *rest, *self._footnotes()]), CAUSE)
        text = f"noise of a rollout: {_briefs(noise)}" if noise else "no warning"
        return passed("; ".join([text, *self._footnotes()]))

    def _grouped(self) -> list[Group]:
        """Warnings of the rollout by what they are about and what they say; the gravest and most frequent first."""
        found: dict[tuple[str, str, str, State], Group] = {}
        for event in self._since():
            state = self._weighed(event)
            key = (event.about.kind, event.reason, normalised(event.text), state)
            group = found.setdefault(key, Group(state, event))
            group.times += event.times
            group.names.add(event.about.name or "?")
        return sorted(found.values(), key=lambda each: (GRAVEST_FIRST.index(each.state), -each.times, each.brief))

    def _since(self) -> Iterator[Event]:
        """Warnings that were seen since the rollout began and that nobody has accepted."""
        seen = self.sight.snapshot
        for event in (*seen.events, *seen.node_events):
            at = event.last_seen
            if event.type != "Warning" or (at and self._began and at < self._began):
                continue
            accepted = (e for e in self.sight.environment.suppressions if suppresses(e, event, self._taken))
            if by := next(accepted, None):
                self._suppressed[f"{by.event}, accepted by {by.owner} until {by.expires}"] += event.times
            else:
                yield event

    def _weighed(self, event: Event) -> State:
        """What a warning means, by its object's uid: of what is gone, or never was of this release, nothing."""
        if event.about.kind == "Node":
            harms = event.reason in NODE_TROUBLE and event.about.name in self._nodes
            return State.DEGRADED if harms else State.PASSED
        uid = event.about.uid
        well = self._current.is_well(uid)
        if well is None:
            return State.PASSED
        match weigh(event, self._current.pods.get(uid), self._began):
            case Weight.BREAKING:
                return State.DEGRADED if well else State.FAILED
            case Weight.STARTING:
                return State.PASSED if well else State.FAILED
            case Weight.UNKNOWN:
                return State.DEGRADED
            case Weight.BENIGN:
                return State.PASSED

    def _footnotes(self) -> Iterator[str]:
        """What was left out, and what could no longer be seen."""
        for accepted, times in sorted(self._suppressed.items()):
            yield f"{times} suppressed: {accepted}"
        if gap := self.sight.gap(NODES_IN, ("events",)):
            yield f"of nodes nothing is known: {gap.seen}"
        if self._began is None:
            yield "when the rollout began is not known, so all warnings that are still kept were read"
        elif self._taken - self._began > TTL:
            lost = self._taken - TTL
            yield (
                f"the rollout began {self._began:%Y-%m-%d %H:%M} UTC and events are kept for about an hour: "
                f"of what came before {lost:%Y-%m-%d %H:%M} nothing is known"
            )


def _briefs(groups: list[Group]) -> str:
    more = f" and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
    return ", ".join(each.brief for each in groups[:SHOWN]) + more
