"""What the harness would see and judge of the delivery of a world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from postdeploy.cluster.blame import ReleaseClaims
from postdeploy.cluster.delivery import GROUPS, flux_kinds
from postdeploy.cluster.flux_claims import FluxClaims
from postdeploy.cluster.objects import Snapshot, decode
from postdeploy.cluster.progressive_claims import ProgressiveClaims
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement
from rehearsal.delivery import commit_of
from rehearsal.world import World


def delivered(world: World, release: str) -> dict[str, Any]:
    """The fields of a snapshot that speak of the delivery."""
    environment = world.environment
    namespace = environment.flux.namespace
    lists = {"flux_controllers": ("Deployment", (namespace,))}
    lists |= {"rollouts": ("Rollout", environment.namespaces), "canaries": ("Canary", environment.namespaces)}
    forbidden = world.settings.forbidden
    flux = [e for kind in flux_kinds(environment) if GROUPS[kind][1] not in forbidden for e in seen(world, kind)]
    found = {
        field: tuple(each for space in spaces for each in seen(world, kind, space))
        for field, (kind, spaces) in lists.items()
    }
    return {"flux": tuple(flux), "commit": commit_of(release), **found}


def seen(world: World, kind: str, namespace: str | None = None) -> Iterator[Any]:
    """Objects of a kind as the judges see them."""
    return (decode(kind, msgspec.json.encode(each)) for each in world.all(kind, namespace))


def judged(snapshot: Snapshot, environment: Environment, release: str) -> dict[str, Mapping[str, Judgement]]:
    """Check id to subject to judgement."""
    flux = FluxClaims(snapshot, environment, release)
    progressive = ProgressiveClaims(snapshot)
    steps = environment.subjects("progressive")
    declared = environment.flux
    return {
        "infra.release.live": {environment.name: ReleaseClaims(snapshot, environment, release).live()},
        "infra.flux.source": {environment.name: flux.source()},
        "infra.flux.kustomization": {each: flux.kustomization(each) for each in declared.kustomizations},
        "infra.flux.helmrelease": {each: flux.helm_release(each) for each in declared.helm_releases},
        "infra.flux.imagepolicy": {each: flux.image_policy(each) for each in declared.image_policies},
        "infra.flux.controllers": {environment.name: flux.controllers()},
        "infra.progressive.rollout": {name: progressive.promoted(each) for name, each in steps.items()},  # type: ignore[arg-type]
    }
