"""Rollouts that look unfinished and are not, or that finish while one watches."""

from __future__ import annotations

import copy
from datetime import timedelta

from postdeploy.environment import Component
from rehearsal.builders import earlier, stamp
from rehearsal.entry import trap
from rehearsal.faults_rollout import never_answers, older_revision
from rehearsal.kinds import Obj
from rehearsal.pods import terminating
from rehearsal.recount import is_ready, newest_replicaset, replicasets
from rehearsal.scene import Scene
from rehearsal.workloads import replica_pods, replicaset
from rehearsal.world import World
from rehearsal.wounds import ready_again

COMPLETE = "infra.rollout.complete"
OLD_PODS = "infra.rollout.old-pods"
SOON_S = 2.0
"""When motion ends: late enough to be seen moving, early enough to be waited for."""


@trap("infra.rollout.scale")
def scaled_above_by_hpa(scene: Scene) -> None:
    """An autoscaler runs three replicas more than the file declares."""
    component = scene.victim(at_least=2)
    owner = scene.owner(component)
    newest = newest_replicaset(scene.world, owner)
    wanted = component.replicas + 3
    owner["spec"]["replicas"] = newest["spec"]["replicas"] = wanted
    _top_up(scene, component, newest)
    scene.recount(component)
    for scaler in scene.world.all("HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] == component.name:
            scaler["spec"]["maxReplicas"] = max(scaler["spec"]["maxReplicas"], wanted + 2)
            scaler["status"] |= {"currentReplicas": wanted, "desiredReplicas": wanted}
            scene.world.put(scaler)


@trap(COMPLETE)
def surge_settles(scene: Scene) -> None:
    """One old pod is still up at the first look, and is scaled down a moment later."""
    component = scene.victim(at_least=2)
    scene.revive(component, 1)
    scene.recount(component)
    scene.world.later(SOON_S, lambda: _finish(scene, component))


@trap(COMPLETE)
def slow_rollout_converges(scene: Scene) -> None:
    """Half of the rollout is still to come at the first look, and its pods take their time to be ready."""
    component = scene.victim(at_least=2)
    for pod in scene.half_way(component):
        never_answers(scene, pod, component.name)
    scene.recount(component)
    scene.world.later(SOON_S, lambda: _finish(scene, component))


@trap(OLD_PODS)
def old_pods_drain(scene: Scene) -> None:
    """Old workers are terminating within their grace period while they finish a task, and go."""
    component = scene.victim(at_least=2)
    old = scene.revive(component, 1)
    for replica in replicasets(scene.world, scene.owner(component)):
        if replica is not newest_replicaset(scene.world, scene.owner(component)):
            replica["spec"]["replicas"] = 0
    for pod in old:
        scene.world.put(terminating(pod, scene.ago(5)))
    owner = scene.recount(component)
    owner["status"]["terminatingReplicas"] = len(old)
    scene.world.put(owner)
    scene.world.later(SOON_S, lambda: _finish(scene, component))


@trap(COMPLETE)
def no_op_deploy(scene: Scene) -> None:
    """The release has been live for days: nothing was rolled out, and nothing had to be."""
    world = scene.world
    before = World.build(
        world.environment, world.release, world.seed, world.now - timedelta(days=scene.draw.randint(2, 6))
    )
    declared = world.environment.components.values()
    scene.take_from(before, [each for each in declared if each.tag is None and each.kind != "CronJob"])
    for event in [each for each in world.all("Event") if each["reason"] == "Unhealthy"]:
        world.remove(event)  # no pod started in these days


@trap(COMPLETE)
def progress_deadline_recovered(scene: Scene) -> None:
    """The rollout missed its progress deadline, and then the cluster grew and it finished."""
    component = scene.victim(at_least=2)
    owner = scene.owner(component)
    owner["spec"]["progressDeadlineSeconds"] = 120
    scene.world.put(owner)
    said = f'ReplicaSet "{newest_replicaset(scene.world, owner)["metadata"]["name"]}" has timed out progressing.'
    scene.world.note(owner, "ProgressDeadlineExceeded", said, warning=True, ago_s=90)
    for pod in scene.pods(component)[:1]:
        said = scene.no_node_has_room
        scene.world.note(pod, "FailedScheduling", said, warning=True, count=6, ago_s=200)


@trap(OLD_PODS)
def old_replicasets_kept(scene: Scene) -> None:
    """Ten old revisions are kept at zero replicas; one is younger than the current one, for it was rolled back."""
    component = scene.victim()
    owner = scene.owner(component)
    number = 70
    for replica in [each for each in replicasets(scene.world, owner) if not each["spec"]["replicas"]]:
        scene.world.remove(replica)
    for age in range(1, 11):
        tag = earlier(scene.world.release, 2 + age)
        replicaset(
            scene.world, component, owner, tag, scene.world.previous_at - timedelta(days=7 * age), 0, number - age
        )
    younger = replicaset(scene.world, component, owner, scene.previous, scene.ago(240), 0, number)
    newest = newest_replicaset(scene.world, owner)
    younger["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(number)
    for each in (newest, owner):
        each["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(number + 1)
        scene.world.put(each)


@trap(OLD_PODS)
def restarted_by_hand(scene: Scene) -> None:
    """`kubectl rollout restart` after the release: the revision before this one carries the same tag."""
    component = scene.victim()
    owner = scene.owner(component)
    newest = newest_replicaset(scene.world, owner)
    for each in (owner, newest):
        notes = each["spec"]["template"]["metadata"].setdefault("annotations", {})
        notes["kubectl.kubernetes.io/restartedAt"] = stamp(scene.world.rollout_at)
        scene.world.put(each)
    for replica in replicasets(scene.world, owner):
        if replica is not newest:
            replica["spec"]["template"]["spec"] = copy.deepcopy(newest["spec"]["template"]["spec"])
            scene.world.put(replica)


@trap(COMPLETE)
def ondelete_current_revision_behind(scene: Scene) -> None:
    """All pods of an OnDelete StatefulSet were replaced, and the controller never moves currentRevision on."""
    component = next(each for each in scene.components("StatefulSet") if each.update_strategy == "OnDelete")
    old = older_revision(scene, component)
    owner = scene.owner(component)
    owner["status"]["currentRevision"] = old
    owner["status"].pop("currentReplicas", None)
    scene.world.put(owner)


@trap(COMPLETE)
def counters_of_an_old_server(scene: Scene) -> None:
    """An older API server: no terminatingReplicas, and StatefulSets count no availableReplicas."""
    for kind in ("Deployment", "StatefulSet"):
        for owner in scene.world.all(kind):
            owner["status"].pop("terminatingReplicas", None)
            if kind == "StatefulSet":
                owner["status"].pop("availableReplicas", None)
            scene.world.put(owner)


def _finish(scene: Scene, component: Component) -> None:
    """Let the rollout end well: old pods go, new ones are there and ready."""
    owner = scene.owner(component)
    newest = newest_replicaset(scene.world, owner)
    for pod in scene.world.pods_of(component.name, leftovers=True):
        if pod["status"]["phase"] != "Running":
            continue
        if pod["metadata"]["ownerReferences"][0]["uid"] != newest["metadata"]["uid"]:
            scene.world.remove(pod)
        elif not is_ready(pod):
            scene.world.put(ready_again(pod, scene.world.now))
    for replica in replicasets(scene.world, owner):
        replica["spec"]["replicas"] = component.replicas if replica is newest else 0
    _top_up(scene, component, newest)
    scene.recount(component, since=scene.world.now)


def _top_up(scene: Scene, component: Component, newest: Obj) -> None:
    """Ready pods, until the revision has as many as it wants."""
    wanted = newest["spec"]["replicas"]
    uid = newest["metadata"]["uid"]
    have = [each for each in scene.pods(component) if each["metadata"]["ownerReferences"][0]["uid"] == uid]
    kept = {each["metadata"]["name"]: copy.deepcopy(each) for each in have}
    if len(have) < wanted:
        replica_pods(scene.world, component, newest, wanted, scene.world.rollout_at)
        for pod in scene.pods(component)[wanted:]:
            if pod["metadata"]["name"] not in kept:
                scene.world.remove(pod)
