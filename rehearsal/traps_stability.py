"""What happens to a healthy release while it is held, and what its containers remember that is no matter of it."""

from __future__ import annotations

from datetime import timedelta

from rehearsal.batch import job
from rehearsal.builders import labels_of, stamp
from rehearsal.entry import trap
from rehearsal.pods import ended, pod
from rehearsal.recount import newest_replicaset
from rehearsal.scene import Scene

HELD = "infra.stability.held"
HOLD_S = 2.0
WATCHED = ("pods", "deployments", "statefulsets", "daemonsets")


@trap(HELD, hold_s=HOLD_S)
def watch_expires(scene: Scene) -> None:
    """The API server has compacted its history: the first watches of every kind end with a 410."""
    scene.world.settings.watch_expires = dict.fromkeys(WATCHED, 2)


@trap(HELD, hold_s=HOLD_S)
def watch_cut(scene: Scene) -> None:
    """A load balancer breaks the first watches off in the middle of a line."""
    scene.world.settings.watch_cut = dict.fromkeys(WATCHED, 2)


@trap(HELD, hold_s=HOLD_S)
def watch_forbidden(scene: Scene) -> None:
    """Our identity may list pods and workloads, and may not watch them."""
    scene.world.settings.unwatchable = set(WATCHED)


@trap(HELD, hold_s=HOLD_S)
def scale_down_in_hold(scene: Scene) -> None:
    """An autoscaler takes one replica away while the release is held; its pod is gone before the workload says so."""
    component = scene.victim(at_least=3)
    gone = scene.draw.choice(scene.pods(component))

    def strike() -> None:
        scene.world.remove(gone)
        owner = scene.owner(component)
        owner["spec"]["replicas"] -= 1
        owner["metadata"]["generation"] += 1
        owner["status"]["observedGeneration"] = owner["metadata"]["generation"]
        newest = newest_replicaset(scene.world, owner)
        newest["spec"]["replicas"] -= 1
        scene.world.put(newest)
        scene.recount(component)

    scene.world.in_hold(strike)


@trap(HELD, hold_s=HOLD_S)
def job_finishes_in_hold(scene: Scene) -> None:
    """A Job with a workload's own labels runs when the hold begins, and its pod is completed and unready at the end."""
    component = scene.victim()
    at = scene.ago(40)
    run = job(scene.world, component, f"{component.name}-reindex", scene.world.release, at, None)
    run["metadata"]["labels"] |= labels_of(component)
    complete = run["status"]
    run["status"] = {"active": 1, "ready": 1, "startTime": stamp(at), "conditions": []}
    scene.world.put(run)
    name = f"{run['metadata']['name']}-x7k2p"
    running = scene.world.put(pod(scene.world, name, run["spec"]["template"], run, at))

    def strike() -> None:
        run["status"] = complete
        scene.world.put(ended(running, scene.ago(0)))
        scene.world.put(run)

    scene.world.in_hold(strike)


@trap("infra.stability.restarts")
def restart_count_reset(scene: Scene) -> None:
    """Nodes were rebooted long before the rollout: containers began anew, and their counters are back at 0."""
    for kind in ("StatefulSet", "DaemonSet"):
        for component in scene.components(kind):
            for each in scene.pods(component):
                at = scene.world.rollout_at - timedelta(hours=scene.draw.randint(20, 90))
                each["status"]["startTime"] = stamp(at - timedelta(days=9))
                for status in each["status"]["containerStatuses"]:
                    status |= {"restartCount": 0, "lastState": {}, "state": {"running": {"startedAt": stamp(at)}}}
                scene.world.put(each)
