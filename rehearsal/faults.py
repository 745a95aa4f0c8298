"""Breaks a rehearsal on request, and puts what is odd but healthy into it."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.brokerage import Brokerage
from rehearsal.catalogue import UnknownFault, find
from rehearsal.scene import Scene
from rehearsal.world import World

__all__ = ["UnknownFault", "apply"]


def apply(names: Sequence[str], world: World, brokerage: Brokerage) -> None:
    """Apply faults and traps in the order given; an unknown name raises before anything is changed."""
    entries = [find(name, world.environment.name) for name in names]
    for entry in entries:
        entry.act(Scene(world, brokerage, entry.name))
