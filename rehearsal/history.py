"""The order in which an environment comes to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.batch import cronjob, migration
from rehearsal.delivery import delivery
from rehearsal.entrances import entrances, storage_classes
from rehearsal.noise import noise
from rehearsal.progressive import progressive
from rehearsal.surroundings import namespaces, nodes, scaling, services
from rehearsal.workloads import workload

if TYPE_CHECKING:
    from rehearsal.world import World


def populate(world: World) -> None:
    """Store everything the environment declares, then what surrounds it."""
    namespaces(world)
    nodes(world)
    for component in world.environment.components.values():
        make = {"CronJob": cronjob, "Job": migration}.get(component.kind, workload)
        make = progressive if component.progressive else make
        make(world, component)
    services(world)
    scaling(world)
    entrances(world)
    storage_classes(world)
    delivery(world)
    noise(world)
