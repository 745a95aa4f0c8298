"""Old code of the release in what no component declares: every claim about a component passes it by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from postdeploy.cluster.accepted import other_version
from postdeploy.cluster.images import canonical, parse
from postdeploy.cluster.objects import Pod
from postdeploy.cluster.sight import Sight

CAUSE = (
    "It was renamed or removed in Git and not pruned, or made by hand, and goes on with the old code: a worker takes "
    "tasks that were written by the new one. Remove it, or declare it as a component with its own tag."
)


def old_code(sight: Sight) -> Iterator[tuple[str, str]]:
    """What it is and the version it runs: pods by what made them, and CronJobs that will make some.

    Pods of Jobs are left to infra.batch.old-code, which knows when they began.
    """
    allowed = _allowed(sight)
    other_of = cache(lambda image: _other(sight, allowed, image))  # thousands of pods name a few dozen images
    found: dict[str, str] = {}
    for pods in sight.family.by_maker():
        namespace, (kind, name) = pods[0].metadata.namespace, _made_by(sight, pods[0])
        if kind != "Job" and not _is_declared(sight, kind, namespace, name):
            images = [each.image for pod in pods if pod.is_live for each in pod.spec.all_containers]
            if other := next(filter(None, map(other_of, images)), ""):
                found[f"{kind} {namespace}/{name}"] = other
    for each in sight.snapshot.cronjobs:
        meta, containers = each.metadata, each.spec.job_template.spec.template.spec.all_containers
        other = next(filter(None, map(other_of, [each.image for each in containers])), "")
        if other and not each.spec.suspend and not _is_declared(sight, "CronJob", meta.namespace, meta.name):
            found[f"CronJob {meta.namespace}/{meta.name}"] = other
    yield from sorted(found.items())


def _allowed(sight: Sight) -> dict[str, tuple[str, set[str]]]:
    """Per repository of the release: the image as declared, and the tags that components pin beside the release."""
    components = sight.environment.components.values()
    pinned: dict[str, set[str]] = defaultdict(set)
    for each in components:
        pinned[canonical(each.image)] |= {each.tag} if each.tag else set()
    return {canonical(each.image): (each.image, pinned[canonical(each.image)]) for each in components if not each.tag}


def _other(sight: Sight, allowed: dict[str, tuple[str, set[str]]], image: str) -> str:
    reference = parse(image)
    declared, pinned = allowed.get(reference.repository, ("", set()))
    if not declared or reference.tag in pinned:
        return ""
    return other_version(sight, declared, sight.release, reference)


def _made_by(sight: Sight, pod: Pod) -> tuple[str, str]:
    owner = pod.metadata.controller
    if owner is None:
        return "Pod", pod.metadata.name
    replicaset = sight.family.replicasets.get(owner.uid)
    above = replicaset.metadata.controller if replicaset else None
    return (above.kind, above.name) if above else (owner.kind, owner.name)


def _is_declared(sight: Sight, kind: str, namespace: str, name: str) -> bool:
    """Whether a component's claims are about it; where its ReplicaSet could not be read, nobody can tell otherwise."""
    if kind == "ReplicaSet" and sight.gap(namespace, ["replicasets"]):
        return True
    for each in sight.environment.components.values():
        names = {each.name, f"{each.name}-primary"} if each.progressive == "canary" else {each.name}
        kinds = {each.kind, "Rollout"} if each.progressive == "rollout" else {each.kind}
        if each.namespace == namespace and name in names and kind in kinds:
            return True
    return False
