"""Authorizers that are odd, and grant what is needed."""

from __future__ import annotations

from rehearsal.entry import trap
from rehearsal.rbac import READS, Rule
from rehearsal.scene import Scene


@trap("infra.access.read")
def rules_review_incomplete(scene: Scene) -> None:
    """A cloud's IAM decides and cannot enumerate its rules: the rules review lists next to nothing, as incomplete."""
    scene.world.settings.rules_incomplete = True


@trap("infra.access.read")
def rules_by_wildcard(scene: Scene) -> None:
    """The rights are written as wildcards over whole groups, secrets left out, and no rule names what it grants."""
    granted = scene.world.settings.in_force
    groups = dict.fromkeys(group for rule in granted for group in rule.groups if group)
    core = [rule for rule in granted if "" in rule.groups]
    scene.world.settings.rbac = (*core, Rule(READS, tuple(groups), ("*",)))
