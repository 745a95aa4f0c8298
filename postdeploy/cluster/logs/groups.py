"""The findings of one component over all its containers, and whether they were there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from postdeploy.cluster.logs.seen import Finding, Known, Logs, Reading

FREQUENT = 3.0
"""How many times its earlier rate makes a known error unusually frequent."""
FREQUENT_FROM = 10
"""Records below which no rate is unusual."""


@dataclass(slots=True)
class Group:
    """Records that say the same, of all containers of a component."""

    finding: Finding
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    places: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)

    def add(self, reading: Reading, finding: Finding) -> None:
        """The same finding in one more container."""
        self.count += finding.count
        self.places.add(reading.name)
        self.containers.add(reading.container)
        moments = [each for each in (self.first, finding.first) if each]
        self.first = min(moments, default=None)
        moments = [each for each in (self.last, finding.last) if each]
        self.last = max(moments, default=None)
        if finding.fatal and not self.finding.fatal:
            self.finding = finding

    def __str__(self) -> str:
        finding = self.finding
        why = f" [always fatal: {finding.fatal}]" if finding.fatal else ""
        app = f" (app {finding.app})" if finding.app else ""
        logger = f"{finding.logger}: " if finding.logger else ""
        return f"{self.count}x {logger}{finding.title}{app}{why}, {self.where}{self.when}"

    @property
    def where(self) -> str:
        """The containers it was found in, shortened."""
        names = sorted(self.places)
        return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")

    @property
    def when(self) -> str:
        """From when to when."""
        if self.first is None or self.last is None:
            return ""
        if self.first == self.last:
            return f", {self.first:%H:%M:%S}"
        return f", {self.first:%H:%M:%S} to {self.last:%H:%M:%S}"


def grouped(readings: Iterable[Reading]) -> list[Group]:
    """What some readings have in common, the gravest and most frequent first."""
    found: dict[str, Group] = {}
    for reading in readings:
        for finding in reading.findings:
            if finding.is_grave:
                found.setdefault(finding.id, Group(finding)).add(reading, finding)
    return sorted(found.values(), key=lambda each: (not each.finding.is_critical, -each.count, each.finding.id))


class Novelty:
    """Whether a finding was there before: in the equally long window before the rollout, or in an earlier green run."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._before = _indexed(logs.before)
        self._earlier = [(each, _indexed(each.known)) for each in logs.earlier]

    def baseline(self, component: str) -> str:
        """What it is compared with; empty where there is nothing to compare it with."""
        parts = []
        if component in self._logs.covered_before:
            parts.append(f"the {self._logs.minutes:.0f} minutes before ({self._logs.before_from})")
        if self._earlier:
            count = len(self._earlier)
            parts.append(f"{count} earlier green run{'s' if count > 1 else ''}")
        return " and ".join(parts)

    def is_known(self, component: str, group: Group) -> bool:
        """Whether any of them had it."""
        key = (component, group.finding.id)
        return key in self._before or any(key in known for _, known in self._earlier)

    def is_frequent(self, component: str, group: Group) -> str:
        """How much more often it comes than it ever did, where that is unusual; empty where it is not."""
        now = group.count / self._logs.minutes
        usual = max(self._rates(component, group.finding.id), default=0.0)
        if group.count < FREQUENT_FROM or not usual or now <= FREQUENT * usual:
            return ""
        return f"{now:.1f} a minute where {usual:.1f} were usual"

    def _rates(self, component: str, name: str) -> Iterator[float]:
        if each := self._before.get((component, name)):
            yield each.count / self._logs.minutes
        for run, known in self._earlier:
            if each := known.get((component, name)):
                yield each.count / max(run.minutes, 1 / 60)


def _indexed(known: Iterable[Known]) -> dict[tuple[str, str], Known]:
    return {(each.component, each.id): each for each in known}
