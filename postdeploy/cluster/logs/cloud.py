"""Google Cloud Logging as a source of logs: one filter a cluster, severities told by the server, within the quota."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
import anyio
import msgspec
from pydantic import SecretStr

from postdeploy.cluster.answers import Look, line
from postdeploy.cluster.client import USER_AGENT, Sleep
from postdeploy.cluster.logs.backend import Gather, NoAnswer, Span, Where, nanoseconds
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.lines import parse_time
from postdeploy.cluster.logs.seen import SourceName
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally
from postdeploy.environment import CloudLogging

SERVER = "https://logging.googleapis.com"
PAGE = 1_000
PAGES = 500
TIMEOUT_S = 30.0
MINUTE_S = 60.0


class Entry(msgspec.Struct, rename="camel", frozen=True):
    """One LogEntry, as far as it is read."""

    timestamp: str = ""
    severity: str = "DEFAULT"
    text_payload: str | None = None
    json_payload: dict[str, Any] | None = None
    resource: dict[str, Any] = msgspec.field(default_factory=dict)


class Entries(msgspec.Struct, rename="camel", frozen=True):
    """The answer of entries:list."""

    entries: tuple[Entry, ...] = ()
    next_page_token: str = ""


class CloudLogs:
    """One session with Cloud Logging; whatever goes wrong raises NoAnswer."""

    name: SourceName = "cloud-logging"

    def __init__(
        self,
        declared: CloudLogging,
        stream: Callable[[], Stream],
        token: SecretStr,
        *,
        server: str = SERVER,
        sleep: Sleep = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.looks: list[Look] = []
        self._declared = declared
        self._stream = stream
        self._server = server
        self._sleep, self._clock = sleep, clock
        self._asked: list[float] = []
        self._turn = anyio.Lock()
        headers = {"User-Agent": USER_AGENT, "Authorization": f"Bearer {token.get_secret_value()}"}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(
            timeout=timeout, headers=headers, cookie_jar=aiohttp.DummyCookieJar(), trust_env=server == SERVER
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def log(self, instance: Instance, span: Span) -> Tally:
        """Everything one container wrote. Raises NoAnswer."""
        where = Where(instance.namespace, instance.pod, instance.container)
        parts = (
            f"resource.labels.namespace_name={json.dumps(where.namespace)}",
            f"resource.labels.pod_name={json.dumps(where.pod)}",
            f"resource.labels.container_name={json.dumps(where.container)}",
        )
        return (await self._gather(span, *parts)).get(where) or Tally()

    async def containers(self, namespaces: tuple[str, ...], span: Span) -> set[Where]:
        """Every container that wrote an error: who wrote none is not asked for, within the quota. Raises NoAnswer."""
        return set(await self.suspects(namespaces, span))

    async def suspects(self, namespaces: tuple[str, ...], span: Span) -> dict[Where, Tally]:
        """What the server calls an error or worse, of every container. Raises NoAnswer."""
        within = " OR ".join(json.dumps(each) for each in namespaces)
        return await self._gather(span, f"resource.labels.namespace_name=({within})", "severity>=ERROR")

    async def _gather(self, span: Span, *parts: str) -> dict[Where, Tally]:
        gather = Gather(self._stream)
        async for entry in self._entries(self._filter(span, parts)):
            labels = entry.resource.get("labels", {})
            where = Where(*(str(labels.get(each, "")) for each in ("namespace_name", "pod_name", "container_name")))
            at = parse_time(entry.timestamp)
            if at is not None and all(where):
                gather.add(where, nanoseconds(at), text_of(entry))
        return gather.close()

    def _filter(self, span: Span, parts: tuple[str, ...]) -> str:
        return " AND ".join(
            (
                'resource.type="k8s_container"',
                f"resource.labels.cluster_name={json.dumps(self._declared.cluster)}",
                *parts,
                f'timestamp>="{span.start:%Y-%m-%dT%H:%M:%SZ}"',
                f'timestamp<="{span.end:%Y-%m-%dT%H:%M:%SZ}"',
            )
        )

    async def _entries(self, wanted: str) -> AsyncIterator[Entry]:
        token = ""
        for _ in range(PAGES):
            question: dict[str, Any] = {"resourceNames": [f"projects/{self._declared.project}"], "filter": wanted}
            question |= {"orderBy": "timestamp asc", "pageSize": PAGE} | ({"pageToken": token} if token else {})
            page = await self._ask(question)
            for entry in page.entries:
                yield entry
            token = page.next_page_token
            if not token:
                return
        raise NoAnswer(f"Cloud Logging: more than {PAGES} pages for one question")

    async def _ask(self, question: Mapping[str, Any]) -> Entries:
        """One request, when the quota lets it go. It is a POST, and reads: `entries:list` has no other form."""
        await self._wait()
        url, began = f"{self._server}/v2/entries:list", time.monotonic()
        status, reason, body = 0, "", b""
        try:
            async with self._session.post(url, json=question, allow_redirects=False) as response:
                status, body = response.status, await response.read()
            if status != HTTPStatus.OK:
                reason = f"{status} {line(body[:300].decode('utf-8', 'replace'))}"
        except TimeoutError:
            reason = f"time-out after {TIMEOUT_S:g} s"
        except (aiohttp.ClientError, OSError) as error:
            reason = line(error)
        self.looks.append(Look(url, status, 1, round(time.monotonic() - began, 6), len(body), reason))
        if reason:
            raise NoAnswer(f"Cloud Logging of {self._declared.project}: {reason}")
        try:
            return msgspec.json.decode(body, type=Entries)
        except msgspec.MsgspecError as error:
            raise NoAnswer(f"Cloud Logging answered something else: {line(error)}") from error

    async def _wait(self) -> None:
        """At most so many requests in any minute: the quota is the whole project's, and others live on it."""
        async with self._turn:
            most = self._declared.requests_per_minute
            self._asked = self._asked[-most:]
            if len(self._asked) == most and (left := self._asked[0] + MINUTE_S - self._clock()) > 0:
                await self._sleep(left)
            self._asked.append(self._clock())


def text_of(entry: Entry) -> str:
    """The line the container wrote. The agent took JSON apart, and calls text on stderr an error: the text decides."""
    if entry.json_payload is not None:
        severity = {} if entry.severity == "DEFAULT" else {"severity": entry.severity}
        return json.dumps(severity | entry.json_payload)
    return (entry.text_payload or "").rstrip("\n")
