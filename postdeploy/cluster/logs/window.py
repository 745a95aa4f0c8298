"""The window: from when the rollout of this release began, by the server's clock, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from postdeploy.cluster.current import ONE_ROLLOUT, began
from postdeploy.cluster.objects import Deployment
from postdeploy.cluster.sight import Sight

LONGEST = timedelta(hours=6)
"""How far back a window may reach: a release that was live long before was verified then."""
UNKNOWN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Window:
    """From the rollout's beginning to the look."""

    start: datetime
    end: datetime
    anchor: str
    """What said when it began."""

    @property
    def length(self) -> timedelta:
        """How long it is; the window before the rollout is as long."""
        return self.end - self.start

    @property
    def before(self) -> datetime:
        """Where the equally long window before the rollout begins."""
        return self.start - self.length


def window(sight: Sight) -> Window:
    """The window of a snapshot. The first of these that is known: when a Kustomization first applied the revision, when
    Helm deployed it, when the newest revision of a workload or the migration's Job was made, when a Deployment last
    progressed. The traces of the same rollout before that moment belong to it: a Kustomization that waits says so late.
    """
    end = sight.snapshot.taken
    traces = began(sight)
    for anchor, moments in (
        ("Kustomization status.history[].firstReconciled", list(_reconciled(sight))),
        ("HelmRelease status.history[0].lastDeployed", list(_deployed(sight))),
        ("creation of the newest revisions", [traces] if traces else []),
        ("Deployment condition Progressing.lastUpdateTime", list(_progressed(sight))),
    ):
        if moments:
            start = min(moments)
            if traces is not None and timedelta() < start - traces <= ONE_ROLLOUT:
                start = traces
            return _bounded(start.replace(microsecond=0), end, anchor)
    return Window(end - UNKNOWN, end, f"nothing said when the rollout began: the last {UNKNOWN.seconds // 60} minutes")


def _bounded(start: datetime, end: datetime, anchor: str) -> Window:
    if end - start > LONGEST:
        hours = LONGEST.seconds // 3600
        return Window(end - LONGEST, end, f"{anchor}, {start:%Y-%m-%d %H:%M} UTC; the last {hours} hours of it")
    return Window(min(start, end), end, anchor)


def _reconciled(sight: Sight) -> Iterator[datetime]:
    expected = sight.environment.flux.expected_revision(sight.release, sight.snapshot.commit or None)
    for each in sight.snapshot.flux or ():
        if each.kind == "Kustomization" and each.metadata.name in sight.environment.flux.kustomizations:
            for entry in each.status.history:
                if entry.first_reconciled and expected.matches(entry.metadata.get("revision", "")):
                    yield entry.first_reconciled


def _deployed(sight: Sight) -> Iterator[datetime]:
    release = sight.release.removeprefix("v")
    for each in sight.snapshot.flux or ():
        newest = next(iter(each.status.history), None) if each.kind == "HelmRelease" else None
        versions = (newest.chart_version.removeprefix("v"), newest.app_version.removeprefix("v")) if newest else ()
        if newest and newest.last_deployed and release in versions:
            yield newest.last_deployed


def _progressed(sight: Sight) -> Iterator[datetime]:
    for component in sight.environment.components.values():
        found = sight.find(component) if component.kind == "Deployment" and component.tag is None else None
        if isinstance(found, Deployment):
            progress = next((each for each in found.status.conditions if each.type == "Progressing"), None)
            if progress and progress.last_update_time:
                yield progress.last_update_time
