"""Which Jobs are a component's, told by their names, and whether what they run is its release's."""

from __future__ import annotations

from datetime import UTC, datetime

from postdeploy.cluster.accepted import accepted, other_version
from postdeploy.cluster.images import ImageRef, declared
from postdeploy.cluster.objects import Job, PodTemplate
from postdeploy.cluster.sight import Sight
from postdeploy.environment import Component

LONG_AGO = datetime.min.replace(tzinfo=UTC)
AGAIN = frozenset({"again", "rerun", "retry"})
VOWELS = frozenset("aeiou")
"""The suffixes that Kubernetes draws have none (`SafeEncodeString` of apimachinery), so that they make no word."""
WHOSE_DIGEST = "Pass --digests with the digests the build made, or declare the registry: then it can be compared."


def jobs_named(sight: Sight, component: Component) -> list[Job]:
    """Jobs of a component, newest first: its own name, or that name with a suffix (a Job cannot be changed)."""
    found = [
        each
        for each in sight.snapshot.jobs
        if each.metadata.namespace == component.namespace
        and is_named(sight, each.metadata.name, component)
        and declared(each.spec.template, component.image)
    ]
    return sorted(found, key=created, reverse=True)


def created(job: Job) -> datetime:
    """When it was made."""
    return job.metadata.creation_timestamp or LONG_AGO


def is_named(sight: Sight, name: str, component: Component) -> bool:
    """Whether a Job of this name is the component's, and not that of one whose longer name fits as well."""
    if not _fits(name, component):
        return False
    others = sight.environment.components.values()
    batch = [each for each in others if each.kind in ("Job", "CronJob") and each.namespace == component.namespace]
    return not any(_fits(name, each) and len(each.name) > len(component.name) for each in batch)


def _fits(name: str, component: Component) -> bool:
    return name == component.name or name.startswith(f"{component.name}-")


def other_work(name: str, component: Component) -> str:
    """What a Job's suffix says of another work than its component's: not a number, version, hash, letter or `retry`."""
    parts = name.removeprefix(component.name).split("-")
    return "-".join(each for each in parts if each and not _tells_tries_apart(each))


def _tells_tries_apart(part: str) -> bool:
    return len(part) <= 2 or part in AGAIN or any(each.isdigit() for each in part) or not VOWELS & set(part)


def is_on(sight: Sight, component: Component, template: PodTemplate) -> bool | None:
    """Whether all its containers of the component's image are the release's; None where a bare digest does not tell."""
    images = declared(template, component.image)
    told = {_is_ours(sight, component, each) for each in images.values()}
    if not told or False in told:
        return False
    return None if None in told else True


def _is_ours(sight: Sight, component: Component, image: ImageRef) -> bool | None:
    tag = sight.tag(component)
    if other_version(sight, component.image, tag, image):
        return False
    if image.tag or not image.digest:
        return image.tag == tag
    known = accepted(sight, component.image, tag)
    return True if known and image.digest in known.digests else None
