"""The narrow structs keep what rules need, bear what API servers really send, and survive JSON exactly."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from postdeploy.cluster.objects import (
    KINDS,
    Gap,
    LogExcerpt,
    Pod,
    Settled,
    Snapshot,
    condition,
    decode,
    decode_page,
    read,
)
from postdeploy.cluster.objects_pods import Probe
from tests.cluster import build


def test_env_of_a_pod_never_reaches_memory():
    raw = build.pod()
    raw["spec"]["containers"][0]["env"] = [{"name": "DATABASE_PASSWORD", "value": "hunter2"}]
    raw["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}
    assert b"hunter2" not in msgspec.json.encode(build.seen(raw))


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("EndpointSlice", {"metadata": {"name": "a"}, "endpoints": None, "ports": None}),
        ("Deployment", {"metadata": {"name": "a", "labels": None}, "spec": {"replicas": None}, "status": None}),
        ("Pod", {"metadata": {"name": "a"}, "status": {"containerStatuses": None, "conditions": None}}),
        ("Job", {"metadata": {"name": "a", "ownerReferences": None}, "status": {"active": None}}),
        ("Event", {"lastTimestamp": None, "count": None, "series": None, "metadata": {"creationTimestamp": None}}),
    ],
)
def test_null_means_absent(kind, raw):
    assert decode(kind, json.dumps(raw).encode()) == read(kind, raw)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_bears_an_empty_object(kind):
    assert decode(kind, b"{}").metadata.name == ""


def test_numbers_may_come_as_text():
    assert decode("Deployment", b'{"spec": {"replicas": "3"}}').spec.replicas == 3


def test_moments_are_aware():
    found = decode("Pod", b'{"metadata": {"creationTimestamp": "2026-11-20T10:00:00Z"}}')
    assert found.metadata.creation_timestamp == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_moments_that_yaml_has_already_read_are_taken_as_utc():
    found = read("Pod", {"metadata": {"creationTimestamp": datetime(2026, 11, 20, 10)}})  # noqa: DTZ001
    assert found.metadata.creation_timestamp == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_what_is_no_object_is_refused():
    with pytest.raises(msgspec.ValidationError):
        decode("Pod", b'{"spec": {"containers": "many"}}')


def test_snapshot_is_exact_through_json():
    before = build.snapshot(
        *build.whole(),
        build.statefulset(),
        build.daemonset(),
        build.job(),
        build.cronjob(),
        build.event("web-2-a", "BackOff", count=None, series={"count": 3, "lastObservedTime": build.NOW}),
        gaps=(Gap("pods", "crm", "403 Forbidden"),),
        excerpts=(LogExcerpt("crm", "web-2-a", "web", True, ("one", "two")),),
    )
    before = msgspec.structs.replace(before, settled=Settled("converged", 1.5, 3, ("why",)))
    assert msgspec.json.decode(msgspec.json.encode(before), type=Snapshot) == before


def test_page_says_where_the_next_begins():
    page = decode_page(Pod, b'{"metadata": {"continue": "x", "remainingItemCount": 2}, "items": [{}]}')
    assert (page.metadata.continue_, page.metadata.remaining_item_count, len(page.items)) == ("x", 2, 1)


def test_page_without_items_is_empty():
    assert decode_page(Pod, b'{"metadata": {}, "items": null}').items == ()


def test_controller_is_the_marked_owner_else_the_only_one():
    marked = [{"kind": "Node", "uid": "n"}, {"kind": "ReplicaSet", "uid": "r", "controller": True}]
    assert read("Pod", {"metadata": {"ownerReferences": marked}}).metadata.controller.uid == "r"
    assert read("Pod", {"metadata": {"ownerReferences": marked[:1]}}).metadata.controller.uid == "n"
    assert read("Pod", {"metadata": {"ownerReferences": [{"uid": "a"}, {"uid": "b"}]}}).metadata.controller is None


def test_condition_reads_as_it_is_written_in_messages():
    found = build.seen(build.deployment(status={"conditions": [build.condition("Available", "False", "Min", "gone")]}))
    assert str(condition(found.status.conditions, "Available")) == "Available=False (Min): gone"
    assert condition(found.status.conditions, "Progressing") is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"httpGet": {"path": "/health", "port": "http"}}, "GET /health on port http"),
        ({"tcpSocket": {"port": 6379}}, "TCP on port 6379"),
        ({"grpc": {"port": 50051}}, "gRPC on port 50051"),
        ({"exec": {"command": ["pg_isready", "--password=hunter2"]}}, "a command in the container"),
    ],
)
def test_probe_is_named_without_its_command(raw, text):
    assert str(msgspec.convert(raw, Probe)) == text


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"series": {"count": 2, "lastObservedTime": "2026-11-20T10:00:05Z"}, "eventTime": build.EARLIER}, 5),
        ({"lastTimestamp": "2026-11-20T10:00:04Z"}, 4),
        ({"lastTimestamp": None, "eventTime": "2026-11-20T10:00:03Z"}, 3),
        ({"lastTimestamp": None, "firstTimestamp": "2026-11-20T10:00:02Z"}, 2),
        ({"lastTimestamp": None, "metadata": {"creationTimestamp": "2026-11-20T10:00:01Z"}}, 1),
    ],
)
def test_event_has_a_time_whoever_wrote_it(times, expected):
    assert build.seen(build.event("web", "BackOff", **times)).last_seen.second == expected


def test_event_of_the_newer_group_is_read_by_its_own_names():
    found = read("Event", {"regarding": {"name": "web", "kind": "Pod"}, "note": "said"})
    assert (found.about.name, found.text, found.times) == ("web", "said", 1)
