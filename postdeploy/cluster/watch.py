"""Watches: one kind in one namespace followed from the version of its last list, whatever becomes of the stream.

A bookmark moves the version on, an expired version (410) lists anew, a cut resumes, a refusal falls back to lists; and
so do streams that end at once time after time, whatever they say.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Generic, Protocol, TypeVar

import anyio
import msgspec

from postdeploy.cluster.answers import Answer, Look, answer_of, broken, line, pause, undecodable
from postdeploy.cluster.client import Reader, Sleep
from postdeploy.cluster.objects import Meta, Record, decode_as

POLL_S = 2.0
"""Pause between two lists where a watch is refused."""
SILENCE_S = 90.0
"""Longest silence before a stream counts as broken: bookmarks come about once a minute."""
CONNECT_S = 15.0
REFUSALS = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
)
"""Answers that asking again does not change."""
ASKS_FOR_A_LIST = frozenset({HTTPStatus.GONE, HTTPStatus.UNAUTHORIZED})
"""Expired; and a list renews the credentials, or says that they are refused for good."""
FUTILE = 5
"""So many streams in a row that ended at once and brought nothing are as good as a refusal."""

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Listener(Protocol[T_contra]):
    """Who is told what a watch sees."""

    def listed(self, items: tuple[T_contra, ...]) -> None:
        """All objects as they are now: what is not among them is gone."""

    def changed(self, item: T_contra) -> None:
        """One object is new or has changed."""

    def deleted(self, item: T_contra) -> None:
        """One object is gone; this is its last state."""


class Event(msgspec.Struct, frozen=True):
    """One line of a watch."""

    type: str
    object: msgspec.Raw


class Mark(Record, frozen=True):
    """What every object of a stream has: a bookmark has nothing else."""

    metadata: Meta = Meta()


class Status(Record, frozen=True):
    """The object of an ERROR event."""

    code: int = 0
    message: str = ""


class Watch(Generic[T]):
    """Follows one path until it is cancelled; never raises for what the server or the network does to it."""

    def __init__(
        self, reader: Reader, path: str, kind: type[T], listener: Listener[T], *, sleep: Sleep = anyio.sleep
    ) -> None:
        self.path = path
        self.refused = ""
        """Why lists are compared instead, where a watch is not allowed."""
        self.blind = ""
        """Why nothing could be seen lately, empty while something can."""
        self._interruptions = Counter[str]()
        self._reader = reader
        self._kind = kind
        self._listener = listener
        self._sleep = sleep
        self._version = reader.versions.get(path, "")
        self._silent = 0
        """Streams in a row that ended at once and without a word."""

    @property
    def interruptions(self) -> list[str]:
        """What broke a stream off, and how often."""
        return [text + (f" ({times} times)" if times > 1 else "") for text, times in self._interruptions.items()]

    async def run(self, seconds: float) -> None:
        """Follow until cancelled; the server is asked to end each stream after so many seconds."""
        while True:
            if self.refused:
                await self._sleep(POLL_S)
            if self.refused or not self._version:
                await self._list()
            else:
                await self._stream(seconds)

    async def _list(self) -> None:
        """Where things stand now, and where to go on from."""
        items, gap = await self._reader.list(self.path, self._kind)
        self.blind = gap.reason if gap else ""
        if gap is None:
            self._listener.listed(items)
            self._version = self._reader.versions.get(self.path, "")
            self.refused = self.refused or ("" if self._version else "its lists have no resourceVersion")
        elif not self.refused:
            await self._sleep(POLL_S)

    async def _stream(self, seconds: float) -> None:
        """One stream from its first line to its end, and what that end means."""
        query = f"watch=1&allowWatchBookmarks=true&resourceVersion={self._version}"
        path = self.path + ("&" if "?" in self.path else "?") + f"{query}&timeoutSeconds={math.ceil(seconds)}"
        started, before = time.monotonic(), self._version
        end = await self._follow(path)
        spent = round(time.monotonic() - started, 6)
        self._reader.looks.append(Look(path, end.status, 1, spent, len(end.body), end.reason))
        # A stream that lasted as long as the pause between two lists costs no more than they do.
        self._silent = 0 if self._version != before or spent >= POLL_S else self._silent + 1
        await self._after(end)

    async def _after(self, end: Answer) -> None:
        """Go on as the end of a stream asks for, the slower the more of them brought nothing."""
        if end.reason and end.status not in REFUSALS:
            self._interruptions[f"{self.path.rpartition('/')[2]}: {end.reason}"] += 1
        if end.status in REFUSALS:
            self.refused = end.reason
        elif self._silent >= FUTILE and end.status in (*ASKS_FOR_A_LIST, HTTPStatus.OK):
            self.refused = f"{FUTILE} watches in a row ended at once: {end.reason or 'without a word'}"
        elif end.status in ASKS_FOR_A_LIST:
            self._version = ""
            if self._silent > 1:
                await self._sleep(pause(end, self._silent - 1))
        elif end.reason or self._silent:
            self.blind = end.reason
            await self._sleep(pause(end, self._silent))

    async def _follow(self, path: str) -> Answer:
        """Read line after line; how it ended, without a reason where the server simply ended it."""
        import aiohttp  # a run that needs no Kubernetes must not pay for importing it

        limit = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        response: Any = None
        try:
            response = (await self._reader.watch(path, limit)).response
            if response.status != HTTPStatus.OK:
                return answer_of(response.status, response.headers, await response.read())
            self.blind = ""
            async for each in lines(response.content):
                if refusal := self._take(each):
                    return refusal
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return broken(error, SILENCE_S)
        finally:
            if response is not None:
                response.close()
        return Answer(HTTPStatus.OK)

    def _take(self, data: bytes) -> Answer | None:
        """Pass one event on; the answer that ends the stream where it is no event."""
        try:
            event = msgspec.json.decode(data, type=Event)
            if event.type == "ERROR":
                status = msgspec.json.decode(event.object, type=Status)
                return Answer(status.code, reason=line(f"{status.code} {status.message}"), again=True)
            mark = msgspec.json.decode(event.object, type=Mark)
            if event.type != "BOOKMARK":
                self._pass_on(event)
        except msgspec.MsgspecError as error:
            # The next stream would begin with the very same line: only a list leads past it.
            return Answer(HTTPStatus.GONE, reason=undecodable(error))
        self._version = mark.metadata.resource_version or self._version
        return None

    def _pass_on(self, event: Event) -> None:
        item = decode_as(self._kind, bytes(event.object))
        (self._listener.deleted if event.type == "DELETED" else self._listener.changed)(item)


async def lines(content: Any) -> AsyncIterator[bytes]:
    """The lines of a stream, however it is cut into chunks and however long they are; a last half line is dropped."""
    rest: list[bytes] = []
    async for chunk in content.iter_any():
        *whole, last = chunk.split(b"\n")
        for each in whole:
            rest.append(each)
            if data := b"".join(rest):
                yield data
            rest.clear()
        rest.append(last)
