"""A busy Kubernetes API, and a brokerage with a past: both give the whole answer in the end."""

from __future__ import annotations

from rehearsal.entry import trap
from rehearsal.pods import evicted
from rehearsal.scene import Scene, twin

READY = "infra.pods.ready"
MORE_THAN_A_PAGE = 520


@trap(READY)
def page_410_restarted_list(scene: Scene) -> None:
    """Hundreds of evicted leftovers make the list of pods two pages long, and its continuation expires once."""
    component = scene.victim()
    pod = scene.pods(component)[0]
    for number in range(MORE_THAN_A_PAGE):
        scene.world.put(evicted(twin(pod, scene.world, f"old{number:03}"), scene.ago(4000)))
    scene.world.settings.gone_on_page["pods"] = 2


@trap(READY)
def too_many_requests_once(scene: Scene) -> None:
    """The API is busy: the first lists of pods and of Deployments are answered with 429 and Retry-After."""
    scene.world.settings.too_many |= {"pods": 1, "deployments": 1}


@trap(READY)
def slow_api(scene: Scene) -> None:
    """The list of pods takes a second."""
    scene.world.settings.slow_s["pods"] = 1.0


@trap("infra.images.digest")
def short_pages(scene: Scene) -> None:
    """The API puts fewer objects on a page than it is asked for: every list has many pages."""
    scene.world.settings.page_at_most = 3


@trap("infra.rollout.complete")
def connections_reset(scene: Scene) -> None:
    """The API server restarts: the first lists of workloads and pods lose their connections, and then it answers."""
    scene.world.settings.reset |= {"pods": 1, "deployments": 2, "statefulsets": 1}


@trap("infra.rollout.old-pods")
def internal_error_once(scene: Scene) -> None:
    """The API loses its store for a moment: one list of ReplicaSets and one of Jobs are answered with 500."""
    scene.world.settings.broken |= {"replicasets": 1, "jobs": 1}


@trap("endpoints.health.status")
def slow_host(scene: Scene) -> None:
    """One host takes its time, and answers within what clients bear."""
    host = scene.draw.choice(sorted(scene.brokerage.brands))
    scene.world.front.slow[host, ""] = (1, 0.03)


@trap("smoke.login.token")
def wrong_passwords_before(scene: Scene) -> None:
    """Somebody gave three wrong passwords for the test account; two more would lock it."""
    scene.brokerage.clients.doors.spoil(scene.world.environment.api.account, 3)
