"""A rollout in motion: wrong at first in ways that its own counters hide, healthy in the end."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime

import pytest

from rehearsal.motion import Rollout, begin
from rehearsal.world import World

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def play(world):
    """Let everything happen that was put off."""
    for _, act in sorted(world.pending, key=lambda each: each[0]):
        act()


def without_versions(obj):
    seen = copy.deepcopy(obj)
    seen["metadata"].pop("resourceVersion")
    for each in seen.get("status", {}).get("conditions", []):
        for key in ("lastTransitionTime", "lastUpdateTime", "message"):
            each.pop(key, None)
    seen.get("status", {}).get("conditions", []).sort(key=lambda each: each["type"])
    return json.dumps(seen, sort_keys=True)


@pytest.mark.parametrize("seed", range(6))
def test_motion_ends_in_the_healthy_world(environment, seed):
    world = World.build(environment, "v2026.47.1", seed, NOW)
    before = {without_versions(each) for each in world.objects.values() if each["kind"] in ("Pod", "Deployment")}
    begin(world, 1.0)
    play(world)
    after = {without_versions(each) for each in world.objects.values() if each["kind"] in ("Pod", "Deployment")}
    assert after == before


def test_it_ends_within_the_time_that_was_given(world):
    begin(world, 2.5)
    assert max(at for at, _ in world.pending) == 2.5


def test_seeds_move_different_components(environment):
    chosen = {tuple(begin(World.build(environment, "v2026.47.1", seed, NOW), 1.0)) for seed in range(6)}
    assert len(chosen) > 3


def test_counters_are_green_before_the_controller_has_looked(world, environment):
    Rollout(world, environment.components["crm-web"]).steps()[0]()
    owner = world.of_component("crm-web")
    assert owner["status"]["updatedReplicas"] == owner["spec"]["replicas"]
    assert owner["status"]["observedGeneration"] < owner["metadata"]["generation"]


def test_counters_are_green_while_old_pods_terminate(world, environment):
    """The controller does not count terminating pods (kubernetes#110171)."""
    Rollout(world, environment.components["crm-web"]).steps()[3]()
    status = world.of_component("crm-web")["status"]
    leaving = [each for each in world.all("Pod", "crm") if "deletionTimestamp" in each["metadata"]]
    assert leaving
    assert status["replicas"] == status["updatedReplicas"] == status["availableReplicas"] == 8


def test_what_a_fault_has_touched_does_not_move(world):
    for name in world.environment.components:
        if name.startswith("crm-") and world.environment.components[name].kind == "Deployment" and name != "crm-web":
            owner = world.of_component(name)
            owner["status"]["readyReplicas"] = 0
            world.put(owner)
    assert begin(world, 1.0) == ["crm-web"]
