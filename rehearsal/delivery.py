"""What delivers a release: the objects of Flux at its revision, and the controllers that reconcile them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postdeploy.environment import Component
from rehearsal.builders import make, stamp
from rehearsal.kinds import KINDS, Obj
from rehearsal.workloads import condition, workload

if TYPE_CHECKING:
    from rehearsal.world import World

GENERATION = 7
MINE = ("toolkit.fluxcd.io", "argoproj.io", "flagger.app")


def commit_of(release: str) -> str:
    """The commit that a release's tag names in the rehearsal."""
    return hashlib.sha1(release.encode()).hexdigest()


def revision_of(world: World, release: str, commit: str = "") -> str:
    """What Flux reports of a release."""
    return world.environment.flux.revision.format(tag=release, commit=commit or commit_of(release))


def delivery(world: World) -> None:
    """Store the Flux objects at the release's revision, its controllers, and the definitions of all kinds."""
    since = world.rollout_at - timedelta(seconds=90)
    _source(world, since)
    for name in world.environment.flux.kustomizations:
        _kustomization(world, name, since)
    for name in world.environment.flux.helm_releases:
        _helm_release(world, name)
    for name in world.environment.flux.image_policies:
        _image_policy(world, name, since)
    for name in world.environment.flux.controllers:
        _controller(world, name)
    definitions(world)


def _source(world: World, since: datetime) -> None:
    declared = world.environment.flux
    revision = revision_of(world, world.release)
    artifact = {"revision": revision, "lastUpdateTime": stamp(since), "path": f"gitrepository/{declared.source}.tar.gz"}
    ref = {"tag": world.release} if "{tag}" in declared.revision else {"branch": "main"}
    spec = {"interval": "1m0s", "ref": ref, "url": "ssh://git@git.example/platform/fleet.git"}
    said = f"stored artifact for revision '{revision}'"
    made = flux_object(world, declared.source_kind, declared.source, spec, "Succeeded", said, since)
    made["status"]["artifact"] = artifact
    stored = condition("ArtifactInStorage", "True", "Succeeded", said, since) | {"observedGeneration": GENERATION}
    made["status"]["conditions"].append(stored)


def _kustomization(world: World, name: str, since: datetime) -> None:
    declared, revision = world.environment.flux, revision_of(world, world.release)
    refers = {"kind": declared.source_kind, "name": declared.source}
    spec = {"interval": "5m0s", "path": f"./clusters/{name}", "prune": True, "wait": True, "sourceRef": refers}
    said = f"Applied revision: {revision}"
    made = flux_object(world, "Kustomization", name, spec, "ReconciliationSucceeded", said, since)
    made["status"] |= dict.fromkeys(("lastAppliedRevision", "lastAttemptedRevision"), revision)
    made["status"]["inventory"] = {"entries": _applied_by(world, name)}
    applied: Obj = {"digest": f"sha256:{'4d' * 32}", "lastReconciledStatus": "ReconciliationSucceeded"}
    applied |= {"firstReconciled": stamp(since), "lastReconciled": stamp(world.now), "totalReconciliations": 2}
    made["status"]["history"] = [applied | {"metadata": {"revision": revision}}]
    healthy = condition("Healthy", "True", "Succeeded", "Health check passed in 41.2s", since)
    made["status"]["conditions"].append(healthy | {"observedGeneration": GENERATION})


def _applied_by(world: World, name: str) -> list[Obj]:
    """What a Kustomization lists of what it applied: the components of its group that Helm does not bring."""
    members = [e for e in world.environment.components.values() if e.group == name and e.hook_of is None]
    groups = {"CronJob": "batch", "Job": "batch"}
    return [{"id": f"{e.namespace}_{e.name}_{groups.get(e.kind, 'apps')}_{e.kind}", "v": "v1"} for e in members]


def _helm_release(world: World, name: str) -> None:
    component = world.environment.components.get(name)
    pinned = component.tag if component else None
    version = "3.4.0" if pinned else world.release.removeprefix("v")  # a mirrored chart has versions of its own
    past: Obj = {"name": name, "chartName": name, "chartVersion": version, "appVersion": pinned or world.release}
    past |= {"version": 41, "status": "deployed", "lastDeployed": stamp(world.rollout_at)}
    said = f"Helm upgrade succeeded for release crm/{name} with chart {name}@{version}"
    spec = {"interval": "10m0s", "chart": {"spec": {"chart": name, "version": version}}}
    made = flux_object(world, "HelmRelease", name, spec, "UpgradeSucceeded", said, world.rollout_at)
    made["status"] |= {"history": [past], "lastAttemptedRevision": version}
    made["status"]["conditions"].append(made["status"]["conditions"][0] | {"type": "Released"})


def _image_policy(world: World, name: str, since: datetime) -> None:
    declared = world.environment.components.values()
    image = next((each.image for each in declared if each.group == name), f"registry.example/{name}")
    spec = {"imageRepositoryRef": {"name": name}, "policy": {"alphabetical": {"order": "asc"}}}
    said = f"Latest image tag for {image} resolved to {world.release}"
    made = flux_object(world, "ImagePolicy", name, spec, "Succeeded", said, since)
    made["status"]["latestRef"] = {"name": image, "tag": world.release}


def flux_object(world: World, kind: str, name: str, spec: Obj, reason: str, said: str, since: datetime) -> Obj:
    """An object of Flux that is Ready, stored."""
    ready = condition("Ready", "True", reason, said, since) | {"observedGeneration": GENERATION}
    made = make(world, kind, name, world.environment.flux.namespace, world.born_at, spec=spec)
    made["metadata"]["generation"] = GENERATION
    return world.put(made | {"status": {"observedGeneration": GENERATION, "conditions": [ready]}})


def _controller(world: World, name: str) -> None:
    """A controller of Flux: a Deployment of one pod, of no release."""
    space, image = world.environment.flux.namespace, f"ghcr.io/fluxcd/{name}"
    workload(
        world,
        Component(name=name, kind="Deployment", namespace=space, image=image, tag="v1.7.3", owner="platform"),
    )


def definitions(world: World) -> None:
    """Store the CustomResourceDefinitions behind the kinds that deliver."""
    for kind in KINDS:
        if kind.group.endswith(MINE):
            names = {"kind": kind.name, "plural": kind.plural, "singular": kind.name.lower()}
            version = {"name": kind.version, "served": True, "storage": True}
            spec = {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [version]}
            made = make(world, "CustomResourceDefinition", kind.resource, None, world.born_at, spec=spec)
            conditions = [
                condition("NamesAccepted", "True", "NoConflicts", "no conflicts found", world.born_at),
                condition("Established", "True", "InitialNamesAccepted", "the names have been accepted", world.born_at),
            ]
            world.put(made | {"status": {"conditions": conditions, "storedVersions": [kind.version]}})
