"""A watch goes on whatever becomes of its stream: expired, cut off, refused, silent; and says what it went through."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from postdeploy.cluster import watch as module
from postdeploy.cluster.client import Reader, connect
from postdeploy.cluster.objects import Pod
from postdeploy.cluster.watch import FUTILE, POLL_S, Watch, lines
from postdeploy.verdict import Unverified
from tests.cluster.canned import CONTEXT, Canned, Reply, refusal, serving

pytestmark = pytest.mark.anyio
PODS = "/api/v1/namespaces/crm/pods"
FOREVER = Reply(hang=True)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def canned(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Canned]:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    async with serving() as server:
        yield server


@pytest.fixture
async def reader(canned: Canned, tmp_path: Path) -> AsyncIterator[Reader]:
    async with await connect(canned.kubeconfig(tmp_path), CONTEXT) as made:
        yield made


def pod(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "crm", "uid": f"uid-{name}", "resourceVersion": str(version)}}


def event(what: str, obj: Any) -> bytes:
    return json.dumps({"type": what, "object": obj}).encode() + b"\n"


def stream(*events: bytes) -> Reply:
    return Reply(b"".join(events))


def bookmark(version: int) -> bytes:
    return event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version), "creationTimestamp": None}})


def expired() -> bytes:
    return event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})


def listed(version: int, *names: str) -> Reply:
    return Reply({"metadata": {"resourceVersion": str(version)}, "items": [pod(each, version) for each in names]})


class Heard:
    """Notes what it is told, and ends the watch once it has heard enough."""

    def __init__(self, enough: int) -> None:
        self.told: list[tuple[str, ...]] = []
        self.enough = enough
        self.scope = anyio.CancelScope()

    def listed(self, items: tuple[Pod, ...]) -> None:
        self._note("listed", *(each.metadata.name for each in items))

    def changed(self, item: Pod) -> None:
        self._note("changed", item.metadata.name)

    def deleted(self, item: Pod) -> None:
        self._note("deleted", item.metadata.name)

    def _note(self, *what: str) -> None:
        self.told.append(what)
        if len(self.told) == self.enough:
            self.scope.cancel()


class Followed:
    """One watch, run until its listener has heard enough or its server is asked for the last time."""

    def __init__(self, canned: Canned, reader: Reader) -> None:
        self.canned, self.reader = canned, reader
        self.paused: list[float] = []
        self.watch: Watch[Pod]

    async def run(self, *replies: Reply, hears: int, pauses: int = 100) -> list[tuple[str, ...]]:
        self.canned.answer(PODS, *replies, FOREVER)
        heard = Heard(hears)

        async def sleep(seconds: float) -> None:
            self.paused.append(seconds)
            if len(self.paused) == pauses:
                heard.scope.cancel()
            await anyio.lowlevel.checkpoint()

        self.watch = Watch(self.reader, PODS, Pod, heard, sleep=sleep)
        with anyio.fail_after(10), heard.scope:
            await self.watch.run(29.5)
        return heard.told

    @property
    def versions(self) -> list[str]:
        """The versions that streams were begun at."""
        asked = [dict(part.split("=") for part in each.split("&")) for each in self.canned.asked(PODS)]
        return [each["resourceVersion"] for each in asked if "watch" in each]


@pytest.fixture
def followed(canned: Canned, reader: Reader) -> Followed:
    return Followed(canned, reader)


async def test_a_watch_begins_at_the_version_of_the_list_before_it(followed: Followed) -> None:
    followed.canned.answer(PODS, listed(7, "a"))
    await followed.reader.list(PODS, Pod)
    told = await followed.run(stream(event("MODIFIED", pod("a", 8))), hears=1)
    assert told == [("changed", "a")]
    query = followed.canned.asked(PODS)[-1]
    assert query == "watch=1&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=30"
    assert followed.canned.requests[-1][0] == "GET"


async def test_without_a_list_before_it_begins_with_one(followed: Followed) -> None:
    told = await followed.run(listed(7, "a", "b"), stream(event("ADDED", pod("c", 8))), hears=2)
    assert told == [("listed", "a", "b"), ("changed", "c")]
    assert followed.versions == ["7"]


async def test_every_change_is_passed_on_in_its_order(followed: Followed) -> None:
    events = (event("ADDED", pod("a", 8)), event("MODIFIED", pod("a", 9)), event("DELETED", pod("a", 10)))
    told = await followed.run(listed(7), stream(*events), hears=4)
    assert told[1:] == [("changed", "a"), ("changed", "a"), ("deleted", "a")]


async def test_a_bookmark_moves_the_version_on(followed: Followed) -> None:
    await followed.run(listed(7), stream(bookmark(99)), stream(event("ADDED", pod("a", 100))), hears=2)
    assert followed.versions == ["7", "99"]
    assert followed.watch.interruptions == []


@pytest.mark.parametrize("gone", [stream(expired()), refusal(410, "too old resource version: 7 (90)")])
async def test_an_expired_version_lists_anew_and_goes_on(followed: Followed, gone: Reply) -> None:
    told = await followed.run(listed(7), gone, listed(90, "a"), stream(event("DELETED", pod("a", 91))), hears=3)
    assert told == [("listed",), ("listed", "a"), ("deleted", "a")]
    assert followed.versions == ["7", "90"]
    assert len(followed.watch.interruptions) == 1
    assert followed.watch.interruptions[0].startswith("pods: 410")
    assert not followed.watch.blind
    assert followed.paused == []


async def test_a_cut_resumes_after_the_last_whole_line(followed: Followed) -> None:
    half = event("ADDED", pod("b" * 200, 9))
    cut = Reply(event("ADDED", pod("a", 8)) + half, cut=True)
    told = await followed.run(listed(7), cut, stream(half), hears=3)
    assert told[1:] == [("changed", "a"), ("changed", "b" * 200)]
    assert followed.versions == ["7", "8"]
    assert followed.watch.interruptions == ["pods: connection cut in the middle of the answer"]
    assert len(followed.paused) == 1


async def test_a_stream_that_the_server_ends_is_begun_again_without_a_word(followed: Followed) -> None:
    await followed.run(listed(7), stream(event("ADDED", pod("a", 8))), stream(event("ADDED", pod("b", 9))), hears=3)
    assert followed.versions == ["7", "8"]
    assert (followed.watch.interruptions, followed.paused) == ([], [])


async def test_streams_that_end_at_once_are_not_begun_in_a_hurry(followed: Followed) -> None:
    await followed.run(listed(7), *[stream()] * 3, hears=9, pauses=3)
    assert len(followed.paused) == 3
    assert followed.paused[-1] > 0.5


@pytest.mark.parametrize("status", [400, 403, 404, 405])
async def test_a_refused_watch_falls_back_to_lists(followed: Followed, status: int) -> None:
    told = await followed.run(listed(7), refusal(status, "may not watch"), listed(8, "a"), listed(9), hears=3)
    assert told == [("listed",), ("listed", "a"), ("listed",)]
    assert followed.watch.refused.startswith(f"{status} ")
    assert set(followed.paused) == {POLL_S}
    assert followed.versions == ["7"]


async def test_a_list_that_fails_while_polling_is_tried_again(followed: Followed) -> None:
    told = await followed.run(listed(7), refusal(403, "no"), refusal(403, "no"), listed(9, "a"), hears=2)
    assert told == [("listed",), ("listed", "a")]
    assert not followed.watch.blind


async def test_what_cannot_be_listed_either_is_said(followed: Followed) -> None:
    assert await followed.run(refusal(403, "pods is forbidden"), hears=1, pauses=1) == []
    assert "pods is forbidden" in followed.watch.blind


async def test_a_busy_server_is_given_the_time_it_asks_for(followed: Followed) -> None:
    busy = refusal(429, "too many", **{"Retry-After": "3"})
    await followed.run(listed(7), busy, stream(event("ADDED", pod("a", 8))), hears=2)
    assert followed.paused == [3.0]
    assert followed.watch.interruptions[0].startswith("pods: 429")
    assert not followed.watch.blind


async def test_a_line_that_is_no_event_leads_to_a_list(followed: Followed) -> None:
    told = await followed.run(listed(7), stream(b"<html>gateway time-out</html>\n"), listed(9, "a"), hears=2)
    assert told[-1] == ("listed", "a")


async def test_credentials_that_are_refused_end_the_look(followed: Followed) -> None:
    with pytest.raises(Unverified, match="refuses our credentials"):
        await followed.run(listed(7), refusal(401, "Unauthorized"), refusal(401, "Unauthorized"), hears=9)


async def test_a_silent_stream_is_given_up(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_S", 0.02)
    await followed.run(listed(7), FOREVER, stream(event("ADDED", pod("a", 8))), hears=2)
    assert followed.watch.interruptions == ["pods: time-out after 0.02 s"]
    assert followed.versions == ["7", "7"]


async def test_lists_without_a_version_cannot_be_watched(followed: Followed) -> None:
    bare = Reply({"metadata": {}, "items": []})
    await followed.run(bare, bare, hears=2)
    assert followed.watch.refused == "its lists have no resourceVersion"


LIST_INSTEAD = Reply(json.dumps({"metadata": {"resourceVersion": "7"}, "items": []}) + "\n")
AT_ONCE = [
    (stream(expired()), "410 too old resource version"),
    (refusal(410, "too old"), "410 Gone"),
    (Reply(b"<html>log in</html>\n"), "not what was asked for"),
    (LIST_INSTEAD, "not what was asked for"),
    (stream(), "without a word"),
]


@pytest.mark.parametrize(("reply", "why"), AT_ONCE)
async def test_streams_that_bring_nothing_time_after_time_are_as_good_as_refused(
    followed: Followed, reply: Reply, why: str
) -> None:
    lists_anew = why != "without a word"
    replies = [each for _ in range(FUTILE) for each in (reply, *([listed(7, "a")] if lists_anew else []))]
    told = await followed.run(listed(7), *replies, listed(8, "b"), hears=7 if lists_anew else 2)
    assert told[-1] == ("listed", "b")
    assert followed.watch.refused.startswith(f"{FUTILE} watches in a row ended at once: ")
    assert why in followed.watch.refused
    assert len(followed.versions) == FUTILE


async def test_the_more_streams_bring_nothing_the_slower_it_lists(followed: Followed) -> None:
    replies = [each for _ in range(FUTILE) for each in (stream(expired()), listed(7))]
    await followed.run(listed(7), *replies, hears=6)
    first, second, third, polled = followed.paused[:4]
    assert first <= second <= third <= polled == POLL_S
    assert third >= 1
    assert followed.watch.interruptions == [f"pods: 410 too old resource version ({FUTILE} times)"]


async def test_expired_versions_between_events_are_no_refusal(followed: Followed) -> None:
    replies = [
        each
        for number in range(8, 16)
        for each in (stream(event("ADDED", pod("a", number)), expired()), listed(number))
    ]
    await followed.run(listed(7), *replies, hears=17)
    assert (followed.watch.refused, followed.paused) == ("", [])


async def test_a_server_that_is_busy_for_long_is_watched_again_after_it(followed: Followed) -> None:
    busy = [refusal(503, "starting")] * (FUTILE + 2)
    told = await followed.run(listed(7), *busy, stream(event("ADDED", pod("a", 8))), hears=2)
    assert (told[-1], followed.watch.refused) == (("changed", "a"), "")


async def test_every_stream_is_on_record(followed: Followed) -> None:
    await followed.run(listed(7), stream(expired()), listed(90), hears=2)
    watched = [each for each in followed.reader.looks if "watch=1" in each.path]
    assert [(each.status, each.attempts) for each in watched] == [(410, 1)]


class Chunks:
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def iter_any(self) -> AsyncIterator[bytes]:
        for each in self.chunks:
            yield each


@pytest.mark.parametrize(
    ("chunks", "whole"),
    [
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\nc", b"d\n"], [b"ab", b"cd"]),
        ([b"a\n", b"half"], [b"a"]),
        ([b"\n\na\n"], [b"a"]),
        ([b"x" * 300_000, b"y\n"], [b"x" * 300_000 + b"y"]),
        ([], []),
    ],
)
async def test_lines_are_whole_however_they_arrive(chunks: Sequence[bytes], whole: list[bytes]) -> None:
    assert [each async for each in lines(Chunks(*chunks))] == whole
