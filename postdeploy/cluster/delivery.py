"""What is read of the delivery: the declared kinds of Flux, its controllers, Argo Rollouts and Flagger Canaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from postdeploy.cluster.answers import UNSERVED
from postdeploy.cluster.client import Call, Reader, together
from postdeploy.cluster.objects import Canary, Deployment, FluxObject, Gap, Rollout
from postdeploy.environment import Environment
from postdeploy.redact import Redactor

GROUPS = {
    "GitRepository": ("source.toolkit.fluxcd.io", "gitrepositories", ("v1", "v1beta2")),
    "OCIRepository": ("source.toolkit.fluxcd.io", "ocirepositories", ("v1", "v1beta2")),
    "Kustomization": ("kustomize.toolkit.fluxcd.io", "kustomizations", ("v1", "v1beta2")),
    "HelmRelease": ("helm.toolkit.fluxcd.io", "helmreleases", ("v2", "v2beta2")),
    "ImagePolicy": ("image.toolkit.fluxcd.io", "imagepolicies", ("v1", "v1beta2")),
}
"""Of each kind of Flux its group, plural and versions; an older version is asked for where the newer is not served."""
PROGRESSIVE: Mapping[str, tuple[str, str, type[Any]]] = {
    "rollout": ("rollouts", "/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts", Rollout),
    "canary": ("canaries", "/apis/flagger.app/v1beta1/namespaces/{}/canaries", Canary),
}
"""Declared way of delivery to field of the snapshot, list and kind."""
Found = tuple[tuple[Any, ...], Gap | None]


class Delivery(msgspec.Struct, frozen=True):
    """What one look saw of the delivery, by field of the snapshot, and what it could not see."""

    fields: dict[str, Any]
    gaps: tuple[Gap, ...]


def flux_kinds(environment: Environment) -> tuple[str, ...]:
    """The kinds of Flux that the environment declares objects of."""
    flux = environment.flux
    declared = {
        flux.source_kind: True,
        "Kustomization": flux.kustomizations,
        "HelmRelease": flux.helm_releases,
        "ImagePolicy": flux.image_policies,
    }
    return tuple(kind for kind, names in declared.items() if names)


async def delivery(reader: Reader, environment: Environment) -> Delivery:
    """Lists of only what is declared: a kind that this cluster does not serve is a gap because somebody needs it."""
    wanted = list(_wanted(reader, environment))
    answers: list[Found] = await together(*(call for _, call in wanted))
    fields: dict[str, Any] = {"flux": (), "flux_controllers": (), "rollouts": (), "canaries": ()}
    for (field, _), (items, _gap) in zip(wanted, answers, strict=True):
        fields[field] += items
    redactor = Redactor()
    fields["flux"] = tuple(_quiet(each, redactor) for each in fields["flux"])
    return Delivery(fields, tuple(gap for _, gap in answers if gap))


def _wanted(reader: Reader, environment: Environment) -> Iterator[tuple[str, Call[Found]]]:
    for kind in flux_kinds(environment):
        yield "flux", _flux(reader, environment.flux.namespace, kind)
    if environment.flux.controllers:
        path = f"/apis/apps/v1/namespaces/{environment.flux.namespace}/deployments"
        yield "flux_controllers", _listing(reader, path, Deployment)
    parts = environment.components.values()
    for way, namespace in sorted({(each.progressive, each.namespace) for each in parts if each.progressive}):
        field, path, item = PROGRESSIVE[way]
        yield field, _listing(reader, path.format(namespace), item)


def _listing(reader: Reader, path: str, kind: type[Any]) -> Call[Found]:
    return lambda: reader.list(path, kind)


def _flux(reader: Reader, namespace: str, kind: str) -> Call[Found]:
    group, plural, versions = GROUPS[kind]

    async def listed() -> Found:
        for version in versions:
            items, gap = await reader.list(f"/apis/{group}/{version}/namespaces/{namespace}/{plural}", FluxObject)
            if gap is None or gap.reason != UNSERVED:
                break
        # The items of a list do not say their kind.
        return tuple(replace(each, kind=kind) for each in items), gap

    return listed


def _quiet(seen: FluxObject, redactor: Redactor) -> FluxObject:
    """Conditions quote what Git, the registry and Helm answered, which may carry a credential."""
    conditions = tuple(replace(each, message=redactor.text(each.message)) for each in seen.status.conditions)
    return replace(seen, status=replace(seen.status, conditions=conditions))
