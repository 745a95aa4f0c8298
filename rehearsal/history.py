"""The order in which an environment comes to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.batch import cronjob, migration
from rehearsal.noise import noise
from rehearsal.surroundings import flux, namespaces, nodes, scaling, services
from rehearsal.workloads import workload

if TYPE_CHECKING:
    from rehearsal.world import World


def populate(world: World) -> None:
    """Store everything the environment declares, then what surrounds it."""
    namespaces(world)
    nodes(world)
    for component in world.environment.components.values():
        make = {"CronJob": cronjob, "Job": migration}.get(component.kind, workload)
        make(world, component)
    services(world)
    scaling(world)
    flux(world)
    noise(world)
