"""Pods that look ill and are not, and dead ones that belong to nobody's failure."""

from __future__ import annotations

from datetime import timedelta

from rehearsal.batch import job, job_pod
from rehearsal.builders import labels_of, stamp
from rehearsal.entry import trap
from rehearsal.kinds import Obj
from rehearsal.pods import ended, evicted, restarted
from rehearsal.scene import Scene, twin
from rehearsal.wounds import well_again

DOOMED = "infra.pods.doomed"
READY = "infra.pods.ready"


@trap(DOOMED)
def evicted_leftovers(scene: Scene) -> None:
    """Evictions under memory pressure left Failed pods of the current revision behind; their replacements are ready."""
    component = scene.victim()
    for number, pod in enumerate(scene.pods(component)[:2]):
        scene.world.put(evicted(_twin(scene, pod, f"evict{number}"), scene.ago(150)))


@trap(READY)
def node_shutdown_leftovers(scene: Scene) -> None:
    """A node was drained for its upgrade: its pods are Failed, reason Terminated, and replaced."""
    component = scene.victim()
    for number, pod in enumerate(scene.pods(component)[:2]):
        gone = ended(_twin(scene, pod, f"drain{number}"), scene.ago(100), exit_code=137)
        gone["status"] |= {
            "reason": "Terminated",
            "message": "Pod was terminated in response to imminent node shutdown.",
        }
        disrupted: Obj = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
        disrupted |= {"lastTransitionTime": stamp(scene.ago(130)), "lastProbeTime": None}
        gone["status"]["conditions"].append(disrupted)
        scene.world.put(gone)


@trap(READY)
def completed_job_pods(scene: Scene) -> None:
    """A command was run by hand as a Job with a workload's own labels: its pod is Succeeded, on the release before."""
    component = scene.victim()
    at = scene.world.rollout_at - timedelta(hours=5)
    run = job(scene.world, component, f"{component.name}-reindex", scene.previous, at, None)
    run["metadata"]["labels"] |= labels_of(component)
    scene.world.put(run)
    job_pod(scene.world, run, at, at + timedelta(minutes=4))


@trap(DOOMED)
def restarts_before_rollout(scene: Scene) -> None:
    """Every database and every node agent restarted long before the rollout, some of them out of memory."""
    for kind in ("StatefulSet", "DaemonSet"):
        for component in scene.components(kind):
            for pod in scene.pods(component):
                at = scene.world.rollout_at - timedelta(hours=scene.draw.randint(20, 90))
                pod["status"]["startTime"] = stamp(at - timedelta(days=9))
                scene.world.put(restarted(pod, scene.draw.randint(1, 9), at, 137, "OOMKilled"))


@trap(DOOMED)
def one_restart_at_start(scene: Scene) -> None:
    """A new pod lost the race with its mesh proxy once, restarted, and has been ready ever since."""
    component = scene.victim()
    pod = scene.draw.choice(scene.pods(component))
    at = scene.world.rollout_at + timedelta(seconds=25)
    scene.world.put(well_again(restarted(pod, 1, at), at + timedelta(seconds=5)))


@trap("infra.images.tag", softens=("infra.images.debug",))
def ephemeral_debug_container(scene: Scene) -> None:
    """Somebody attached a debug container to a pod, and it has ended badly."""
    pod = scene.draw.choice(scene.pods(scene.victim()))
    image = "europe-docker.pkg.dev/northgate-prod/mirror/netshoot:v0.13"
    pod["spec"]["ephemeralContainers"] = [{"name": "debugger-7x2kq", "image": image, "stdin": True, "tty": True}]
    over = {"exitCode": 130, "reason": "Error", "startedAt": stamp(scene.ago(170)), "finishedAt": stamp(scene.ago(80))}
    status: Obj = {
        "name": "debugger-7x2kq",
        "image": image,
        "imageID": f"{image.rpartition(':')[0]}@sha256:{'7e' * 32}",
    }
    status |= {"ready": False, "restartCount": 0, "lastState": {}, "state": {"terminated": over}}
    pod["status"]["ephemeralContainerStatuses"] = [status]
    scene.world.put(pod)


@trap(READY)
def benign_warning_events(scene: Scene) -> None:
    """Warnings of an ordinary rollout: probes that failed at start, a volume that was late, a busy scheduler."""
    started_s = (scene.world.now - scene.world.rollout_at).total_seconds() - 20
    for component in scene.components("Deployment"):
        pod = scene.pods(component)[0]
        said = "Readiness probe failed: dial tcp 10.8.3.14:8000: connect: connection refused"
        scene.world.note(pod, "Unhealthy", said, warning=True, count=scene.draw.randint(1, 3), ago_s=started_s)
        said = 'MountVolume.SetUp failed for volume "config": failed to sync configmap cache: timed out waiting'
        scene.world.note(pod, "FailedMount", said, warning=True, ago_s=235)
        scene.world.note(pod, "FailedScheduling", scene.no_node_has_room, warning=True, ago_s=238)


def _twin(scene: Scene, pod: Obj, suffix: str) -> Obj:
    made = twin(pod, scene.world, suffix)
    made["metadata"]["creationTimestamp"] = pod["metadata"]["creationTimestamp"]
    return made
