"""How a Job ended that is gone: its time to live or a Helm hook deleted it, and what is left of it must tell.

Not found is no success: a Job that failed is deleted like one that completed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from postdeploy.cluster import batch
from postdeploy.cluster.current import began
from postdeploy.cluster.images import declared, requested
from postdeploy.cluster.jobs import LONG_AGO, is_named, other_work
from postdeploy.cluster.objects import Event, Pod, PodTemplate
from postdeploy.cluster.ruling import Ruling, failed, passed, unverified
from postdeploy.cluster.sight import Sight
from postdeploy.environment import Component

COMPLETED = "Completed"
GAVE_UP = frozenset(batch.JOB_CAUSES)
ONE_ROLLOUT = timedelta(minutes=10)
"""What ended this long before ours began to roll out, or this soon after another one began, may be the other's own."""
LOOK_ELSEWHERE = (
    "Its ttlSecondsAfterFinished or a Helm hook policy deleted it, whether it failed or not, or it never was made: "
    "look into the kept logs or at the database's django_migrations."
)


def ended(sight: Sight, component: Component) -> Ruling:
    """What its events and its pods say; unverified, with what was tried, where they say nothing of this release."""
    events = sorted(_events(sight, component), key=lambda each: each.last_seen or LONG_AGO, reverse=True)
    bound = [each for each in events if _is_of_this_release(sight, each)]
    if bound and _blind(sight) is None:
        return _told(next((each for each in bound if not other_work(each.about.name, component)), bound[0]))
    pods = _pods(sight, component)
    if done := [each for each in pods if each.status.phase == "Succeeded"]:
        last = _last_line(sight, done[0])
        return passed(f"the Job is gone, and its pod {done[0].metadata.name} succeeded (status.phase){last}")
    hook = _of_hook(sight, component)
    if isinstance(hook, Ruling):
        return hook
    tried = "; ".join((_of_events(sight, component, events), _of_pods(sight, pods), hook or _applied(sight, component)))
    return unverified(f"no Job of that name in namespace {component.namespace}; {tried}", LOOK_ELSEWHERE)


def _told(event: Event) -> Ruling:
    at = f" at {event.last_seen:%Y-%m-%dT%H:%M:%SZ}" if event.last_seen else ""
    said = f"the Job {event.about.name} is gone, and its last event{at} says {event.reason}: {event.text}"
    if event.reason == COMPLETED:
        return passed(said)
    return failed(said, batch.JOB_CAUSES.get(event.reason, "Read its log where logs are kept."))


def _events(sight: Sight, component: Component) -> Iterator[Event]:
    """The events that tell the end of a Job of this component."""
    for event in told_ends(sight, component.namespace):
        if is_named(sight, event.about.name, component):
            yield event


def told_ends(sight: Sight, namespace: str) -> Iterator[Event]:
    """The events that tell the end of a Job; each once, though it may have been listed twice."""
    listed = {each.metadata.uid or str(id(each)): each for each in (*sight.snapshot.job_events, *sight.snapshot.events)}
    for event in listed.values():
        is_of_job = event.about.kind == "Job" and event.about.namespace == namespace
        if is_of_job and (event.reason == COMPLETED or event.reason in GAVE_UP):
            yield event


def _is_of_this_release(sight: Sight, event: Event) -> bool:
    """An event names no release: it is ours if it came with our rollout, and not with another one's."""
    others, ours, seen = _others_began(sight), began(sight), event.last_seen
    if others is None and ours is None:
        return True
    after_others = others is None or (seen is not None and seen > others + ONE_ROLLOUT)
    with_ours = ours is None or (seen is not None and seen >= ours - ONE_ROLLOUT)
    return after_others and with_ours


def _blind(sight: Sight) -> Ruling | None:
    """Why nobody could see whether another release was rolled out."""
    spaces = {each.namespace for each in sight.environment.components.values() if each.kind == "Deployment"}
    gaps = (sight.gap(each, ("deployments", "replicasets")) for each in sorted(spaces))
    return next((each for each in gaps if each), None)


