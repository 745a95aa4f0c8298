"""A world's logs read in this process by the harness's own reader: its nodes' and its Loki's, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import anyio

from postdeploy.cluster.answers import Answer, Look
from postdeploy.cluster.logs.backend import SUSPECTS, Gather, NoAnswer, Span, Where, nanoseconds
from postdeploy.cluster.logs.claims import LogClaims
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.observe import observe
from postdeploy.cluster.logs.seen import Earlier, Logs
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally
from postdeploy.cluster.objects import Snapshot
from postdeploy.environment import Environment
from postdeploy.redact import Redactor
from postdeploy.verdict import Judgement
from rehearsal import podlogs
from rehearsal.answers import Refused
from rehearsal.loki import Loki
from rehearsal.world import World

RULES = ("critical", "tracebacks", "errors", "new", "silence", "coverage")


@dataclass
class Body:
    """An answer as the reader reads it."""

    data: bytes
    status: int = 200
    cut: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> Body:
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self.data[: len(self.data) // 2] if self.cut else self.data
        if self.cut:
            raise aiohttp.ClientPayloadError

    async def read(self) -> bytes:
        return self.data

    def close(self) -> None:
        pass


class Nodes:
    """The part of the API that serves logs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.looks: list[Look] = []

    async def log(self, path: str, limit: object) -> Body:
        parts = urlsplit(path)
        _, _, _, _, namespace, _, name, _ = parts.path.split("/")
        settings = self.world.settings
        if "pods/log" in settings.forbidden:
            return Body(b"", HTTPStatus.FORBIDDEN)
        try:
            pod = self.world.get("Pod", name, namespace)
            data = podlogs.read(self.world, pod, dict(parse_qsl(parts.query)))
        except Refused as refused:
            return Body(refused.response().body, refused.code)
        return Body(data, cut=name in settings.logs_cut)

    async def fetch(self, path: str) -> Answer:
        body = await self.log(path, None)
        return Answer(body.status, body.data)


class Kept:
    """The world's Loki, asked without HTTP."""

    name = "loki"

    def __init__(self, world: World, stream: Callable[[], Stream]) -> None:
        self.looks: list[Look] = []
        self._world, self._stream = world, stream
        self._loki = Loki(world)

    async def log(self, instance: Instance, span: Span) -> Tally:
        where = Where(instance.namespace, instance.pod, instance.container)
        query = f'{{namespace="{where.namespace}", pod="{where.pod}", container="{where.container}"}}'
        return self._gather(query, span).get(where) or Tally()

    async def containers(self, namespaces: tuple[str, ...], span: Span) -> set[Where]:
        return set(self._gather(f'{{namespace=~"{"|".join(namespaces)}"}}', span))

    async def suspects(self, namespaces: tuple[str, ...], span: Span) -> dict[Where, Tally]:
        assert SUSPECTS
        return self._gather(f'{{namespace=~"{"|".join(namespaces)}"}}', span)

    def _gather(self, query: str, span: Span) -> dict[Where, Tally]:
        if self._world.settings.loki == "down":
            raise NoAnswer("Loki: 503 too many unhealthy instances in the ring")
        gather, start, end = Gather(self._stream), nanoseconds(span.start), nanoseconds(span.end)
        for at, text, labels in self._loki._entries(query):
            if start <= at < end:
                named = dict(labels)
                gather.add(Where(named["namespace"], named["pod"], named["container"]), at, text)
        return gather.close()


def looked(
    world: World, snapshot: Snapshot, environment: Environment, *, earlier: tuple[Earlier, ...] = (), loki: bool = True
) -> Logs:
    """What the harness would see of the logs."""

    @asynccontextmanager
    async def opened(stream: Callable[[], Stream]) -> AsyncIterator[Any]:
        yield Kept(world, stream)

    async def look() -> Logs:
        nodes: Any = Nodes(world)
        backend = opened if loki and environment.logs.loki else None
        redact = Redactor().text
        return await observe(nodes, snapshot, environment, redact=redact, open_backend=backend, earlier=earlier)

    return anyio.run(look)


def judged(logs: Logs, environment: Environment) -> dict[str, dict[str, Judgement]]:
    """Every claim about them."""
    claims = LogClaims(logs, environment, logs.release)
    return {
        f"infra.logs.{rule}": {name: getattr(claims, rule)(each) for name, each in environment.components.items()}
        for rule in RULES
    }
