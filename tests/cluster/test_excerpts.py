"""Log excerpts: the few lines worth reading, redacted; what is no log is never shown as one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from postdeploy.cluster import excerpts
from postdeploy.cluster.answers import Answer
from postdeploy.cluster.client import Reader
from postdeploy.cluster.objects import Gap, LogExcerpt, Pod, Snapshot
from postdeploy.environment import Environment

pytestmark = pytest.mark.anyio
RUNNING: dict[str, Any] = {"running": {}}
WAITING: dict[str, Any] = {"waiting": {"reason": "CrashLoopBackOff"}}
DIED: dict[str, Any] = {"terminated": {"exitCode": 1}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def status(name: str = "app", **fields: Any) -> dict[str, Any]:
    return {"name": name, "ready": False, "state": RUNNING} | fields


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = ()) -> Pod:
    found = {"containerStatuses": list(containers), "initContainerStatuses": list(init)}
    return msgspec.convert({"metadata": {"name": "web-1", "namespace": "crm"}, "status": found}, Pod)


class Logs(Reader):
    """A reader that answers each log with one body or one reason, and notes what it was asked for."""

    def __init__(self, body: str = "", reason: str = "") -> None:
        self.answer = Answer(200, body.encode(), reason)
        self.paths: list[str] = []

    async def fetch(self, path: str) -> Answer:
        self.paths.append(path)
        return self.answer


async def enriched(monkeypatch: pytest.MonkeyPatch, logs: Logs, *pods: Pod) -> Snapshot:
    monkeypatch.setattr(excerpts, "worth_reading", lambda *_: pods)
    empty = Snapshot("uk-prod", "v1", datetime(2026, 11, 20, tzinfo=UTC), gaps=(Gap("jobs", "crm", "403"),))
    return await excerpts.enrich(logs, empty, Environment.model_construct(name="uk-prod"))


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        (pod(status()), [("app", False)]),
        (pod(status(restartCount=2, lastState=DIED)), [("app", False), ("app", True)]),
        (pod(status(restartCount=2, state=WAITING, lastState=DIED)), [("app", False)]),
        (pod(status(state={"waiting": {"reason": "ImagePullBackOff"}})), []),
        (pod(status(state={})), []),
        (pod(status(ready=True), status("late")), [("late", False)]),
        (pod(status(ready=True), status("proxy", ready=True)), [("app", False), ("proxy", False)]),
        (pod(status(state={"waiting": {}}), init=(status("migrate", state=DIED),)), [("migrate", False)]),
        (pod(*(status(str(number)) for number in range(9))), [("0", False), ("1", False), ("2", False)]),
    ],
)
def test_containers_in_trouble_are_read_and_their_previous_life_too(seen: Pod, read: list[tuple[str, bool]]) -> None:
    assert list(excerpts.instances(seen)) == read


async def test_little_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = Logs("one\n")
    await enriched(monkeypatch, logs, pod(status("a b", restartCount=1)))
    path = "/api/v1/namespaces/crm/pods/web-1/log?container=a+b&tailLines=25&limitBytes=65536"
    assert logs.paths == [path, path + "&previous=true"]


async def test_the_last_lines_are_kept_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"line {number}" for number in range(40)] + ["dsn postgres://crm:s3cr3t-p4ss@db.example/crm", "x" * 5_000]
    snapshot = await enriched(monkeypatch, Logs("\n".join(lines)), pod(status()))
    [excerpt] = snapshot.excerpts
    assert (excerpt.namespace, excerpt.pod, excerpt.container, excerpt.previous) == ("crm", "web-1", "app", False)
    assert (len(excerpt.lines), excerpt.lines[0], len(excerpt.lines[-1])) == (25, "line 17", excerpts.LONGEST_LINE)
    assert "s3cr3t" not in str(excerpt)


async def test_an_empty_log_is_an_empty_log(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = await enriched(monkeypatch, Logs(""), pod(status()))
    assert snapshot.excerpts == (LogExcerpt("crm", "web-1", "app", previous=False, lines=()),)


@pytest.mark.parametrize(
    ("logs", "reason"),
    [
        (
            Logs("unable to retrieve container logs for containerd://ab"),
            "unable to retrieve container logs for containerd://ab",
        ),
        (Logs(reason="403 Forbidden: pods/log is forbidden"), "403 Forbidden: pods/log is forbidden"),
    ],
)
async def test_a_refusal_is_a_gap_and_not_a_log_line(monkeypatch: pytest.MonkeyPatch, logs: Logs, reason: str) -> None:
    seen = pod(status(restartCount=1))
    snapshot = await enriched(monkeypatch, logs, seen)
    assert snapshot.excerpts == ()
    assert snapshot.gaps == (
        Gap("jobs", "crm", "403"),
        Gap("pods/log", "crm", f"web-1, container app: {reason}"),
        Gap("pods/log", "crm", f"web-1, container app, previous instance: {reason}"),
    )


async def test_where_nothing_is_wrong_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = Logs()
    await enriched(monkeypatch, logs)
    assert logs.paths == []
