"""Where a fault or a trap happens: whom it strikes, and the larger changes that many of them start from."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import datetime, timedelta

from postdeploy.environment import Component
from rehearsal.brokerage import Brokerage
from rehearsal.builders import digest, earlier, stamp
from rehearsal.kinds import Obj
from rehearsal.recount import newest_replicaset, recount, replicasets, share
from rehearsal.surroundings import refresh_endpoints
from rehearsal.workloads import replica_pods
from rehearsal.world import World


class Scene:
    """One world and one brokerage about to be changed; draws depend on the seed and the fault's name only."""

    def __init__(self, world: World, brokerage: Brokerage, name: str) -> None:
        self.world = world
        self.brokerage = brokerage
        self.draw = world.chance.draw("fault", name)

    @property
    def previous(self) -> str:
        """The release before this one."""
        return earlier(self.world.release, 1)

    @property
    def no_node_has_room(self) -> str:
        """What the scheduler says of a pod that fits nowhere."""
        nodes = len(self.world.all("Node"))
        return f"0/{nodes} nodes are available: {nodes} Insufficient memory."

    def ago(self, seconds: float) -> datetime:
        """The cluster's time some seconds before now."""
        return self.world.now - timedelta(seconds=seconds)

    def components(self, kind: str, *, at_least: int = 1) -> list[Component]:
        """Components of a kind with enough replicas for what is to happen."""
        declared = self.world.environment.components.values()
        plain = [each for each in declared if each.progressive is None]
        return [each for each in plain if each.kind == kind and each.replicas >= at_least]

    def victim(self, kind: str = "Deployment", *, at_least: int = 1) -> Component:
        """The component that the seed picks among those of a kind."""
        return self.draw.choice(sorted(self.components(kind, at_least=at_least), key=lambda each: each.name))

    def owner(self, component: Component) -> Obj:
        """The component's own object."""
        return self.world.of_component(component.name)

    def pods(self, component: Component) -> list[Obj]:
        """The component's living pods in the order of their names."""
        return sorted(self.world.pods_of(component.name), key=lambda pod: str(pod["metadata"]["name"]))

    def recount(self, component: Component, since: datetime | None = None) -> Obj:
        """Let the controllers look at the pods as they are now: counters, conditions, endpoints."""
        found = recount(self.world, self.owner(component), since or self.ago(20))
        refresh_endpoints(self.world, component)
        return found

    def revive(self, component: Component, count: int) -> list[Obj]:
        """Ready pods of the revision before, as if its ReplicaSet had never been scaled down that far."""
        owner = self.owner(component)
        old = max(
            (each for each in replicasets(self.world, owner) if each is not newest_replicaset(self.world, owner)),
            key=lambda each: int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]),
        )
        old["spec"]["replicas"] = count
        return replica_pods(self.world, component, old, count, self.world.previous_at)

    def half_way(self, component: Component) -> list[Obj]:
        """Take a finished rollout back to where its first new pods stand beside the old ones; returns the new pods."""
        owner = self.owner(component)
        pods = self.pods(component)
        if owner["spec"]["strategy"]["type"] == "Recreate":
            return pods
        surge = share(owner, "maxSurge", up=True)
        unavailable = share(owner, "maxUnavailable", up=False)
        new = pods[: max(surge + unavailable, 1)]
        for pod in pods[len(new) :]:
            self.world.remove(pod)
        newest_replicaset(self.world, owner)["spec"]["replicas"] = len(new)
        self.revive(component, component.replicas - unavailable)
        return new

    def take_from(self, other: World, components: Iterable[Component]) -> None:
        """Replace all that belongs to some components by what another world has of them."""
        names = {each.name for each in components}
        for obj in [each for each in self.world.objects.values() if component_of(each) in names]:
            self.world.remove(obj)
        for obj in [each for each in other.objects.values() if component_of(each) in names]:
            self.world.put(obj)
        mine = {each["metadata"]["name"] for each in self.world.all("Pod") if component_of(each) in names}
        self.world.logs |= {key: lines for key, lines in other.logs.items() if key[1] in mine}

    def before(self) -> World:
        """The same environment as it would stand with the previous release live in it."""
        return World.build(self.world.environment, self.previous, self.world.seed, self.world.now)


def component_of(obj: Obj) -> str:
    """The component an object belongs to by its labels, empty for anything else."""
    return str(obj["metadata"].get("labels", {}).get("app.kubernetes.io/name", ""))


def retag(spec: Obj, image: str, tag: str, *, containers: tuple[str, ...] = ("containers", "initContainers")) -> None:
    """Let every container of a pod spec that runs an image run it at another tag."""
    for container in [each for key in containers for each in spec.get(key, ())]:
        if container["image"].startswith(f"{image}:"):
            container["image"] = f"{image}:{tag}"


def repull(pod: Obj, image: str) -> None:
    """Let the statuses of a pod say what its spec now asks for."""
    asked = {
        each["name"]: each["image"] for key in ("containers", "initContainers") for each in pod["spec"].get(key, ())
    }
    for status in statuses(pod):
        if status["image"].startswith(f"{image}:"):
            status["image"] = asked[status["name"]]
            status["imageID"] = f"{image}@{digest(image, status['image'].rpartition(':')[2])}"


def statuses(pod: Obj) -> list[Obj]:
    """All container statuses of a pod, the init containers' first."""
    return [*pod["status"].get("initContainerStatuses", ()), *pod["status"].get("containerStatuses", ())]


def twin(pod: Obj, world: World, suffix: str) -> Obj:
    """Another pod like this one, with a name and a uid of its own; not stored yet."""
    made = copy.deepcopy(pod)
    made["metadata"]["name"] = f"{pod['metadata']['name'].rpartition('-')[0]}-{suffix}"
    made["metadata"]["uid"] = world.chance.uid("twin", made["metadata"]["name"])
    made["metadata"]["creationTimestamp"] = stamp(world.rollout_at)
    return made
