"""Loki as a source of logs: `query_range` forwards, page after page, with nothing lost or doubled where pages meet."""

from __future__ import annotations

import json
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from pydantic import SecretStr

from postdeploy.cluster.answers import Look, line
from postdeploy.cluster.client import USER_AGENT
from postdeploy.cluster.logs.backend import SUSPECTS, Gather, NoAnswer, Span, Where, nanoseconds
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.seen import SourceName
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally
from postdeploy.cluster.registry import Placed
from postdeploy.environment import Loki as Declared

PAGE = 5_000
"""Entries of one page: what a server allows unless told otherwise (limits_config.max_entries_limit_per_query)."""
PAGES = 2_000
TIMEOUT_S = 30.0

T = TypeVar("T", bound=msgspec.Struct)


class Series(msgspec.Struct, frozen=True):
    """One stream of an answer: its labels, and pairs of nanoseconds and text."""

    stream: dict[str, str] = msgspec.field(default_factory=dict)
    values: tuple[tuple[str, str], ...] = ()


class Data(msgspec.Struct, frozen=True):
    """What an answer holds."""

    result: tuple[Series, ...] = ()


class Page(msgspec.Struct, frozen=True):
    """The answer of query_range."""

    data: Data = Data()


class Labels(msgspec.Struct, frozen=True):
    """The answer of series."""

    data: tuple[dict[str, str], ...] = ()


class Loki:
    """One session with a declared Loki; whatever goes wrong raises NoAnswer."""

    name: SourceName = "loki"

    def __init__(
        self,
        declared: Declared,
        stream: Callable[[], Stream],
        *,
        token: SecretStr | None = None,
        places: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        page: int = PAGE,
    ) -> None:
        """`places` says where a rehearsal serves a host."""
        self.looks: list[Look] = []
        self._declared = declared
        self._stream = stream
        self._page = page
        headers = {"User-Agent": USER_AGENT}
        if declared.tenant:
            headers["X-Scope-OrgID"] = declared.tenant
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        connector = aiohttp.TCPConnector(resolver=Placed(places or {}), ssl=tls or True, limit=4)
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not places,
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
        named = self._matcher("namespace", where.namespace, self._declared.pod_label, where.pod)
        tallies = await self._gather(f"{named[:-1]}, container={_quoted(where.container)}}}", span)
        return tallies.get(where) or Tally()

    async def containers(self, namespaces: tuple[str, ...], span: Span) -> set[Where]:
        """Every container that wrote something. Raises NoAnswer."""
        query: dict[str, str | int] = {"match[]": self._within(namespaces), **_range(span)}
        found = await self._get("series", query, Labels)
        return {where for each in found.data if (where := self._where(each)) is not None}

    async def suspects(self, namespaces: tuple[str, ...], span: Span) -> dict[Where, Tally]:
        """What may have been grave, of every container. Raises NoAnswer."""
        return await self._gather(f"{self._within(namespaces)} |~ {_quoted(SUSPECTS)}", span)

    async def _gather(self, query: str, span: Span) -> dict[Where, Tally]:
        gather = Gather(self._stream)
        async for labels, at, text in self._entries(query, span):
            where = self._where(labels)
            if where is not None:
                gather.add(where, at, text)
        return gather.close()

    async def _entries(self, query: str, span: Span) -> AsyncIterator[tuple[dict[str, str], int, str]]:
        """Every entry once: a page may end within a nanosecond, so the next begins with it, less what was seen."""
        start, end = nanoseconds(span.start), nanoseconds(span.end)
        seen: Counter[tuple[str, str]] = Counter()
        for _ in range(PAGES):
            asked: dict[str, str | int] = {
                "query": query,
                "start": start,
                "end": end,
                "limit": self._page,
                "direction": "forward",
            }
            page = await self._get("query_range", asked, Page)
            entries = [(int(at), text, each.stream) for each in page.data.result for at, text in each.values]
            entries.sort(key=lambda each: each[0])
            last, known = (entries[-1][0] if entries else start), seen.copy()
            at_last: Counter[tuple[str, str]] = Counter()
            fresh = 0
            for at, text, labels in entries:
                key = (json.dumps(labels, sort_keys=True), text)
                at_last.update([key] if at == last else ())
                if at == start and known[key] > 0:
                    known[key] -= 1
                    continue
                fresh += 1
                yield labels, at, text
            if len(entries) < self._page:
                return
            if not fresh:
                raise NoAnswer(f"more than {self._page} entries within one nanosecond: they cannot be told apart")
            start, seen = last, at_last
        raise NoAnswer(f"more than {PAGES} pages for one question")

    async def _get(self, what: str, query: Mapping[str, str | int], kind: type[T]) -> T:
        url = f"https://{self._declared.host}/loki/api/v1/{what}?{urlencode(query)}"
        began = time.monotonic()
        status, reason, body = 0, "", b""
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                status, body = response.status, await response.read()
            if status != HTTPStatus.OK:
                reason = f"{status} {line(body[:200].decode('utf-8', 'replace'))}"
        except TimeoutError:
            reason = f"time-out after {self._session.timeout.total:g} s"
        except (aiohttp.ClientError, OSError) as error:
            reason = line(error)
        path = f"https://{self._declared.host}/loki/api/v1/{what}"
        self.looks.append(Look(path, status, 1, round(time.monotonic() - began, 6), len(body), reason))
        if reason:
            raise NoAnswer(f"Loki at {self._declared.host}: {reason}")
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as error:
            raise NoAnswer(f"Loki at {self._declared.host} answered something else: {line(error)}") from error

    def _where(self, labels: Mapping[str, str]) -> Where | None:
        names = [labels.get(each, "") for each in ("namespace", self._declared.pod_label, "container")]
        return Where(*names) if all(names) else None

    def _within(self, namespaces: tuple[str, ...]) -> str:
        return self._matcher("namespace", "|".join(namespaces), operator="=~")

    def _matcher(self, label: str, value: str, *pairs: str, operator: str = "=") -> str:
        parts = [f"{label}{operator}{_quoted(value)}"]
        parts += [f"{name}={_quoted(text)}" for name, text in zip(pairs[::2], pairs[1::2], strict=True)]
        if self._declared.selector:
            parts.append(self._declared.selector)
        return "{" + ", ".join(parts) + "}"


def _range(span: Span) -> dict[str, int]:
    return {"start": nanoseconds(span.start), "end": nanoseconds(span.end)}


def _quoted(text: str) -> str:
    """A string of LogQL, whose escapes are those of JSON."""
    return json.dumps(text)
