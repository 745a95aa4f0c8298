"""Settling looks again when something has changed: a change is never slept over, and nothing is told without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from postdeploy.cluster.changes import changes
from postdeploy.cluster.client import Reader, connect
from postdeploy.cluster.objects import Deployment
from postdeploy.verdict import Unverified
from tests.cluster.canned import CONTEXT, Canned, Reply, refusal, serving

pytestmark = pytest.mark.anyio
DEPLOYMENTS = "/apis/apps/v1/namespaces/crm/deployments"
EVENTS = "/api/v1/namespaces/crm/events"
FOREVER = Reply(hang=True)
LONG_S = 30.0
"""Far longer than any of these tests takes where they hold."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def canned(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Canned]:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    async with serving() as server:
        yield server


@pytest.fixture
async def reader(canned: Canned, tmp_path: Path) -> AsyncIterator[Reader]:
    async with await connect(canned.kubeconfig(tmp_path), CONTEXT) as made:
        yield made


def deployment(version: int) -> dict[str, Any]:
    return {"metadata": {"name": "web", "namespace": "crm", "resourceVersion": str(version)}}


def listed(version: int) -> Reply:
    return Reply({"metadata": {"resourceVersion": str(version)}, "items": [deployment(version)]})


def modified(version: int) -> Reply:
    return Reply(json.dumps({"type": "MODIFIED", "object": deployment(version)}).encode() + b"\n")


async def no_sleep(_: float) -> None:
    await anyio.lowlevel.checkpoint()


async def test_a_change_since_the_list_ends_the_wait(canned: Canned, reader: Reader) -> None:
    canned.answer(DEPLOYMENTS, listed(7), modified(8), FOREVER)
    await reader.list(DEPLOYMENTS, Deployment)
    async with changes(reader, no_sleep) as stirred:
        with anyio.fail_after(10):
            await stirred.wait(LONG_S)
    assert "resourceVersion=7" in canned.asked(DEPLOYMENTS)[1]


async def test_a_change_that_came_before_it_was_asked_for_counts(canned: Canned, reader: Reader) -> None:
    canned.answer(DEPLOYMENTS, listed(7), modified(8), FOREVER)
    await reader.list(DEPLOYMENTS, Deployment)
    async with changes(reader, no_sleep) as stirred:
        with anyio.fail_after(10):
            await stirred.wait(LONG_S)
            await stirred.wait(LONG_S)  # not forgotten yet


async def test_what_the_next_look_saw_is_forgotten_and_silence_ends_with_the_time(
    canned: Canned, reader: Reader
) -> None:
    canned.answer(DEPLOYMENTS, listed(7), modified(8), FOREVER)
    await reader.list(DEPLOYMENTS, Deployment)
    async with changes(reader, no_sleep) as stirred:
        await stirred.wait(LONG_S)
        stirred.forget()
        began = anyio.current_time()
        await stirred.wait(0.05)
        assert anyio.current_time() - began >= 0.05


async def test_an_expired_version_is_told_for_changes_may_have_been_missed(canned: Canned, reader: Reader) -> None:
    canned.answer(DEPLOYMENTS, listed(7), refusal(410, "too old resource version"), listed(90), FOREVER)
    await reader.list(DEPLOYMENTS, Deployment)
    async with changes(reader, no_sleep) as stirred:
        with anyio.fail_after(10):
            await stirred.wait(LONG_S)


async def test_where_watching_is_refused_lists_tell(canned: Canned, reader: Reader) -> None:
    canned.answer(DEPLOYMENTS, listed(7), refusal(403, "may not watch"), listed(8), FOREVER)
    await reader.list(DEPLOYMENTS, Deployment)
    async with changes(reader, no_sleep) as stirred:
        with anyio.fail_after(10):
            await stirred.wait(LONG_S)


async def test_pods_and_events_are_not_watched_and_without_a_watch_there_is_no_waiting(
    canned: Canned, reader: Reader
) -> None:
    canned.answer(EVENTS, Reply({"metadata": {"resourceVersion": "7"}, "items": []}))
    await reader.list(EVENTS, Deployment)
    async with changes(reader, no_sleep) as stirred:
        with anyio.fail_after(10):
            await stirred.wait(LONG_S)
    assert len(canned.requests) == 1


async def test_refused_credentials_end_the_settling_bare(canned: Canned, reader: Reader) -> None:
    canned.answer(DEPLOYMENTS, listed(7), refusal(401, "Unauthorized"))
    await reader.list(DEPLOYMENTS, Deployment)

    async def settling() -> None:
        async with changes(reader, no_sleep) as stirred:
            await stirred.wait(LONG_S)
            await anyio.sleep_forever()

    with pytest.raises(Unverified, match="refuses our credentials"):
        await settling()


async def test_an_error_of_the_look_itself_is_raised_bare(reader: Reader) -> None:
    with pytest.raises(Unverified, match="of the look"):
        async with changes(reader, no_sleep):
            raise Unverified("of the look")
