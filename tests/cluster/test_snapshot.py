"""One observation: everything declared is asked for, nothing secret is kept, and saving loses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postdeploy.cluster import snapshot
from postdeploy.cluster.client import Reader, connect
from postdeploy.cluster.objects import Gap, Snapshot
from postdeploy.environment import Component, Environment
from postdeploy.environment.flux import Flux
from postdeploy.verdict import Unverified
from tests.cluster.canned import Canned, Reply, listing, pod, refusal, serving

pytestmark = pytest.mark.anyio
NAMESPACES = ("crm", "data")
SOURCES = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories"
NODE_EVENTS = "/api/v1/namespaces/default/events"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def made_environment() -> Environment:
    parts = {name: Component.model_construct(name=name, namespace=name) for name in NAMESPACES}
    flux = Flux.model_construct(namespace="flux-system", source="crm", controllers=())
    return Environment.model_construct(name="uk-prod", components=parts, flux=flux)


@pytest.fixture
async def canned() -> AsyncIterator[Canned]:
    async with serving() as server:
        server.answer("/version", Reply({"gitVersion": "v1.34.1"}))
        for path, _ in snapshot.LISTS.values():
            for namespace in NAMESPACES:
                server.answer(path.partition("?")[0].format(namespace), listing())
        server.answer(SOURCES, listing())
        server.answer(NODE_EVENTS, listing())
        yield server


@pytest.fixture
async def reader(canned: Canned, tmp_path: Path) -> AsyncIterator[Reader]:
    async with await connect(canned.kubeconfig(tmp_path), None) as made:
        yield made


async def test_every_kind_is_listed_once_in_every_declared_namespace(canned: Canned, reader: Reader) -> None:
    seen = await snapshot.take(reader, made_environment(), "v1")
    asked = [path for _, path, _ in canned.requests]
    assert len(asked) == len(set(asked)) == 3 + len(snapshot.LISTS) * len(NAMESPACES)
    assert (seen.environment, seen.release, seen.server_version, seen.gaps) == ("uk-prod", "v1", "v1.34.1", ())
    assert seen.taken == datetime(2026, 11, 20, 10, tzinfo=UTC)


async def test_only_warnings_and_what_is_about_jobs_are_asked_for(canned: Canned, reader: Reader) -> None:
    canned.answer("/api/v1/namespaces/crm/events", listing({"reason": "Completed"}))
    seen = await snapshot.take(reader, made_environment(), "v1")
    asked = {"fieldSelector=type%3DWarning&limit=500", "fieldSelector=involvedObject.kind%3DJob&limit=500"}
    assert set(canned.asked("/api/v1/namespaces/crm/events")) == asked
    assert [each.reason for each in (*seen.events, *seen.job_events)] == ["Completed", "Completed"]


async def test_of_nodes_only_the_warnings_are_asked_for_where_they_are_kept(canned: Canned, reader: Reader) -> None:
    canned.answer(NODE_EVENTS, listing({"reason": "SystemOOM"}))
    seen = await snapshot.take(reader, made_environment(), "v1")
    assert canned.asked(NODE_EVENTS) == ["fieldSelector=involvedObject.kind%3DNode,type%3DWarning&limit=500"]
    assert [each.reason for each in seen.node_events] == ["SystemOOM"]


def test_no_secret_is_ever_listed() -> None:
    assert not {"secrets", "configmaps"} & {path.rpartition("/")[2] for path, _ in snapshot.EVERY.values()}


async def test_gateways_are_asked_for_only_where_something_is_reached_through_one(
    canned: Canned, reader: Reader
) -> None:
    bare = made_environment()
    seen = await snapshot.take(reader, bare, "v1")
    assert not [path for _, path, _ in canned.requests if "gateway" in path]
    assert seen.gaps == ()
    public = bare.components["crm"].model_copy(update={"public": "gateway"})
    seen = await snapshot.take(reader, bare.model_copy(update={"components": {"crm": public}}), "v1")
    reason = "not served by this cluster"
    assert seen.gaps == (Gap("gateways", "crm", reason), Gap("httproutes", "crm", reason))


@pytest.mark.parametrize(("phase", "asked"), [("Bound", 0), ("Pending", 1)])
async def test_storage_classes_are_asked_for_only_where_a_claim_is_pending(
    canned: Canned, reader: Reader, phase: str, asked: int
) -> None:
    claim = {"metadata": {"name": "data", "namespace": "crm"}, "status": {"phase": phase}}
    canned.answer("/api/v1/namespaces/crm/persistentvolumeclaims", listing(claim))
    canned.answer(snapshot.CLASSES, listing({"metadata": {"name": "fast"}, "volumeBindingMode": "Immediate"}))
    seen = await snapshot.take(reader, made_environment(), "v1")
    assert len(canned.asked(snapshot.CLASSES)) == len(seen.storageclasses) == asked


async def test_namespaces_come_in_one_order_whatever_answers_first(canned: Canned, reader: Reader) -> None:
    for namespace in NAMESPACES:
        canned.answer(f"/api/v1/namespaces/{namespace}/pods", listing(pod(f"in-{namespace}")))
    seen = await snapshot.take(reader, made_environment(), "v1")
    assert [each.metadata.name for each in seen.pods] == ["in-crm", "in-data"]


async def test_what_cannot_be_read_is_a_gap_and_the_rest_is_there(canned: Canned, reader: Reader) -> None:
    canned.answer("/api/v1/namespaces/crm/pods", refusal(403, "pods is forbidden"))
    canned.answer("/version", refusal(403, "no"))
    canned.answer("/apis/apps/v1/namespaces/data/deployments", listing({"metadata": {"name": "search"}}))
    seen = await snapshot.take(reader, made_environment(), "v1")
    assert seen.gaps == (
        Gap("version", "", "403 Forbidden: no"),
        Gap("pods", "crm", "403 Forbidden: pods is forbidden"),
    )
    assert [each.metadata.name for each in seen.deployments] == ["search"]


async def test_a_server_without_a_clock_leaves_our_own(
    canned: Canned, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_listing(*_: object) -> tuple[tuple[()], None]:
        return (), None

    monkeypatch.setattr(reader, "list", no_listing)
    monkeypatch.setattr(reader, "version", no_listing)
    seen = await snapshot.take(reader, made_environment(), "v1")
    assert abs((seen.taken - datetime.now(UTC)).total_seconds()) < 60


async def test_pod_env_and_credentials_in_messages_are_not_kept(canned: Canned, reader: Reader) -> None:
    said = "connect to postgres://crm:s3cr3t-p4ss@db.example failed"
    died = {"name": "app", "lastState": {"terminated": {"exitCode": 1, "message": said}}}
    stuck = {"name": "init", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": said}}}
    status = {"containerStatuses": [died], "initContainerStatuses": [stuck]}
    canned.answer("/api/v1/namespaces/crm/pods", listing(pod("web", status=status), pod("well")))
    canned.answer("/api/v1/namespaces/crm/events", listing({"type": "Warning", "message": said, "note": said}))
    seen = await snapshot.take(reader, made_environment(), "v1")
    kept = snapshot.gzip.decompress(snapshot.save(seen))
    assert kept.count(b"db.example failed") == 6
    assert b"s3cr3t-p4ss" not in kept
    assert b"hunter2-in-env" not in kept


async def test_a_saved_snapshot_is_loaded_exactly_and_saved_the_same(canned: Canned, reader: Reader) -> None:
    times = {"creationTimestamp": "2026-11-20T09:00:00Z", "name": "j", "labels": {"a": "ü"}}
    canned.answer("/api/v1/namespaces/crm/pods", listing(pod("web"), pod("api", status={"phase": "Running"})))
    canned.answer("/apis/batch/v1/namespaces/crm/jobs", listing({"metadata": times, "spec": {"completions": 1}}))
    canned.answer("/apis/batch/v1/namespaces/crm/cronjobs", refusal(403, "no"))
    seen = await snapshot.take(reader, made_environment(), "v1")
    saved = snapshot.save(seen)
    assert snapshot.load(saved) == seen
    assert snapshot.save(snapshot.load(saved)) == saved == snapshot.save(seen)


@pytest.mark.parametrize("damage", [slice(0, -9), slice(5, None), slice(0, 0)])
def test_a_damaged_file_is_unverified(damage: slice) -> None:
    saved = snapshot.save(Snapshot(environment="uk-prod", release="v1", taken=datetime(2026, 1, 1, tzinfo=UTC)))
    with pytest.raises(Unverified, match="the saved observation of the cluster cannot be read"):
        snapshot.load(saved[damage])


def test_a_file_of_something_else_is_unverified() -> None:
    with pytest.raises(Unverified):
        snapshot.load(snapshot.gzip.compress(b'{"environment": "uk-prod"}'))
