"""Whatever a host does to us is bounded in time and memory, and named in the result."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
from collections import Counter
from datetime import UTC, datetime

import pytest
from aiohttp import web

from postdeploy.deadline import Deadline
from postdeploy.verdict import State
from postdeploy.web import answer_rules, probe, reading, troubles
from postdeploy.web.names import answers as resolve
from postdeploy.web.questions import Question, questions
from postdeploy.web.replies import Fault, Reply, Sweep
from postdeploy.web.route import Route
from postdeploy.web.seen import Seen
from postdeploy.web.sweep import Looking
from rehearsal.front import Record
from rehearsal.names import serve
from tests.web.conftest import RUN_ID, answers, ask_route, no_rest, raw
from tests.web.public import judged, small

A = "alpha.example"
PAGE = Question(A, "/")
MEGABYTE = 1024 * 1024


async def flood(request: web.BaseRequest) -> web.StreamResponse:
    """Zeros without end, or 200 MB of them."""
    size = 200 * MEGABYTE
    known = {"Content-Length": str(size)} if request.path == "/large" else {}
    response = web.StreamResponse(headers={"Content-Type": "text/html", **known})
    await response.prepare(request)
    chunk, sent = b"0" * MEGABYTE, 0
    try:
        while not known or sent < size:
            await response.write(chunk)
            sent += len(chunk)
    except (ConnectionError, ssl.SSLError):
        pass
    return response


@pytest.mark.parametrize("path", ["/large", "/endless"])
def test_flood_is_read_no_further_than_the_limit(asked, path):
    tracemalloc.start()
    try:
        (reply,) = asked(flood, Question(A, path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (reply.status, reply.cut) == (200, True)
    assert reading.READ_LIMIT < reply.size <= reading.READ_LIMIT + MEGABYTE
    assert len(reply.body) == reading.BODY_LIMIT
    assert peak < 32 * MEGABYTE


def test_stream_that_drips_for_ever_ends_in_time(asked, monkeypatch):
    monkeypatch.setattr(probe, "REQUEST_S", 0.3)

    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.02)

    (reply,) = asked(drip, PAGE)
    assert reply.fault is Fault.TIME_OUT
    assert "0.3 s" in reply.error


@pytest.mark.parametrize("packed", [gzip.compress(b"0" * 300 * MEGABYTE, 9, mtime=0)], ids=["300 MB in 300 kB"])
def test_gzip_bomb_is_unpacked_no_further_than_what_is_kept(asked, packed):
    async def explode(request: web.BaseRequest) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})

    tracemalloc.start()
    try:
        (reply,) = asked(explode, PAGE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reply.cut
    assert len(reply.body) == reading.BODY_LIMIT
    assert peak < 32 * MEGABYTE


def test_body_that_is_not_packed_as_it_says_is_kept_as_it_came(asked):
    async def lie(request: web.BaseRequest) -> web.Response:
        return web.Response(body=b"plain", headers={"Content-Encoding": "gzip"})

    assert asked(lie, PAGE)[0].body == "plain"


def test_invalid_utf_8_is_named_and_a_character_cut_in_two_is_not(asked):
    async def garble(request: web.BaseRequest) -> web.Response:
        body = b"<p>\xff\xfe</p>" if request.path == "/" else "é".encode() * reading.BODY_LIMIT
        return web.Response(body=body, headers={"Content-Type": "text/html"})

    wrong, long = asked(garble, PAGE, Question(A, "/long"))
    assert wrong.garbled
    assert "\N{REPLACEMENT CHARACTER}" in wrong.body
    assert (long.garbled, long.cut) == (False, True)


def test_redirects_in_a_circle_are_named(asked):
    async def turn(request: web.BaseRequest) -> web.Response:
        there = {"/": "/a", "/a": "/b", "/b": "/a"}[request.path]
        return web.Response(status=302, headers={"Location": there})

    (reply,) = asked(turn, Question(A, "/", follows=True))
    assert reply.fault is Fault.LOOP
    assert [each.location for each in reply.hops] == ["/a", "/b", "/a"]


def test_redirects_without_end_end(asked):
    async def onwards(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{request.path}x"})

    (reply,) = asked(onwards, Question(A, "/", follows=True))
    assert reply.fault is Fault.LOOP
    assert len(reply.hops) == probe.MOST_HOPS + 1


def answered(converse, question: Question = PAGE, tls: ssl.SSLContext | None = None, ca: str | None = "", **more):
    async def go():
        async with raw(converse, tls) as places:
            return await ask_route(Route(places, ca_pem=ca or None), question, **more)

    return asyncio.run(go())[0]


PLAIN = Question(A, "/", scheme="http")


def test_server_that_accepts_and_never_answers_is_a_time_out(monkeypatch):
    monkeypatch.setattr(probe, "REQUEST_S", 0.3)

    async def nothing(reader, writer):
        await reader.read()
        writer.close()

    reply = answered(nothing, PLAIN)
    assert (reply.fault, len(reply.attempts)) == (Fault.TIME_OUT, 1)


def test_server_that_never_finishes_the_handshake_is_named_as_that(monkeypatch):
    monkeypatch.setattr(probe, "CONNECT_S", 0.2)
    monkeypatch.setattr(troubles, "CONNECT_S", 0.2)

    async def nothing(reader, writer):
        await reader.read()
        writer.close()

    reply = answered(nothing)
    assert reply.fault is Fault.TIME_OUT
    assert "accepted the connection, and did nothing" in reply.error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "peer closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "illegal"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000 + b"\r\n\r\n", ""),
        (b"", "disconnected"),
    ],
    ids=["cut off", "another protocol", "headers without end", "nothing"],
)
def test_answer_that_is_none_is_cut_off_and_looked_at_again(words, said):
    async def babble(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        writer.close()

    reply = answered(babble, PLAIN)
    assert (reply.fault, len(reply.attempts)) == (Fault.CUT_OFF, 3)
    assert said in reply.error


def test_something_that_speaks_no_tls_is_a_failed_handshake():
    async def babble(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    reply = answered(babble)
    assert reply.fault is Fault.CERTIFICATE
    assert "WRONG_VERSION_NUMBER" in reply.error


def test_secrets_in_a_page_or_a_header_are_not_kept(asked):
    async def leak(request: web.BaseRequest) -> web.Response:
        return web.json_response({"debug": "password=hunter2-hunter2"}, headers={"X-Debug": "token=s3cr3t-s3cr3t"})

    (reply,) = asked(leak, PAGE)
    assert "hunter2" not in reply.body
    assert "s3cr3t" not in repr(reply.headers)


def test_as_many_headers_are_kept_as_can_be_borne(asked):
    async def verbose(request: web.BaseRequest) -> web.Response:
        return web.Response(headers={f"X-{number}": "v" * 3000 for number in range(20)})

    (reply,) = asked(verbose, PAGE)
    assert max(map(len, reply.headers.values())) == reading.LONGEST_HEADER


@pytest.mark.parametrize(
    ("code", "said"), [("NXDOMAIN", "NXDOMAIN"), ("SERVFAIL", "SERVFAIL"), ("silent", "lifetime expired")]
)
def test_name_that_does_not_resolve_is_told_as_the_dns_told_it(code, said):
    async def go():
        record = Record(code="NOERROR" if code == "silent" else code)
        transport, port = await serve({A: record}, silent=code == "silent")
        try:
            return await resolve([A], (f"127.0.0.1 {port}",), look_s=0.2)
        finally:
            transport.close()

    found = asyncio.run(go())
    assert [each.kind for each in found] == ["A", "AAAA"]
    assert all(said in (each.code, *each.error.partition(" after")) or said in each.error for each in found)


def test_machine_without_a_dns_server_is_told(monkeypatch):
    import dns.resolver

    def none(*_, **__):
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr("dns.asyncresolver.Resolver", none)
    found = asyncio.run(resolve([A], ()))
    assert all("no DNS server is configured here" in each.error for each in found)


def test_silent_host_is_known_by_two_questions_whatever_it_is_asked(serving, monkeypatch):
    """Sixty of them end together, in the time of two."""
    monkeypatch.setattr(probe, "REQUEST_S", 0.3)
    environment = small()
    hosts = [each.host for each in environment.brands.values()]
    asked: Counter[str] = Counter()

    async def nothing(request: web.BaseRequest) -> web.Response:
        asked[request.host] += 1
        await asyncio.sleep(5)
        return web.Response()

    async def go() -> list[Reply]:
        async with (
            serving(nothing, *hosts) as server,
            probe.Prober(server.route, RUN_ID, Deadline(30), answers(*hosts), rest=no_rest) as prober,
        ):
            looking = Looking(environment, prober, datetime.now(UTC))
            of = [looking._host(host, questions(environment)[host]) for host in hosts]
            return [reply for replies in await asyncio.gather(*of) for reply in replies]

    replies = asyncio.run(go())
    assert asked == dict.fromkeys(hosts, 2)
    assert len(replies) > 10
    assert {each.fault for each in replies} == {Fault.TIME_OUT}


def test_sweep_that_was_cut_short_is_unverified_and_never_green():
    environment = small()
    empty = Sweep(environment="uk-prod", run_id="r", taken=datetime(2026, 11, 25, 12, tzinfo=UTC))
    states = {each.state for of in judged(empty, environment).values() for each in of.values()}
    assert states <= {State.UNVERIFIED, State.NOT_APPLICABLE}
    assert answer_rules.code(Seen(empty, environment, "v1"), environment.api.host).state is State.UNVERIFIED
