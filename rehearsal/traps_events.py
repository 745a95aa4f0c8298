"""Warnings that no longer mean anything, or never did."""

from __future__ import annotations

from datetime import timedelta

from rehearsal.builders import stamp
from rehearsal.entry import trap
from rehearsal.kinds import Obj
from rehearsal.scene import Scene, twin

WARNINGS = "infra.events.warnings"


def _before(scene: Scene, seconds: float) -> float:
    """Seconds ago that were so long before the rollout."""
    return (scene.world.now - scene.world.rollout_at).total_seconds() + seconds


@trap(WARNINGS)
def old_warnings_before_rollout(scene: Scene) -> None:
    """Half an hour before the rollout a node ran full: databases were killed, Deployments could not make pods."""
    for kind in ("StatefulSet", "Deployment"):
        for component in scene.components(kind):
            said = "Error creating: pods is forbidden: exceeded quota"
            owner = scene.owner(component)
            scene.world.note(owner, "FailedCreate", said, warning=True, count=30, ago_s=_before(scene, 1500))
    for component in scene.components("StatefulSet"):
        pod = scene.pods(component)[0]
        said = "Back-off restarting failed container"
        scene.world.note(pod, "BackOff", said, warning=True, count=12, ago_s=_before(scene, 1300))


@trap(WARNINGS)
def events_without_last_timestamp(scene: Scene) -> None:
    """The scheduler writes events of the newer API: lastTimestamp is null and the count is in a series, or nowhere."""
    for number, component in enumerate(scene.components("Deployment")):
        pod = scene.pods(component)[0]
        made = scene.world.note(pod, "FailedScheduling", scene.no_node_has_room, warning=True, ago_s=235)
        made |= {
            "firstTimestamp": None,
            "lastTimestamp": None,
            "count": None,
            "reportingComponent": "default-scheduler",
        }
        made["eventTime"] = stamp(scene.ago(238)).replace("Z", ".123456Z")
        if number % 2:
            seen = stamp(scene.ago(230)).replace("Z", ".654321Z")
            made["series"] = {"count": 7, "lastObservedTime": seen}
        scene.world.put(made)
    old = _of_old_pod(scene, "BackOff", "Back-off restarting failed container")
    old |= {"firstTimestamp": None, "lastTimestamp": None, "count": None}
    old["eventTime"] = stamp(scene.world.rollout_at - timedelta(minutes=9)).replace("Z", ".000001Z")
    scene.world.put(old)


@trap(WARNINGS)
def failed_scheduling_resolved(scene: Scene) -> None:
    """New pods found no room until the cluster had grown by a node; by now all of them run."""
    component = scene.victim(at_least=2)
    for pod in scene.pods(component):
        said = scene.no_node_has_room
        scene.world.note(pod, "FailedScheduling", said, warning=True, count=scene.draw.randint(9, 30), ago_s=95)
        said = 'MountVolume.SetUp failed for volume "config": failed to sync configmap cache: timed out waiting'
        scene.world.note(pod, "FailedMount", said, warning=True, count=12, ago_s=90)


@trap(WARNINGS)
def nodes_that_start_and_old_trouble(scene: Scene) -> None:
    """The autoscaler's new nodes complain while they start, and another one was out of memory before the rollout."""
    for node in scene.world.all("Node"):
        said = "invalid capacity 0 on image filesystem"
        scene.world.note(node, "InvalidDiskCapacity", said, warning=True, ago_s=100)
    said = "System OOM encountered, victim process: python, pid: 977"
    scene.world.note(scene.world.all("Node")[0], "SystemOOM", said, warning=True, ago_s=_before(scene, 900))


@trap(WARNINGS)
def warnings_of_pods_that_are_gone(scene: Scene) -> None:
    """Old workers failed their probes and their pre-stop hook while they were shut down; nothing of them is left."""
    for component in scene.components("Deployment"):
        gone = twin(scene.pods(component)[0], scene.world, "was00")
        for reason, said in (
            ("Unhealthy", "Liveness probe failed: Get http://10.8.1.9:8000/live: context deadline exceeded"),
            ("FailedPreStopHook", "PreStopHook failed"),
            ("BackOff", "Back-off restarting failed container"),
        ):
            scene.world.note(gone, reason, said, warning=True, count=9, ago_s=40)


@trap(WARNINGS)
def controllers_catching_up(scene: Scene) -> None:
    """The endpoint and the autoscaling controller stumble over their own speed in the first minute."""
    for service in scene.world.all("Service"):
        said = "Error updating Endpoint Slices for Service: failed to update slice: the object has been modified"
        scene.world.note(
            service, "FailedToUpdateEndpointSlices", said, warning=True, count=2, ago_s=_before(scene, -30)
        )
    for scaler in scene.world.all("HorizontalPodAutoscaler"):
        said = "failed to get cpu utilization: did not receive metrics for any ready pods"
        scene.world.note(scaler, "FailedGetResourceMetric", said, warning=True, count=4, ago_s=_before(scene, -50))


def _of_old_pod(scene: Scene, reason: str, said: str) -> Obj:
    gone = twin(scene.pods(scene.victim())[0], scene.world, "past0")
    return scene.world.note(gone, reason, said, warning=True, count=3, ago_s=_before(scene, 500))
