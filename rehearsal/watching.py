"""Watches: a stream of changes, after the initial objects where those were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
from aiohttp import web

from rehearsal import tables
from rehearsal.answers import Refused, gone
from rehearsal.kinds import Obj
from rehearsal.listing import Shape, selects
from rehearsal.world import Change, World

INITIAL_END = {"k8s.io/initial-events-end": "true"}
BOOKMARK_EVERY_S = 30.0


class Watch:
    """One client's watch over one kind."""

    def __init__(self, world: World, shape: Shape, namespace: str | None, query: Mapping[str, str]) -> None:
        self.world, self.shape, self.namespace, self.query = world, shape, namespace, query
        self.wanted = selects(query)
        self.seen: set[str] = set()
        self.initial = query.get("sendInitialEvents") in ("true", "1")
        self.ends_s = float(query.get("timeoutSeconds") or 1800)

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Stream until the client goes, or its time-out ends."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self.world.watchers.add(queue)
        try:
            first = self._first()
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            for each in first:
                await response.write(each)
            if self._once(self.world.settings.watch_cut) and request.transport is not None:
                await response.write(b'{"type":"MODIFIED","object":{"kind":"')
                request.transport.abort()
                return response
            await self._follow(queue, response)
        except ConnectionError:
            pass
        finally:
            self.world.watchers.discard(queue)
        return response

    async def _follow(self, queue: asyncio.Queue[Change], response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.ends_s
        while (left := until - loop.time()) > 0:
            try:
                change = await asyncio.wait_for(queue.get(), min(left, BOOKMARK_EVERY_S))
            except TimeoutError:
                if self.query.get("allowWatchBookmarks") in ("true", "1"):
                    await response.write(self._bookmark({}))
                continue
            if line := self._line(change):
                await response.write(line)

    def _first(self) -> list[bytes]:
        version = self.query.get("resourceVersion", "")
        if self.initial or version in ("", "0"):
            objects = self.world.all(self.shape.kind.name, self.namespace)
            lines = [self._event("ADDED", each) for each in objects if self.wanted(each)]
            self.seen |= {each["metadata"]["uid"] for each in objects if self.wanted(each)}
            return [*lines, self._bookmark(INITIAL_END)] if self.initial else lines
        if self._once(self.world.settings.watch_expires) or not version.isdigit() or int(version) < self.world.floor:
            expired: Refused = gone(f"too old resource version: {version} ({self.world.version})")
            self.ends_s = 0
            return [msgspec.json.encode({"type": "ERROR", "object": expired.status()}) + b"\n"]
        past = [each for each in self.world.history if each.version > int(version)]
        return [line for each in past if (line := self._line(each))]

    def _once(self, times: dict[str, int]) -> bool:
        """Whether this is one of the times that something happens to watches of this kind."""
        left = times.get(self.shape.kind.plural, 0)
        times[self.shape.kind.plural] = max(left - 1, 0)
        return left > 0

    def _line(self, change: Change) -> bytes | None:
        obj = change.object
        if obj["kind"] != self.shape.kind.name or self.namespace not in (None, obj["metadata"].get("namespace")):
            return None
        uid, what = obj["metadata"]["uid"], change.what
        if not self.wanted(obj):
            if uid not in self.seen:
                return None
            what = "DELETED"
        (self.seen.discard if what == "DELETED" else self.seen.add)(uid)
        return self._event(what, obj)

    def _event(self, what: str, obj: Obj) -> bytes:
        return msgspec.json.encode({"type": what, "object": msgspec.Raw(self.shape.single(obj))}) + b"\n"

    def _bookmark(self, notes: Mapping[str, str]) -> bytes:
        metadata: Obj = {"resourceVersion": str(self.world.version), "creationTimestamp": None}
        if notes:
            metadata["annotations"] = dict(notes)
        kind = self.shape.kind
        mark: Obj = {"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata}
        if self.shape.as_table:
            part = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
            mark = tables.table(kind.name, [{"cells": [], "object": part}], metadata)
        return msgspec.json.encode({"type": "BOOKMARK", "object": mark}) + b"\n"
