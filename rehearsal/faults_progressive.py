"""Faults of progressive delivery: the new revision was turned back, and the old one serves in good health."""

from __future__ import annotations

from rehearsal.builders import stamp
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.recount import owned
from rehearsal.scene import Scene
from rehearsal.surroundings import refresh_endpoints
from rehearsal.workloads import condition, replica_pods

PROGRESSIVE = "infra.progressive.rollout"


@fault(PROGRESSIVE, only_in="stage")
def rollout_aborted(scene: Scene) -> None:
    """An analysis failed and Argo aborted the Rollout: its old revision serves, in perfect health."""
    seen = _turned_back(scene)
    said = 'Rollout aborted update to revision 12: metric "error-rate" assessed Failed due to failed (2) > limit (1)'
    seen["status"] |= {"abort": True, "abortedAt": stamp(scene.ago(200)), "phase": "Degraded"}
    seen["status"] |= {"message": f"RolloutAborted: {said}"}
    progressing = condition("Progressing", "False", "RolloutAborted", said, scene.ago(200))
    seen["status"]["conditions"] = [e for e in seen["status"]["conditions"] if e["type"] != "Progressing"]
    seen["status"]["conditions"].append(progressing)
    scene.world.put(seen)


@fault(PROGRESSIVE, only_in="stage")
def rollout_waits_for_promotion(scene: Scene) -> None:
    """The new revision stands in preview and waits for somebody to promote it."""
    seen = _turned_back(scene)
    reason = {"reason": "BlueGreenPause", "startTime": stamp(scene.ago(240))}
    seen["status"] |= {"phase": "Paused", "message": "BlueGreenPause", "controllerPause": True}
    seen["status"] |= {"pauseConditions": [reason]}
    scene.world.put(seen)


@fault(PROGRESSIVE, only_in="stage")
def canary_failed(scene: Scene) -> None:
    """Flagger halted the advancement and turned the Canary back: the primary serves the release before."""
    component = next(e for e in scene.world.environment.components.values() if e.progressive == "canary")
    before = scene.before()
    name = f"{component.name}-primary"
    for obj in [e for e in scene.world.objects.values() if _is_of(e, name)]:
        scene.world.remove(obj)
    for obj in [e for e in before.objects.values() if _is_of(e, name)]:
        scene.world.put(obj)
    seen = scene.world.get("Canary", component.name, component.namespace)
    seen["status"] |= {"phase": "Failed", "failedChecks": 6}
    seen["status"]["lastPromotedSpec"] = before.get("Canary", component.name)["status"]["lastPromotedSpec"]
    said = "Canary analysis failed, Deployment scaled to zero."
    seen["status"]["conditions"] = [condition("Promoted", "False", "Failed", said, scene.ago(90))]
    scene.world.put(seen)


def _turned_back(scene: Scene) -> Obj:
    """A Rollout whose stable and active revision is that of the release before."""
    component = next(e for e in scene.world.environment.components.values() if e.progressive == "rollout")
    before = scene.before()
    old = before.get("Rollout", component.name)["status"]["stableRS"]
    seen, count = scene.world.get("Rollout", component.name), component.replicas
    for each in owned(scene.world, "ReplicaSet", seen):
        code = each["metadata"]["labels"]["pod-template-hash"]
        for pod in owned(scene.world, "Pod", each):
            scene.world.remove(pod)
        each["spec"]["replicas"] = count if code == old else 0
        each["status"] = {"observedGeneration": each["metadata"]["generation"], "replicas": each["spec"]["replicas"]}
        if code == old:
            each["status"] |= dict.fromkeys(("readyReplicas", "availableReplicas"), count)
            replica_pods(scene.world, component, each, count, scene.world.previous_at)
        scene.world.put(each)
    refresh_endpoints(scene.world, component)
    seen["status"] |= {"stableRS": old, "blueGreen": {"activeSelector": old, "previewSelector": old}}
    return seen | {"status": seen["status"] | {"updatedReplicas": 0}}


def _is_of(obj: Obj, name: str) -> bool:
    return bool(obj["metadata"].get("labels", {}).get("app.kubernetes.io/name") == name)
