"""Loki's API over the rehearsal's logs: what the nodes still have, and what pods that are gone had written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from aiohttp import web

from rehearsal import podlogs
from rehearsal.kinds import Obj
from rehearsal.world import World

MATCHER = re.compile(r'(\w+)\s*(=~|=)\s*("(?:[^"\\]|\\.)*")')
FILTER = re.compile(r'\|~\s*("(?:[^"\\]|\\.)*")\s*$')
MOST = 5_000

Labels = tuple[tuple[str, str], ...]
Entry = tuple[int, str, Labels]


class Loki:
    """Answers `query_range` and `series`, forwards and in pages, as far as a reader of pod logs asks."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host it is declared under; none: nobody keeps the logs."""
        declared = self.world.environment.logs.loki
        return (declared.host,) if declared else ()

    def app(self) -> web.Application:
        """The application."""
        made = web.Application()
        made.router.add_get("/loki/api/v1/query_range", self.query_range)
        made.router.add_get("/loki/api/v1/series", self.series)
        return made

    async def query_range(self, request: web.Request) -> web.Response:
        """Entries between two moments, the oldest first, at most `limit`: the next page begins where this one ends."""
        if self.world.settings.loki == "down":
            return web.Response(status=503, text="too many unhealthy instances in the ring\n")
        query, start, end = request.query["query"], int(request.query["start"]), int(request.query["end"])
        limit = min(int(request.query.get("limit", "100")), MOST)
        wanted = FILTER.search(query)
        pattern = re.compile(json.loads(wanted[1])) if wanted else None
        found: list[Entry] = [
            each
            for each in self._entries(query)
            if start <= each[0] < end and (pattern is None or pattern.search(each[1]))
        ]
        found.sort(key=lambda each: each[0])
        streams: dict[Labels, list[list[str]]] = {}
        for at, text, labels in found[:limit]:
            streams.setdefault(labels, []).append([str(at), text])
        result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        return web.json_response({"status": "success", "data": {"resultType": "streams", "result": result}})

    async def series(self, request: web.Request) -> web.Response:
        """The label sets of what wrote anything between two moments."""
        if self.world.settings.loki == "down":
            return web.Response(status=503, text="too many unhealthy instances in the ring\n")
        start, end = int(request.query["start"]), int(request.query["end"])
        found = {labels for at, _, labels in self._entries(request.query["match[]"]) if start <= at < end}
        return web.json_response({"status": "success", "data": [dict(each) for each in sorted(found)]})

    def _entries(self, query: str) -> Iterator[Entry]:
        rules = [
            (name, operator, json.loads(text)) for name, operator, text in MATCHER.findall(query.partition("|~")[0])
        ]
        for labels, lines in self._streams():
            named = dict(labels)
            if all(_fits(named.get(name, ""), operator, text) for name, operator, text in rules):
                yield from ((_nanoseconds(at), line, labels) for at, line in lines)

    def _streams(self) -> Iterator[tuple[Labels, list[tuple[datetime, str]]]]:
        for pod in self.world.all("Pod"):
            meta = pod["metadata"]
            for container in _containers(pod):
                key = (meta["namespace"], meta["name"], container)
                if key in self.world.kept_logs:
                    yield _labels(*key), [podlogs.stamped(each) for each in self.world.kept_logs[key]]
                elif key not in self.world.unshipped:
                    yield _labels(*key), podlogs.everything(self.world, pod, container)
        for (namespace, name, container), written in self.world.gone_logs.items():
            yield _labels(namespace, name, container), [podlogs.stamped(each) for each in written]


def _fits(value: str, operator: str, text: str) -> bool:
    return bool(re.fullmatch(text, value)) if operator == "=~" else value == text


def _labels(namespace: str, pod: str, container: str) -> Labels:
    return (("container", container), ("namespace", namespace), ("pod", pod))


def _containers(pod: Obj) -> list[str]:
    return [each["name"] for key in ("initContainers", "containers") for each in pod["spec"].get(key, ())]


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000
