"""Small literal objects of Flux for tests of the judges; every helper says one healthy thing, tests break it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from postdeploy.cluster.objects import Gap, Snapshot
from postdeploy.environment import Component, Environment
from tests.cluster.build import OLD, RELEASE, Obj, component, condition, environment, merge, meta, seen, snapshot

COMMIT = "c" * 40
NEW = f"{RELEASE}@sha1:{COMMIT}"
BEFORE = f"{OLD}@sha1:{'b' * 40}"
FORM = "{tag}@sha1:{commit}"


def flux_environment(*components: Component, **flux: Any) -> Environment:
    """An environment whose Flux has one object of each kind."""
    declared = {"namespace": "flux-system", "source": "crm-release", "revision": FORM, "controllers": ()}
    declared |= {"kustomizations": ("crm",), "helm_releases": ("crm",), "image_policies": ("crm",)}
    return environment(*(components or (component(),)), flux=declared | flux)


def flux_object(kind: str, name: str, status: Obj) -> Obj:
    """Ready for its latest spec."""
    return {
        "kind": kind,
        "metadata": meta(name, namespace="flux-system", generation=3),
        "spec": {},
        "status": {"observedGeneration": 3, "conditions": [condition("Ready", reason="Succeeded")]} | status,
    }


def source(revision: str = NEW, kind: str = "GitRepository", **more: Any) -> Obj:
    return merge(flux_object(kind, "crm-release", {"artifact": {"revision": revision}}), more)


def kustomization(revision: str = NEW, name: str = "crm", **more: Any) -> Obj:
    refers = {"kind": "GitRepository", "name": "crm-release"}
    status = {"lastAppliedRevision": revision, "lastAttemptedRevision": revision}
    return merge(flux_object("Kustomization", name, status), {"spec": {"sourceRef": refers, "wait": True}} | more)


def helm_release(version: str = RELEASE, name: str = "crm", **more: Any) -> Obj:
    chart = version.removeprefix("v")
    past = {"chartVersion": chart, "appVersion": version, "status": "deployed", "version": 7}
    return merge(flux_object("HelmRelease", name, {"history": [past], "lastAttemptedRevision": chart}), more)


def image_policy(tag: str = RELEASE, name: str = "crm", **more: Any) -> Obj:
    return merge(flux_object("ImagePolicy", name, {"latestRef": {"name": "registry.example/crm", "tag": tag}}), more)


def delivered(*raw: Obj, around: tuple[Obj, ...] = (), gaps: tuple[Gap, ...] = (), commit: str = "") -> Snapshot:
    """A snapshot with these objects of Flux, Rollouts and Canaries, and the workloads around."""
    flux = tuple(seen(each) for each in raw if each["kind"] not in ("Rollout", "Canary"))
    flux = tuple(replace(each, kind=raw_["kind"]) for each, raw_ in zip(flux, raw, strict=False))
    return replace(
        snapshot(*around, gaps=gaps),
        flux=flux,
        commit=commit,
        rollouts=tuple(seen(each) for each in raw if each["kind"] == "Rollout"),
        canaries=tuple(seen(each) for each in raw if each["kind"] == "Canary"),
    )
