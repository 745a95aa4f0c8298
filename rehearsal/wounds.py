"""What can be wrong with one pod: its container statuses, conditions and phase, as a kubelet would write them."""

from __future__ import annotations

from datetime import datetime, timedelta

from rehearsal.builders import stamp
from rehearsal.kinds import Obj
from rehearsal.scene import statuses


def status_of(pod: Obj, container: str) -> Obj:
    """The status of one container of a pod, init containers included."""
    return next(each for each in statuses(pod) if each["name"] == container)


def waits(pod: Obj, container: str, reason: str, message: str, at: datetime) -> Obj:
    """A container that cannot run: nothing of it is ready, and the pod says so."""
    status = status_of(pod, container)
    status |= {"ready": False, "started": False, "state": {"waiting": {"reason": reason, "message": message}}}
    if status in pod["status"].get("initContainerStatuses", ()):
        _hold_up(pod, container, at)
    return unready(pod, at)


def never_started(pod: Obj, container: str, reason: str, message: str, at: datetime) -> Obj:
    """A container whose image or configuration never let it start: the pod stays Pending if it is the first."""
    waits(pod, container, reason, message, at)
    status = status_of(pod, container)
    status |= {"imageID": "", "restartCount": 0, "lastState": {}}
    status.pop("containerID", None)
    pod["status"]["phase"] = "Pending"
    return pod


def crash_loops(pod: Obj, container: str, times: int, exit_code: int, reason: str, at: datetime) -> Obj:
    """A container that dies soon after each start, and waits for the next."""
    meta = pod["metadata"]
    message = (
        f"back-off 5m0s restarting failed container={container} pod={meta['name']}_{meta['namespace']}({meta['uid']})"
    )
    waits(pod, container, "CrashLoopBackOff", message, at)
    status = status_of(pod, container)
    over = {"containerID": status["containerID"], "exitCode": exit_code, "reason": reason}
    over |= {"startedAt": stamp(at - timedelta(seconds=3)), "finishedAt": stamp(at)}
    status |= {"restartCount": times, "lastState": {"terminated": over}}
    return pod


def unready(pod: Obj, at: datetime) -> Obj:
    """Let the pod's conditions follow its containers: not ready, and which of them are not."""
    names = [each["name"] for each in pod["status"]["containerStatuses"] if not each["ready"]]
    message = f"containers with unready status: [{' '.join(names)}]"
    for condition in pod["status"]["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady"):
            condition |= {"status": "False", "reason": "ContainersNotReady", "message": message}
            condition["lastTransitionTime"] = stamp(at)
    return pod


def ready_again(pod: Obj, at: datetime) -> Obj:
    """Let a pod that was not ready become so; a container that runs goes on, for a new start would be a restart."""
    for status in pod["status"]["containerStatuses"]:
        if "running" not in status.get("state", {}):
            status["state"] = {"running": {"startedAt": stamp(at)}}
    return well_again(pod, at)


def well_again(pod: Obj, at: datetime) -> Obj:
    """Let a pod whose containers run again be ready since then; what they remember of their ends stays."""
    for status in pod["status"]["containerStatuses"]:
        status |= {"ready": True, "started": True}
    for condition in pod["status"]["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady"):
            condition |= {"status": "True", "lastTransitionTime": stamp(at)}
            condition.pop("reason", None)
            condition.pop("message", None)
    return pod


def unschedulable(pod: Obj, message: str, at: datetime) -> Obj:
    """No node takes the pod, and nothing of it exists yet."""
    pod["spec"].pop("nodeName", None)
    scheduled: Obj = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    scheduled |= {"lastProbeTime": None, "lastTransitionTime": stamp(at)}
    pod["status"] = {"phase": "Pending", "conditions": [scheduled], "qosClass": "Burstable"}
    return pod


def _hold_up(pod: Obj, blocked: str, at: datetime) -> None:
    """While an init container has not finished, nothing that comes after it has started."""
    pod["status"]["phase"] = "Pending"
    inits = pod["status"]["initContainerStatuses"]
    after = inits[[each["name"] for each in inits].index(blocked) + 1 :]
    for status in [*after, *pod["status"]["containerStatuses"]]:
        status |= {"ready": False, "started": False, "imageID": "", "restartCount": 0, "lastState": {}}
        status["state"] = {"waiting": {"reason": "PodInitializing"}}
        status.pop("containerID", None)
    for condition in pod["status"]["conditions"]:
        if condition["type"] == "Initialized":
            message = f"containers with incomplete status: [{blocked}]"
            condition |= {"status": "False", "reason": "ContainersNotInitialized", "message": message}
            condition["lastTransitionTime"] = stamp(at)
