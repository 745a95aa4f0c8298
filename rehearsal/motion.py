"""Rollouts that are still in motion when the stand-in begins to serve, and converge while it is watched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from postdeploy.environment import Component
from rehearsal.kinds import Obj
from rehearsal.pods import not_ready, terminating
from rehearsal.recount import is_ready, newest_replicaset, recount, replicasets, share
from rehearsal.surroundings import refresh_endpoints
from rehearsal.workloads import replica_pods
from rehearsal.world import World

REVISION = "deployment.kubernetes.io/revision"


def begin(world: World, seconds: float) -> list[str]:
    """Take some finished rollouts back to their beginning and let them end within so many seconds; which they are."""
    draw = world.chance.draw("motion")
    able = sorted(name for name in world.environment.components if _can_move(world, name))
    chosen = draw.sample(able, min(len(able), draw.randint(2, 5)))
    for number, name in enumerate(chosen):
        rollout = Rollout(world, world.environment.components[name])
        steps = rollout.steps()[0 if number == 0 else draw.randint(0, 2) :]
        steps[0]()
        # The first one takes the whole time, so that there is something to wait for.
        last = seconds if number == 0 else seconds * draw.uniform(0.3, 1)
        for place, step in enumerate(steps[1:], 1):
            world.later(last * place / (len(steps) - 1), step)
    return chosen


def _can_move(world: World, name: str) -> bool:
    """Whether a component is a Deployment that finished its rollout: what a fault has touched stays as it is."""
    component = world.environment.components[name]
    if component.kind != "Deployment" or component.update_strategy != "RollingUpdate":
        return False
    try:
        owner = world.of_component(name)
        old = len(replicasets(world, owner)) > 1 and newest_replicaset(world, owner)
    except (KeyError, StopIteration):
        return False
    wanted, status = owner["spec"]["replicas"], owner["status"]
    counts = [status.get(each) for each in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    observed = status.get("observedGeneration") == owner["metadata"]["generation"]
    pods = world.pods_of(name)
    healthy = bool(old) and len(pods) == wanted and all(map(is_ready, pods)) and not owner["spec"].get("paused")
    return healthy and observed and wanted > 0 and counts == [wanted] * 4


class Rollout:
    """One Deployment on its way from the previous revision to the current one."""

    def __init__(self, world: World, component: Component) -> None:
        self.world, self.component = world, component
        self.owner = world.of_component(component.name)
        self.revision = self.owner["metadata"]["annotations"][REVISION]
        self.new = newest_replicaset(world, self.owner)
        kept = [each for each in replicasets(world, self.owner) if each is not self.new]
        self.old = max(kept, key=lambda each: int(each["metadata"]["annotations"][REVISION]))
        self.pods = sorted(world.pods_of(component.name), key=lambda each: str(each["metadata"]["name"]))
        self.count = len(self.pods)
        self.before = replica_pods(world, component, self.old, self.count, world.previous_at)

    def steps(self) -> list[Callable[[], object]]:
        """What is seen one after another; the last one is the healthy end."""
        some = max(self.count // 3, 1)
        surge = share(self.owner, "maxSurge", up=True)
        more = min(some + surge, self.count)
        return [
            self.unobserved,
            partial(self.show, new=surge, ready=0, old=self.count),
            partial(self.show, new=more, ready=some, old=max(self.count - some, 1), leaving=some - 1),
            # Kubernetes does not count terminating pods: by its counters the rollout is complete here.
            partial(self.show, new=self.count, ready=self.count, old=0, leaving=some),
            partial(self.show, new=self.count, ready=self.count, old=0),
        ]

    def unobserved(self) -> None:
        """The new template is written, no controller has seen it: every counter still speaks of the old one."""
        self.owner["metadata"]["annotations"][REVISION] = self.old["metadata"]["annotations"][REVISION]
        self._place(new=0, ready=0, old=self.count, leaving=0)
        self.world.remove(self.new)
        self._count()
        self.owner["status"]["observedGeneration"] = self.owner["metadata"]["generation"] - 1
        self.world.put(self.owner)

    def show(self, *, new: int, ready: int, old: int, leaving: int = 0) -> None:
        """So many new pods, so many of them ready, beside so many old ones and others that are leaving."""
        self.owner["metadata"]["annotations"][REVISION] = self.revision
        self.owner["status"]["observedGeneration"] = self.owner["metadata"]["generation"]
        self.world.put(self.new)
        self._place(new=new, ready=ready, old=old, leaving=leaving)
        self._count()

    def _place(self, *, new: int, ready: int, old: int, leaving: int) -> None:
        now = datetime.now(UTC)
        for number, pod in enumerate(self.pods):
            seen = pod if number < ready else not_ready(copy.deepcopy(pod))
            self._keep(seen, stays=number < new)
        for number, pod in enumerate(self.before):
            seen = pod if number < old else terminating(copy.deepcopy(pod), now)
            self._keep(seen, stays=number < old + leaving)
        self.new["spec"]["replicas"], self.old["spec"]["replicas"] = new, old

    def _keep(self, pod: Obj, *, stays: bool) -> None:
        (self.world.put if stays else self.world.remove)(pod)

    def _count(self) -> None:
        recount(self.world, self.owner, datetime.now(UTC))
        refresh_endpoints(self.world, self.component)
