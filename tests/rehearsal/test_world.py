"""What a healthy environment looks like, for every seed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from postdeploy.environment import load
from rehearsal.batch import slots
from rehearsal.builders import PROXY, SECRET, digest, earlier
from rehearsal.kinds import KINDS
from rehearsal.world import World

RELEASE = "v2026.47.1"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEEDS = range(8)


def build(environment, seed):
    return World.build(environment, RELEASE, seed, NOW)


def documents(world):
    return [json.dumps(each, sort_keys=True) for kind in KINDS for each in world.all(kind.name)]


def test_a_seed_always_builds_the_same_world(environment):
    assert documents(build(environment, 3)) == documents(build(environment, 3))


def test_the_hour_changes_no_name_but_those_of_scheduled_jobs(environment):
    one, other = build(environment, 3), World.build(environment, RELEASE, 3, NOW + timedelta(hours=7))
    names = [
        [(kind, name) for kind, _, name in world.objects if kind in ("ReplicaSet", "Node")] for world in (one, other)
    ]
    pods = [[each["metadata"]["name"] for each in world.pods_of("crm-web")] for world in (one, other)]
    assert names[0] == names[1]
    assert pods[0] == pods[1]


def test_two_seeds_differ_in_names_order_and_times(environment):
    one, other = build(environment, 1), build(environment, 2)
    names = [{each["metadata"]["name"] for each in world.pods_of("crm-web")} for world in (one, other)]
    order = [[each["metadata"]["name"] for each in world.all("Deployment")] for world in (one, other)]
    assert not names[0] & names[1]
    assert sorted(order[0]) == sorted(order[1])
    assert order[0] != order[1]
    assert one.rollout_at != other.rollout_at


@pytest.mark.parametrize("seed", SEEDS)
def test_every_owner_exists_under_its_uid(environment, seed):
    world = build(environment, seed)
    known = {each["metadata"]["uid"] for each in world.objects.values()}
    owners = [o for each in world.objects.values() for o in each["metadata"].get("ownerReferences", [])]
    assert {each["uid"] for each in owners} <= known


@pytest.mark.parametrize("seed", SEEDS)
def test_names_and_uids_are_unique(environment, seed):
    world = build(environment, seed)
    assert len({each["metadata"]["uid"] for each in world.objects.values()}) == len(world.objects)


@pytest.mark.parametrize("name", ["uk-prod", "cy-prod", "za-prod", "stage"])
def test_every_declared_component_is_there_with_its_pods(name):
    environment = load(name)
    world = build(environment, 5)
    for component in environment.components.values():
        assert world.of_component(component.name)
        if component.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            assert len(world.pods_of(component.name)) == component.replicas


@pytest.mark.parametrize("seed", SEEDS)
def test_living_pods_of_the_release_run_it(environment, seed):
    world = build(environment, seed)
    for component in environment.components.values():
        if component.kind == "Deployment":
            images = {c["image"] for pod in world.pods_of(component.name) for c in pod["spec"]["containers"]}
            assert images - {PROXY} == {f"{component.image}:{RELEASE}"}


def test_one_tag_has_one_digest_in_every_environment_and_seed():
    seen = {
        status["imageID"]
        for name, seed in (("uk-prod", 1), ("hk-prod", 2))
        for pod in build(load(name), seed).pods_of("crm-web")
        for status in pod["status"]["containerStatuses"]
        if status["name"] == "crm-web"
    }
    image = load("uk-prod").components["crm-web"].image
    assert seen == {f"{image}@{digest(image, RELEASE)}"}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mesh_injects_what_no_template_names(environment, seed):
    world = build(environment, seed)
    pod = world.pods_of("crm-web")[0]
    declared = world.of_component("crm-web")["spec"]["template"]["spec"]["initContainers"]
    found = {each["name"]: each.get("restartPolicy") for each in pod["spec"]["initContainers"]}
    assert found == {"istio-init": None, "istio-proxy": "Always", "wait-for-db": None}
    assert [each["name"] for each in declared] == ["wait-for-db"]


def test_every_container_carries_the_canary_secret(world):
    assert all(SECRET in json.dumps(pod["spec"]["containers"]) for pod in world.all("Pod"))


def test_the_migration_is_of_this_release_and_has_its_pod(environment):
    world = build(environment, 4)
    job = world.of_component("crm-migrate")
    assert job["spec"]["template"]["spec"]["containers"][0]["image"].endswith(RELEASE)
    assert "Succeeded" in [each["status"]["phase"] for each in world.pods_of("crm-migrate")]


def test_an_on_delete_statefulset_keeps_its_old_current_revision(environment):
    """With OnDelete the controller never updates currentRevision (kubernetes#73492)."""
    world = build(environment, 1)
    status = world.of_component("pg-ledger")["status"]
    hashes = {each["metadata"]["labels"]["controller-revision-hash"] for each in world.pods_of("pg-ledger")}
    assert hashes == {status["updateRevision"]}
    assert status["currentRevision"] != status["updateRevision"]


def test_some_seed_has_each_kind_of_noise(environment):
    worlds = [build(environment, seed) for seed in SEEDS]
    pods = [each for world in worlds for each in world.all("Pod")]
    assert any(each["status"].get("reason") == "Evicted" for each in pods)
    assert any(s["restartCount"] for each in pods for s in each["status"].get("containerStatuses", []))
    assert any(world.of_component("crm-migrate")["status"].get("failed") for world in worlds)


def test_an_unknown_kind_is_refused(world):
    with pytest.raises(KeyError, match="serves no Gadget"):
        world.put({"kind": "Gadget", "metadata": {"name": "x"}})


def test_an_ambiguous_name_is_refused(world):
    with pytest.raises(KeyError, match="0 objects Pod/nothing"):
        world.get("Pod", "nothing")


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        ("*/15 * * * *", ["22T12:00", "22T11:45"]),
        ("10 * * * *", ["22T11:10", "22T10:10"]),
        ("30 5 * * *", ["22T05:30", "21T05:30"]),
        ("0 22 * * 1-5", ["20T22:00", "19T22:00"]),
    ],
)
def test_cron_schedules_were_due_at_their_slots(schedule, wanted):
    assert [f"{each:%dT%H:%M}" for each in slots(schedule, NOW, 2)] == wanted


@pytest.mark.parametrize(
    ("release", "steps", "wanted"),
    [("v2026.47.1", 1, "v2026.47.0"), ("v2026.47.1", 2, "v2026.45.2"), ("candidate", 1, "candidate-before1")],
)
def test_an_earlier_release_is_another_tag(release, steps, wanted):
    assert earlier(release, steps) == wanted


def test_what_is_put_off_until_the_hold_happens_once_and_is_in_the_history(world):
    pod = world.all("Pod")[0]
    world.in_hold(lambda: world.put(pod))
    assert world.history == []
    world.hold_begins()
    world.hold_begins()
    assert [change.object["metadata"]["name"] for change in world.history] == [pod["metadata"]["name"]]


def test_history_keeps_each_state_of_a_pod_that_changes_twice_in_the_hold(world):
    pod = world.all("Pod")[0]

    def act():
        for phase in ("Pending", "Running"):
            pod["status"]["phase"] = phase
            world.put(pod)

    world.in_hold(act)
    world.hold_begins()
    assert [change.object["status"]["phase"] for change in world.history] == ["Pending", "Running"]
