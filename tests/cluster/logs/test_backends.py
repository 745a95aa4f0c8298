"""Loki by its pages, Cloud Logging by recorded answers: nothing lost, nothing doubled, and no answer is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anyio
import pytest
from aiohttp import web
from pydantic import SecretStr

from postdeploy.cluster.logs.backend import NoAnswer, Span, Where, nanoseconds, stamp
from postdeploy.cluster.logs.cloud import CloudLogs
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.loki import Loki
from postdeploy.environment import CloudLogging
from postdeploy.environment import Loki as Declared
from tests.cluster.logs.served import serving, stream
from tests.cluster.logs.times import BEGAN, TAKEN

HOST = "loki.example.org"
SPAN = Span(BEGAN, TAKEN)
POD = Instance("crm-web", "crm", "crm-web-1-a", "", "crm-web", "release")
WHERE = Where("crm", "crm-web-1-a", "crm-web")
LABELS = {"namespace": "crm", "pod": "crm-web-1-a", "container": "crm-web"}
TOKEN = SecretStr("t0ken")


class Shelf:
    """Answers query_range out of literal entries, as Loki pages: start included, end not, at most limit."""

    def __init__(self, entries: list[tuple[int, str]]) -> None:
        self.entries = entries
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query) | {"tenant": request.headers.get("X-Scope-OrgID", "")})
        start, end, limit = (int(request.query[each]) for each in ("start", "end", "limit"))
        values = [[str(at), text] for at, text in self.entries if start <= at < end][:limit]
        return web.json_response({"status": "success", "data": {"result": [{"stream": LABELS, "values": values}]}})


def ask(handler: Any, what: str, *arguments: Any, **declared: Any) -> Any:
    async def asked() -> Any:
        async with serving(handler, host=HOST) as place:
            loki = Loki(Declared(host=HOST, **declared), stream, places={HOST: place.address}, tls=place.tls, page=3)
            async with loki:
                return await getattr(loki, what)(*arguments)

    return anyio.run(asked)


def entries(*seconds: int) -> list[tuple[int, str]]:
    """One entry each, all different, so many seconds into the window."""
    start = nanoseconds(BEGAN)
    return [
        (start + each * 10**9, f"[ERROR] stale {'abcdefghijklmnop'[number]}") for number, each in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    "seconds",
    [(), (1,), (1, 2, 3), (1, 2, 3, 4), (1, 2, 2, 3), (1, 1, 2, 2, 3, 3, 4), (1, 2, 3, 3, 4, 4, 5, 6, 7, 7)],
)
def test_pages_that_end_within_a_nanosecond_lose_and_double_nothing(seconds):
    shelf = Shelf(entries(*seconds))
    found = ask(shelf.answer, "log", POD, SPAN)
    assert sum(each.count for each in found.findings()) == len(seconds)


def test_equal_lines_of_one_nanosecond_are_all_counted():
    at = nanoseconds(BEGAN) + 5
    shelf = Shelf([(at, "[ERROR] same"), (at, "[ERROR] same"), (at + 1, "[ERROR] same"), (at + 1, "[ERROR] same")])
    assert [each.count for each in ask(shelf.answer, "log", POD, SPAN).findings()] == [4]


def test_more_entries_in_a_nanosecond_than_a_page_holds_are_no_answer():
    at = nanoseconds(BEGAN) + 5
    with pytest.raises(NoAnswer, match="one nanosecond"):
        ask(Shelf([(at, "[ERROR] same")] * 9).answer, "log", POD, SPAN)


def test_the_question_names_container_selector_and_tenant():
    shelf = Shelf([])
    ask(shelf.answer, "log", POD, SPAN, selector='cluster="uk"', tenant="crm", pod_label="pod")
    assert shelf.asked[0]["query"] == '{namespace="crm", pod="crm-web-1-a", cluster="uk", container="crm-web"}'
    assert (shelf.asked[0]["direction"], shelf.asked[0]["tenant"]) == ("forward", "crm")


def test_suspects_are_filtered_by_the_server():
    shelf = Shelf(entries(1))
    found = ask(shelf.answer, "suspects", ("crm", "crm-data"), SPAN)
    assert shelf.asked[0]["query"].startswith('{namespace=~"crm|crm-data"} |~ "')
    assert set(found) == {WHERE}


@pytest.mark.parametrize(("status", "body"), [(503, "ring"), (429, "slow down"), (200, "<html>"), (302, "")])
def test_a_loki_that_does_not_answer_says_so(status, body):
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    with pytest.raises(NoAnswer, match=HOST):
        ask(refuse, "log", POD, SPAN)


def test_a_moment_in_nanoseconds_is_written_as_a_node_writes_it():
    at = nanoseconds(BEGAN + timedelta(microseconds=7))
    assert stamp(at + 5) == "2026-11-20T09:50:00.000007005Z"


RECORDED = {
    "entries": [
        {
            "textPayload": "[2026-11-20 09:51:00 +0000] [7] [INFO] Booting worker\n",
            "insertId": "a1",
            "resource": {
                "type": "k8s_container",
                "labels": {
                    "cluster_name": "uk-prod",
                    "namespace_name": "crm",
                    "pod_name": "crm-web-1-a",
                    "container_name": "crm-web",
                    "location": "europe-west2",
                    "project_id": "northgate-prod",
                },
            },
            "timestamp": "2026-11-20T09:51:00.123456789Z",
            "severity": "ERROR",
            "logName": "projects/northgate-prod/logs/stderr",
        }
    ],
    "nextPageToken": "EAA4suKu3qnLwbtrSg8iDSIDCgEAKgYIgL7q8wVSBwibvMSMvhhglPDiiJzdjt_zAWocCgw",
}
LAST = {
    "entries": [
        RECORDED["entries"][0]
        | {
            "textPayload": None,
            "severity": "CRITICAL",
            "jsonPayload": {"message": "settlement rejected", "logger": "a.b"},
        }
    ]
}
"""Answers of entries:list in the form that its reference documents; names replaced."""


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def cloud(answers: list[Any], *, per_minute: int = 8) -> tuple[Any, list[dict[str, Any]], Clock]:
    asked: list[dict[str, Any]] = []
    clock = Clock()

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer t0ken"
        asked.append(await request.json())
        found = answers[min(len(asked), len(answers)) - 1]
        return web.json_response(found) if isinstance(found, dict) else web.Response(status=found, text="quota")

    async def look() -> Any:
        async with serving(answer, method="POST") as place:
            declared = CloudLogging(project="northgate-prod", cluster="uk-prod", requests_per_minute=per_minute)
            logs = CloudLogs(
                declared, stream, TOKEN, server=f"http://{place.address}", sleep=clock.sleep, clock=lambda: clock.now
            )
            async with logs:
                return await logs.suspects(("crm", "crm-data"), SPAN)

    return anyio.run(look), asked, clock


def test_cloud_logging_is_asked_with_one_filter_page_after_page():
    found, asked, _ = cloud([RECORDED, LAST])
    assert [each.level for each in found[WHERE].findings()] == ["critical"]
    assert [each.get("pageToken") for each in asked] == [None, RECORDED["nextPageToken"]]
    wanted = asked[0]["filter"]
    assert 'resource.labels.cluster_name="uk-prod"' in wanted
    assert 'resource.labels.namespace_name=("crm" OR "crm-data")' in wanted
    assert "severity>=ERROR" in wanted
    assert 'timestamp>="2026-11-20T09:50:00Z"' in wanted
    assert (asked[0]["orderBy"], asked[0]["pageSize"]) == ("timestamp asc", 1000)


def test_what_the_agent_calls_an_error_because_it_came_on_stderr_is_none():
    found, _, _ = cloud([RECORDED | {"nextPageToken": ""}])
    assert found[WHERE].findings() == ()


def test_the_read_quota_is_kept():
    _, asked, clock = cloud([RECORDED, RECORDED, RECORDED, LAST], per_minute=2)
    assert len(asked) == 4
    assert clock.slept == [60.0]


def test_a_refusal_of_cloud_logging_says_so():
    with pytest.raises(NoAnswer, match="429 quota"):
        cloud([429])
