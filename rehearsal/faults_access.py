"""Faults of our own identity: it may see too little, or could do too much."""

from __future__ import annotations

from rehearsal.entry import fault
from rehearsal.rbac import Rule
from rehearsal.scene import Scene

READ = "infra.access.read"
READONLY = "infra.access.readonly"
WRITES = ("create", "update", "patch", "delete")


@fault(READ, "unverified")
def pods_log_forbidden(scene: Scene) -> None:
    """The verifier may see every pod and read the log of none."""
    scene.world.settings.forbidden.add("pods/log")


@fault(READ, "unverified")
def reviews_forbidden(scene: Scene) -> None:
    """Nobody may ask what he may do: somebody took system:basic-user away."""
    scene.world.settings.forbidden |= {"selfsubjectrulesreviews", "selfsubjectaccessreviews"}


@fault(READONLY, "degraded")
def may_write(scene: Scene) -> None:
    """The verifier runs as the deployer: it could change every Deployment of the release, and delete its pods."""
    namespace = scene.components("Deployment")[0].namespace
    scene.world.settings.beyond += (
        Rule(WRITES, ("apps",), ("deployments",), namespace=namespace),
        Rule(("delete",), ("",), ("pods",), namespace=namespace),
    )


@fault(READONLY, "degraded")
def may_watch_a_secret(scene: Scene) -> None:
    """The verifier may watch one Secret where Flux lives: the key that opens Git."""
    namespace = scene.world.environment.flux.namespace
    scene.world.settings.beyond += (Rule(("watch",), ("",), ("secrets",), ("crm-git",), namespace),)


@fault(READONLY, "degraded")
def cluster_admin(scene: Scene) -> None:
    """The verifier runs as cluster-admin, and no rule says so: an authorizer that cannot enumerate decides."""
    scene.world.settings.beyond += (Rule(("*",), ("*",), ("*",)),)
    scene.world.settings.rules_incomplete = True
