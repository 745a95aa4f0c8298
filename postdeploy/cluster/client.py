"""Reads the Kubernetes API: plain GETs of our own paths, raw bodies into narrow structs, and every look on record."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
import msgspec

from postdeploy.cluster.answers import (
    UNSERVED,
    Answer,
    Look,
    answer_of,
    broken,
    gap_of,
    listed,
    moment,
    paged,
    pause,
    undecodable,
)
from postdeploy.cluster.objects import Gap
from postdeploy.cluster.objects_access import REVIEWS
from postdeploy.cluster.pages import Pages
from postdeploy.deadline import Deadline
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from postdeploy.cluster.kubeconfig import Access
    from postdeploy.cluster.logs.wire import Wire

RESTARTS = 2
"""How often a listing whose continue token expired (410) starts from scratch."""
ATTEMPTS = 4
"""Requests per look, the first included, while the server says "later" or the connection breaks."""
CONCURRENT = 6
"""Requests in flight: each has a connection, a handshake and a body of its own, and more of them cost more in all.

Below the connection pool, so that waiting for a connection never counts as a time-out."""
LEAST_S = 5.0
"""What one request gets although the time to settle is up, for the last look decides."""
USER_AGENT = "postdeploy (read-only verification)"

T = TypeVar("T")
Call = Callable[[], Awaitable[T]]
Sleep = Callable[[float], Awaitable[None]]


class Version(msgspec.Struct, rename="camel"):
    """The answer of /version."""

    git_version: str = ""


class Reader:
    """Reads one cluster and can do nothing else; what could not be read comes back as a Gap, never as nothing."""

    def __init__(self, access: Access, *, timeout_s: float = 15.0, sleep: Sleep = anyio.sleep) -> None:
        self.context = access.context
        self.server = access.server
        self.ca_sha256 = access.ca_sha256
        self.source = access.source
        self.looks: list[Look] = []
        self.deadline: Deadline | None = None
        """What a look may not outlast by more than `LEAST_S`; set while settling."""
        self.server_time: datetime | None = None
        """The API server's clock, as of its latest answer."""
        self.versions: dict[str, str] = {}
        """The resourceVersion of the latest complete list of each path: where a watch goes on from."""
        self._access = access
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._renewing = anyio.Lock()
        self._slots = anyio.Semaphore(CONCURRENT, fast_acquire=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; the reader is of no use afterwards."""
        await self._access.api.close()

    async def version(self) -> tuple[str, Gap | None]:
        """The server's gitVersion."""
        found, gap = await self.get("/version", Version)
        return (found.git_version if found else ""), gap

    async def get(self, path: str, kind: type[T]) -> tuple[T | None, Gap | None]:
        """One object, or why it could not be read."""
        return _decoded(path, await self.fetch(path), kind)

    async def review(self, path: str, spec: Mapping[str, Any], kind: type[T]) -> tuple[T | None, Gap | None]:
        """The answer to one of the two questions about ourselves that are POSTed, or why there is none."""
        question = {"apiVersion": "authorization.k8s.io/v1", "kind": REVIEWS[path], "spec": spec}
        return _decoded(path, await self.fetch(path, question), kind)

    async def fetch(self, path: str, question: Mapping[str, Any] | None = None) -> Answer:
        """The body at a path, asked for again while the server says "later"; 401 ends the run's looking."""
        started = time.monotonic()
        attempt, answer = 0, Answer(again=True)
        async with self._slots:
            while answer.again and attempt < ATTEMPTS:
                if attempt:
                    wait = pause(answer, attempt)
                    if wait > self._left():
                        break
                    await self._sleep(wait)
                attempt += 1
                answer = await self._ask(path, question)
        spent = round(time.monotonic() - started, 6)
        self.looks.append(Look(path, answer.status, attempt, spent, len(answer.body), answer.reason))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise Unverified(
                f"the Kubernetes API at {self.server} refuses our credentials ({answer.reason}): {self.source}, "
                f"context {self.context or 'none'}. Renew them and run again."
            )
        return answer

    def _left(self) -> float:
        return self.deadline.left() if self.deadline else math.inf

    async def _ask(self, path: str, question: Mapping[str, Any] | None) -> Answer:
        """One request, with the token as it is now; a question is a review of ourselves, which creates nothing."""
        import aiohttp  # a run that needs no Kubernetes must not pay for importing it

        bearer = await self._bearer()
        limit_s = min(self._timeout_s, max(LEAST_S, self._left()))
        try:
            response = await self._send(path, bearer, aiohttp.ClientTimeout(total=limit_s), question)
            body = await _whole(response.response.content.iter_any())
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return broken(error, limit_s)
        self.server_time = moment(response.headers.get("Date")) or self.server_time
        answer = answer_of(response.status, response.headers, body)
        if response.status == HTTPStatus.UNAUTHORIZED and await self._is_renewed(bearer):
            return msgspec.structs.replace(answer, again=True, retry_after_s=0.0)
        return answer

    async def watch(self, path: str, limit: Any) -> Any:
        """The head of the answer to a watch, with the token as it is now; its lines are the caller's to read."""
        return await self._send(path, await self._bearer(), limit)

    async def log(self, path: str, limit: Any) -> Any:
        """The head of the answer to a request for a log, with the token as it is now; its bytes are the caller's."""
        bearer = await self._bearer()
        head = await self._send(path, bearer, limit, accept="*/*", encoding="identity")
        if head.response.status == HTTPStatus.UNAUTHORIZED and await self._is_renewed(bearer):
            head.response.close()
            head = await self._send(path, await self._bearer(), limit, accept="*/*", encoding="identity")
        return head.response

    async def log_headers(self) -> dict[str, str]:
        """What a request for a log is sent with, the token as it is now."""
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        bearer = await self._bearer()
        return headers | ({"Authorization": bearer} if bearer else {})

    async def is_renewed(self, refused: Mapping[str, str]) -> bool:
        """Whether there is another token by now than the one that these headers carried."""
        return await self._is_renewed(refused.get("Authorization", ""))

    def wire(self) -> Wire | None:
        """Blocking sockets to the same server, for logs; None where a proxy stands in between."""
        from postdeploy.cluster.logs.wire import Wire  # for whoever reads logs

        return Wire.of(self._access.api)

    async def _send(
        self,
        path: str,
        bearer: str,
        limit: Any,
        question: Mapping[str, Any] | None = None,
        *,
        accept: str = "application/json",
        encoding: str = "gzip",
    ) -> Any:
        headers = {"Accept": accept, "Accept-Encoding": encoding, "User-Agent": USER_AGENT}
        if bearer:
            headers["Authorization"] = bearer
        api, url = self._access.api, self.server + path
        if question is None:
            head = await api.call_api("GET", url, headers, _request_timeout=limit)
        else:
            head = await api.call_api("POST", url, headers, question, _request_timeout=limit)
        return head

    async def token(self) -> str:
        """The credential that is sent now, without its scheme; empty where a certificate identifies us."""
        return (await self._bearer()).rpartition(" ")[2]

    async def _bearer(self) -> str:
        found: str | None = await self._access.api.configuration.get_api_key_with_prefix("BearerToken")
        return found or ""

    async def _is_renewed(self, refused: str) -> bool:
        """Whether there is another token by now: asked for once, however many looks were refused together."""
        async with self._renewing:
            if await self._bearer() == refused:
                await self._access.renew()
            return await self._bearer() != refused

    async def list(self, path: str, item_type: type[T]) -> tuple[tuple[T, ...], Gap | None]:
        """Every object of a list over all its pages, and what is missing of it, if anything."""
        self.versions.pop(path, None)
        items: tuple[T, ...] = ()
        reason = ""
        for _ in range(RESTARTS + 1):
            items, reason, expired = await self._pages(path, item_type)
            if not expired:
                break
        return items, gap_of(path, reason) if reason else None

    async def _pages(self, path: str, item_type: type[T]) -> tuple[tuple[T, ...], str, bool]:
        """One pass over the pages: items, why it ended early, and whether the continue token expired."""
        pages: Pages[T] = Pages()
        while not pages.is_complete:
            cut = f"cut off at page {pages.number + 1}: " if pages.number else ""
            reason, expired = await self._page(paged(path, pages.token), item_type, pages)
            if reason:
                return tuple(pages.items), cut + reason, expired
        self.versions[path] = pages.version
        return tuple(pages.items), "", False

    async def _page(self, path: str, item_type: type[T], pages: Pages[T]) -> tuple[str, bool]:
        """Take one more page; its body is let go before the next one is asked for, for it may have many megabytes."""
        answer = await self.fetch(path)
        if answer.reason:
            unserved = answer.status == HTTPStatus.NOT_FOUND
            return UNSERVED if unserved else answer.reason, answer.status == HTTPStatus.GONE
        try:
            return pages.add(listed(answer.body, item_type)), False
        except msgspec.MsgspecError as error:
            return undecodable(error, answer.body), False


async def _whole(content: AsyncIterable[bytes]) -> bytes:
    """A body of several megabytes, put together in one step: one that grew would be copied again and again."""
    return b"".join([piece async for piece in content])


def _decoded(path: str, answer: Answer, kind: type[T]) -> tuple[T | None, Gap | None]:
    """The one object that was answered, or why there is none."""
    if answer.reason:
        return None, gap_of(path, answer.reason)
    try:
        return msgspec.json.decode(answer.body, type=kind), None
    except msgspec.MsgspecError as error:
        return None, gap_of(path, undecodable(error, answer.body))


async def connect(kubeconfig: Path | None, context: str | None, *, timeout_s: float = 20.0) -> Reader:
    """A reader with credentials loaded, or Unverified with one paragraph on what is missing; sends nothing yet."""
    from postdeploy.cluster.kubeconfig import access  # imports the Kubernetes client: about a second

    return Reader(await access(kubeconfig, context, timeout_s=timeout_s))


async def together(*calls: Call[Any]) -> list[Any]:
    """The results of concurrent calls in the order of the calls; the first error ends them all and is raised bare."""
    results: list[Any] = [None] * len(calls)

    async def one(index: int) -> None:
        results[index] = await calls[index]()

    try:
        async with anyio.create_task_group() as group:
            for index in range(len(calls)):
                group.start_soon(one, index)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return results
