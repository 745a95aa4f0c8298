"""What is told of the looks at the environment, to those who read a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Looks:
    """What the looks at the environment amounted to, in words."""

    settled: str = ""
    """How waiting for the rollout ended: 'converged after 3.2 s, 4 looks'."""
    gaps: tuple[str, ...] = ()
    """What could not be read: 'pods in crm: 403 Forbidden'."""
    notes: tuple[str, ...] = ()
    """Anything else that a reader should know of this run."""
    about: Mapping[str, str] = field(default_factory=dict)
    """More facts for the head of the page: regulator, legal entity."""