def _others_began(sight: Sight) -> datetime | None:
    """When the newest revision was made that carries another release than ours."""
    mine = [each for each in sight.environment.components.values() if each.kind == "Deployment" and not each.tag]
    images = {each.image for each in mine}
    made = [
        each.metadata.creation_timestamp
        for each in sight.snapshot.replicasets
        if each.metadata.creation_timestamp and _carries_another(each.spec.template, images, sight.release)
    ]
    return max(made, default=None)


def _carries_another(template: PodTemplate, images: set[str], release: str) -> bool:
    found = [each for image in images for each in declared(template, image).values()]
    return bool(found) and all(each.tag != release for each in found)


def _pods(sight: Sight, component: Component) -> list[Pod]:
    """Pods that a Job of this component left behind, with this release's code."""
    tag, jobs = sight.tag(component), {each.metadata.uid for each in sight.snapshot.jobs}
    return [each for each in sight.snapshot.pods if _is_left_over(sight, each, component, jobs) and _runs(each, tag)]


def _is_left_over(sight: Sight, pod: Pod, component: Component, jobs: set[str]) -> bool:
    owner = pod.metadata.controller
    if owner is None or owner.kind != "Job" or owner.uid in jobs:
        return False
    return pod.metadata.namespace == component.namespace and is_named(sight, owner.name, component)


def _runs(pod: Pod, tag: str) -> bool:
    return any(image.tag == tag for _, image in requested([pod], [each.name for each in pod.spec.containers]))


def _last_line(sight: Sight, pod: Pod) -> str:
    for each in sight.snapshot.excerpts:
        if (each.namespace, each.pod) == (pod.metadata.namespace, pod.metadata.name) and each.lines:
            return f"; its log ends with: {each.lines[-1]}"
    return ""


def _of_hook(sight: Sight, component: Component) -> Ruling | str:
    """What Helm says of its hook, for it calls a release deployed only once its hooks succeeded; or why it does not."""
    name = component.hook_of
    if not name:
        return ""
    seen = next((e for e in sight.snapshot.flux or () if (e.kind, e.metadata.name) == ("HelmRelease", name)), None)
    newest = seen.status.history[0] if seen and seen.status.history else None
    if seen is None or newest is None:
        return f"HelmRelease {name}, whose hook it is, has no history (status.history)"
    if seen.spec.install.disable_hooks or seen.spec.upgrade.disable_hooks:
        return f"HelmRelease {name}, whose hook it is, runs no hooks (disableHooks)"
    release = sight.release.removeprefix("v")
    versions = (newest.app_version, newest.chart_version)
    if newest.status != "deployed" or release not in (each.removeprefix("v") for each in versions):
        at = " ".join(each for each in (*dict.fromkeys(versions), newest.status) if each)
        return f"the newest Helm release of {name}, whose hook it is, is {at} (status.history[0])"
    at = f" at {newest.last_deployed:%Y-%m-%dT%H:%M:%SZ}" if newest.last_deployed else ""
    said = f"HelmRelease {name} is deployed{at} with {newest.app_version or newest.chart_version} (status.history[0])"
    return passed(f"the Job is gone; {said}, which Helm says only once the hooks of that release have succeeded")


def _applied(sight: Sight, component: Component) -> str:
    """Whether Flux ever applied it. How it ended its inventory does not tell: a Job that is gone counts as healthy."""
    for each in sight.snapshot.flux or ():
        for entry in each.status.inventory.entries:
            space, _, rest = entry.id.partition("_")
            name, _, kind = rest.partition("_")
            if (space, kind) == (component.namespace, "batch_Job") and is_named(sight, name, component):
                at = each.status.last_applied_revision
                return f"Kustomization {each.metadata.name} applied it at {at} (status.inventory), not how it ended"
    return "no inventory of Flux lists it"


def _of_events(sight: Sight, component: Component, events: list[Event]) -> str:
    if gap := sight.gap(component.namespace, ["events"]):
        return gap.seen
    if events:
        told = f"an event tells how {events[0].about.name} ended ({events[0].reason})"
        blind = _blind(sight)
        return (
            f"{told}, but not of which release: {blind.seen}" if blind else f"{told}, but it may be another release's"
        )
    return "no event tells how it ended (they are kept for about an hour)"


def _of_pods(sight: Sight, pods: list[Pod]) -> str:
    if not pods:
        return "no pod of it is left"
    return f"its pod {pods[0].metadata.name} is left and ended as {pods[0].status.phase or 'unknown'}"
