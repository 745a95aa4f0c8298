"""Old and harmless things that a cluster in production is full of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rehearsal.pods import evicted, pod, restarted

if TYPE_CHECKING:
    from random import Random

    from rehearsal.world import World


def noise(world: World) -> None:
    """Store leftovers of evictions, restarts from long before the rollout, and events of an ordinary rollout."""
    draw = world.chance.draw("noise")
    for name, component in world.environment.components.items():
        if component.kind == "Deployment":
            rolled_out(world, name)
            if draw.random() < 0.25:
                leftover(world, name, draw)
        elif component.kind in ("StatefulSet", "DaemonSet") and draw.random() < 0.5:
            old_restart(world, name, draw)


def leftover(world: World, name: str, draw: Random) -> None:
    """A pod of the old revision that was evicted some hours ago and never cleaned up."""
    owned = [o for o in world.all("ReplicaSet") if o["metadata"]["ownerReferences"][0]["name"] == name]
    oldest = min(owned, key=lambda each: each["metadata"]["creationTimestamp"])
    if oldest["spec"]["replicas"]:
        return
    at = world.rollout_at - timedelta(hours=draw.randint(3, 90))
    ending = world.chance.suffix(5, "evicted", oldest["metadata"]["uid"])
    made = pod(world, f"{oldest['metadata']['name']}-{ending}", oldest["spec"]["template"], oldest, at)
    world.put(evicted(made, at))


def old_restart(world: World, name: str, draw: Random) -> None:
    """A pod that restarted days before the rollout."""
    pods = world.pods_of(name)
    at = world.rollout_at - timedelta(hours=draw.randint(20, 100))
    world.put(restarted(draw.choice(pods), draw.randint(1, 4), at))


def rolled_out(world: World, name: str) -> None:
    """What the controllers and the kubelet say while a rollout goes well."""
    for each in world.pods_of(name):
        node, called = each["spec"]["nodeName"], each["metadata"]["name"]
        ago = (world.now - world.rollout_at).total_seconds()
        draw = world.chance.draw("events", each["metadata"]["uid"])
        world.note(
            each, "Scheduled", f"Successfully assigned {each['metadata']['namespace']}/{called} to {node}", ago_s=ago
        )
        image = each["spec"]["containers"][0]["image"]
        world.note(each, "Pulled", f'Container image "{image}" already present on machine', ago_s=ago - 3)
        world.note(each, "Started", f"Started container {each['spec']['containers'][0]['name']}", ago_s=ago - 4)
        if draw.random() < 0.3:
            said = f"Readiness probe failed: dial tcp {each['status']['podIP']}:8000: connect: connection refused"
            world.note(each, "Unhealthy", said, warning=True, count=draw.randint(1, 3), ago_s=ago - 9)
