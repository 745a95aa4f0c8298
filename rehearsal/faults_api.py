"""Faults of the Kubernetes API: we could not look, and that says nothing about the release."""

from __future__ import annotations

from rehearsal.entry import fault
from rehearsal.scene import Scene

LONGER_THAN_ANYBODY_WAITS_S = 120.0


@fault("infra.pods.ready", "unverified")
def pods_forbidden(scene: Scene) -> None:
    """The verifier may not list pods."""
    scene.world.settings.forbidden.add("pods")


@fault("infra.pods.ready", "unverified")
def pods_forbidden_in_one_namespace(scene: Scene) -> None:
    """The verifier may list pods everywhere but in the databases' namespace."""
    namespace = scene.components("StatefulSet")[0].namespace
    scene.world.settings.forbidden.add(f"pods@{namespace}")


@fault("infra.pods.doomed", "unverified")
def pods_truncated(scene: Scene) -> None:
    """The list of pods breaks off in the middle of its body."""
    scene.world.settings.truncate.add("pods")


@fault("infra.rollout.complete", "unverified")
def deployments_time_out(scene: Scene) -> None:
    """The list of Deployments never comes."""
    scene.world.settings.slow_s["deployments"] = LONGER_THAN_ANYBODY_WAITS_S


@fault("infra.batch.cronjob", "unverified")
def cronjobs_forbidden(scene: Scene) -> None:
    """The verifier may not list CronJobs."""
    scene.world.settings.forbidden.add("cronjobs")


@fault("infra.batch.migration", "unverified")
def jobs_always_busy(scene: Scene) -> None:
    """The API answers every list of Jobs with 429, however patiently it is asked."""
    scene.world.settings.too_many["jobs"] = 1_000_000
