"""Logs from the Kubernetes API: streams through the scanner, and whatever was not a log is a gap."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import anyio

from postdeploy.cluster.answers import Answer, Look, answer_of, broken, line, pause
from postdeploy.cluster.client import Reader, Sleep, together
from postdeploy.cluster.excerpts import REFUSALS
from postdeploy.cluster.logs.batch import Batch, Batches, Part, sizes
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.lines import STAMP, moment
from postdeploy.cluster.logs.pace import Pace
from postdeploy.cluster.logs.split import Split, Told
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally
from postdeploy.cluster.logs.window import Window
from postdeploy.cluster.logs.wire import Got, Wire
from postdeploy.environment import Logs

ATTEMPTS = 3
"""Requests for one log, the first included: reading it again does no harm and begins from nothing."""
FIRST_BYTES = 256
"""Enough for the first stamp of a file."""
SLACK = timedelta(seconds=2)


@dataclass(slots=True)
class Read:
    """What came of reading one instance."""

    instance: Instance
    tally: Tally
    before: Tally | None = None
    """What it wrote in the equally long window before the rollout, where it ran then."""
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Api:
    """The Kubernetes API as a source of logs."""

    reader: Reader
    window: Window
    rules: Logs
    pace: Pace
    stream: Callable[[], Stream]
    """Makes the reader of one log."""
    keep: Callable[[Instance, bytes], None] | None = None
    """Keeps a whole log; None: none is kept."""
    lines: Batches | None = None
    """Blocking sockets beside the client's session; None: that session itself, as where a proxy stands in between."""
    sleep: Sleep = anyio.sleep

    async def read(self, instance: Instance, first: tuple[Read, Answer] | None = None) -> Read:
        """One instance's log since the rollout began; never raises for what the server or the network does.

        `first` is what a first attempt came to, where there was one.
        """
        if instance.is_absent:
            return Read(instance, Tally(), gaps=list(instance.gaps))
        read, answer = first or (Read(instance, Tally()), Answer(again=True))
        attempt = 1 if first else 0
        while answer.again and attempt < ATTEMPTS:
            if attempt:
                await self.sleep(pause(answer, attempt))
            attempt += 1
            async with self.pace.slot(instance.node):
                read, answer = await self._once(instance, attempt)
        if answer.reason:
            (read.notes if instance.is_lost else read.gaps).append(answer.reason)
        read.gaps += instance.gaps
        await self._look_for_a_gap(read)
        return read

    def batches(self, wanted: Sequence[Instance]) -> Iterator[Sequence[Instance]]:
        """What may be read one after another in one stream; of as few nodes as may be."""
        left = sorted(wanted, key=lambda each: each.node)
        together = self.lines is not None and self.keep is None
        for size in sizes(len(left)) if together else [1] * len(left):
            yield left[:size]
            left = left[size:]

    async def read_batch(self, batch: Sequence[Instance]) -> list[Read]:
        """Each of them, in one stream as far as that goes; what it left goes into two."""
        if self.lines is None or len(batch) < 2:
            return await together(*(partial(self.read, each) for each in batch))
        firsts = await self._firsts(self.lines, [each for each in batch if not each.is_absent])
        done = [each for each in batch if each.is_absent or each in firsts]
        left = [each for each in batch if each not in done]
        calls = [partial(self.read, each, firsts.get(each)) for each in done]
        if not left and all(each.born and not firsts[each][1].reason for each in batch if not each.is_absent):
            return [await each() for each in calls]  # there is nothing to wait for
        halves = [half for half in (left[::2], left[1::2]) if half]
        more = await together(*(partial(self.read_batch, half) for half in halves))
        return [*await together(*calls), *itertools.chain.from_iterable(more)]

    async def _firsts(self, lines: Batches, wanted: Sequence[Instance]) -> dict[Instance, tuple[Read, Answer]]:
        """The first attempt at as many as can be read in one stream."""
        parts = tuple(Part(self._path(each, self._since(each)), each.is_old) for each in wanted)
        async with self.pace.slot(*{each.node: None for each in wanted}):
            headers = await self.reader.log_headers()
            found = await lines.read(Batch(parts, headers, self.rules.timeout_s))
        firsts = {}
        for instance, part, (got, told) in zip(wanted, parts, found, strict=False):
            refused = got.answer.status == HTTPStatus.UNAUTHORIZED
            if not (refused and await self.reader.is_renewed(headers)):  # with another token it is asked anew
                firsts[instance] = self._concluded(
                    instance, part.path, told, self._paced(got, told.size), 1, got.whole_s
                )
        return firsts

    async def _once(self, instance: Instance, attempt: int) -> tuple[Read, Answer]:
        began = time.monotonic()
        split = Split(self.stream(), self.stream() if instance.is_old else None, self.window.start)
        split.kept = [] if self.keep else None
        path = self._path(instance, self._since(instance))
        answer = await self._stream(path, split)
        told = split.close()
        if self.keep and told.kept:
            await anyio.to_thread.run_sync(self.keep, instance, told.kept)
        return self._concluded(instance, path, told, answer, attempt, time.monotonic() - began)

    def _concluded(
        self, instance: Instance, path: str, told: Told, answer: Answer, attempt: int, spent_s: float
    ) -> tuple[Read, Answer]:
        self.reader.looks.append(Look(path, answer.status, attempt, round(spent_s, 6), told.size, answer.reason))
        read = Read(instance, told.tally, told.before)
        if not answer.reason:
            answer = self._doubt(read, told)
        return read, answer

    def _since(self, instance: Instance) -> datetime | None:
        return self.window.before if instance.is_old else None

    def _path(self, instance: Instance, since: datetime | None, limit: int | None = None) -> str:
        query: dict[str, str | int] = {"container": instance.container, "timestamps": "true"}
        query["limitBytes"] = self.rules.limit_bytes if limit is None else limit
        if since is not None:
            query["sinceTime"] = f"{since:%Y-%m-%dT%H:%M:%SZ}"
        if instance.previous:
            query["previous"] = "true"
        return f"/api/v1/namespaces/{instance.namespace}/pods/{instance.pod}/log?{urlencode(query)}"

    async def _stream(self, path: str, split: Split) -> Answer:
        """Feed one answer through; how it ended, without a reason where it ended well."""
        if self.lines is not None:
            return await self._wired(self.lines.wire, path, split)
        import aiohttp  # a run that needs no Kubernetes must not pay for importing it

        longest = self.rules.timeout_s
        limit = aiohttp.ClientTimeout(total=longest, sock_connect=longest / 4, sock_read=longest / 4)
        began = time.monotonic()
        response: Any = None
        try:
            response = await self.reader.log(path, limit)
            if response.status != HTTPStatus.OK:
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    self.pace.refused()
                return answer_of(response.status, response.headers, await response.read())
            first = time.monotonic() - began
            async for chunk in response.content.iter_any():
                split.feed(chunk)
            self.pace.answered(first, time.monotonic() - began)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            answer = broken(error, longest)
            return Answer(reason=f"{answer.reason}, after {split.size} bytes", again=answer.again)
        finally:
            if response is not None:
                response.close()
        return Answer(HTTPStatus.OK)

    async def _wired(self, wire: Wire, path: str, split: Split) -> Answer:
        """The same by blocking sockets in threads."""
        longest = self.rules.timeout_s
        headers = await self.reader.log_headers()
        got = await wire.read(path, headers, split, longest, longest / 4)
        if got.answer.status == HTTPStatus.UNAUTHORIZED and await self.reader.is_renewed(headers):
            got = await wire.read(path, await self.reader.log_headers(), split, longest, longest / 4)
        return self._paced(got, split.size)

    def _paced(self, got: Got, size: int) -> Answer:
        """The answer, after `pace` has learned from it."""
        if got.answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.pace.refused()
        elif not got.answer.reason:
            self.pace.answered(got.first_s, got.whole_s, got.cpu_s)
        elif size:
            return Answer(reason=f"{got.answer.reason}, after {size} bytes", again=got.answer.again)
        return got.answer

    def _doubt(self, read: Read, told: Told) -> Answer:
        """Whether a 200 was a whole log: a kubelet's refusal comes as one, and the limit cuts without a word."""
        first = told.first
        if first and not STAMP.match(first):
            said = line(first.decode("utf-8", "replace"))
            refused = said.startswith(REFUSALS)
            reason = f"refused inside a 200: {said}" if refused else f"no timestamps, so it is no log: {said}"
            read.tally = Tally()
            return Answer(HTTPStatus.OK, reason=reason)
        if told.size >= self.rules.limit_bytes:
            return Answer(
                HTTPStatus.OK, reason=f"cut at the limit of {self.rules.limit_bytes} bytes (logs.limit_bytes)"
            )
        return Answer(HTTPStatus.OK)

    async def _look_for_a_gap(self, read: Read) -> None:
        """A node hands out only the newest file: if that begins long after the container did, the rest was rotated."""
        instance = read.instance
        if read.gaps or instance.is_absent or instance.is_lost:
            return
        if instance.born is not None:
            first = moment(read.tally.first)
            if first and (first - instance.born).total_seconds() > self.rules.quiet_start_s:
                read.gaps.append(
                    f"its first line is of {first:%H:%M:%SZ}, it started at {instance.born:%H:%M:%SZ}: the log was "
                    "rotated in between"
                )
            return
        begins = await self._begins(instance)
        if begins is not None and begins > self.window.start + SLACK:
            read.gaps.append(
                f"its file begins at {begins:%H:%M:%SZ}, after the rollout at {self.window.start:%H:%M:%SZ}: the log "
                "was rotated since"
            )

    async def _begins(self, instance: Instance) -> datetime | None:
        """The first stamp in the file of an instance that is older than the window."""
        async with self.pace.slot(instance.node):
            answer = await self.reader.fetch(self._path(instance, None, FIRST_BYTES))
        return moment(bytes(answer.body[:64]))
