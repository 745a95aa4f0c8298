"""Faults of the Kubernetes API: we could not look, and that says nothing about the release."""

from __future__ import annotations

from rehearsal.entry import fault
from rehearsal.scene import Scene

LONGER_THAN_ANYBODY_WAITS_S = 120.0
ALWAYS = 1_000_000
SHORT_PAGE = 5
"""Objects on a page, so that the lists of a small environment have several, as a large one's have."""


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
    scene.world.settings.too_many["jobs"] = ALWAYS


@fault("infra.rollout.old-pods", "unverified")
def replicasets_internal_error(scene: Scene) -> None:
    """The API answers every list of ReplicaSets with 500."""
    scene.world.settings.broken["replicasets"] = ALWAYS


@fault("infra.pods.ready", "unverified")
def pods_always_gone(scene: Scene) -> None:
    """The second page of the pods is 410 every time, as in a cluster compacted faster than it can be read."""
    settings = scene.world.settings
    settings.page_at_most = SHORT_PAGE
    settings.gone_on_page["pods"], settings.gone_times = 2, ALWAYS


@fault("infra.rollout.scale", "unverified")
def deployments_behind_a_login_page(scene: Scene) -> None:
    """A proxy answers the list of Deployments with its login page, status 200."""
    scene.world.settings.proxied["deployments"] = "signs in"


@fault("infra.batch.cronjob", "unverified")
def cronjobs_cut_by_a_proxy(scene: Scene) -> None:
    """A proxy ends the list of CronJobs half-way and corrects its Content-Length."""
    scene.world.settings.proxied["cronjobs"] = "cuts"


@fault("infra.pods.doomed", "unverified")
def pods_without_their_continuation(scene: Scene) -> None:
    """A proxy drops the continue token: the first page of the pods looks like all of them."""
    scene.world.settings.page_at_most = SHORT_PAGE
    scene.world.settings.proxied["pods"] = "drops the token"


@fault("infra.images.digest", "unverified")
def pods_thinned_out(scene: Scene) -> None:
    """A proxy leaves objects out of the later pages of pods: valid JSON, and fewer than were announced."""
    scene.world.settings.page_at_most = SHORT_PAGE
    scene.world.settings.proxied["pods"] = "thins out"


@fault("infra.rollout.complete", "unverified")
def statefulsets_from_a_cache(scene: Scene) -> None:
    """A proxy answers the list of StatefulSets out of its cache, an hour and a half old."""
    scene.world.settings.proxied["statefulsets"] = "caches"


@fault("infra.images.tag", "unverified")
def token_expired(scene: Scene) -> None:
    """The bearer token has expired before the first request."""
    scene.world.settings.token_lasts = 0


@fault("infra.pods.ready", "unverified")
def token_expires_on_the_way(scene: Scene) -> None:
    """The bearer token expires between two lists."""
    scene.world.settings.token_lasts = 9


@fault("infra.rollout.complete", "unverified")
def api_refuses_connections(scene: Scene) -> None:
    """Nobody listens at the API's address any more."""
    scene.world.settings.port = "closed"


@fault("infra.images.lockstep", "unverified")
def api_hangs_up(scene: Scene) -> None:
    """Every connection to the API is dropped before it answers, as a firewall does."""
    scene.world.settings.unreachable = True


@fault("infra.images.tag", "unverified")
def api_intercepted(scene: Scene) -> None:
    """A proxy ends TLS in front of the API and shows a certificate of its own authority."""
    scene.world.settings.port = "intercepted"
