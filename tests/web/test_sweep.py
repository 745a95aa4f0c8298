"""The sweep over real TLS on loopback: the right host, the right certificate, and bounds on everything."""

from __future__ import annotations

import asyncio
import gzip
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
from aiohttp import web

from postdeploy.deadline import Deadline
from postdeploy.verdict import State, Unverified, Verdict
from postdeploy.web import probe
from postdeploy.web.claims import WebClaims
from postdeploy.web.headers import synthetic, traceparent
from postdeploy.web.replies import Fault
from postdeploy.web.route import Route
from postdeploy.web.sweep import HEALTH, PATHS, VERSION, load, save, sweep

A, B = "alpha.example", "beta.example"
RUN_ID = "20261122T190000Z-v2026.47.1-abc123"
RELEASE = "v2026.47.1"


async def healthy(request: web.BaseRequest) -> web.Response:
    if request.path == VERSION:
        return web.json_response({"version": RELEASE, "build": "c0ffee"})
    return web.json_response({"status": "ok"}, headers={"Server": "crm", "Set-Cookie": "sid=1"})


def claims(seen) -> WebClaims:
    return WebClaims(seen, SimpleNamespace(name="uk-test"), RELEASE)


def test_healthy_hosts_pass_both_claims(swept):
    seen = swept(healthy, A, B)
    judged = claims(seen)
    assert [(each.host, each.path, each.status) for each in seen.replies] == [
        (host, path, 200) for host in (A, B) for path in PATHS
    ]
    assert {judged.health(host).state for host in (A, B)} == {State.PASSED}
    assert {judged.version(host).state for host in (A, B)} == {State.PASSED}
    assert not seen.is_offline


def test_each_host_is_asked_for_by_its_own_name_and_shows_its_own_certificate(serving):
    """One pool for all would hand the first host's connection, and its certificate, to the second."""
    hosts: list[str] = []

    async def note(request: web.BaseRequest) -> web.Response:
        hosts.append(request.host)
        return await healthy(request)

    async def go():
        async with serving(note, A, B) as server:
            seen = await sweep(
                SimpleNamespace(name="x", hosts=(A, B)), server.route, deadline=Deadline(30), run_id=RUN_ID
            )
            return seen, server.asked

    seen, asked = asyncio.run(go())
    assert sorted(asked) == [A, B], "one handshake a host"
    assert sorted(set(hosts)) == [A, B]
    assert all(each.fault is None for each in seen.replies)


def test_another_hosts_certificate_is_refused_and_not_asked_for_twice(swept):
    seen = swept(healthy, A, B, shown={B: A})
    wrong = seen.reply(B, HEALTH)
    assert wrong.fault is Fault.CERTIFICATE
    assert "match" in wrong.error
    assert len(wrong.attempts) == 1
    assert seen.reply(B, VERSION).attempts == (), "an unreachable host is not asked for another path"
    assert claims(seen).health(A).state is State.PASSED
    assert claims(seen).version(B).state is State.FAILED


def test_an_unknown_authority_is_not_trusted(serving):
    async def go():
        async with serving(healthy, A) as server:
            route = Route(hosts=server.route.hosts)
            return await sweep(SimpleNamespace(name="x", hosts=(A,)), route, deadline=Deadline(30), run_id=RUN_ID)

    assert asyncio.run(go()).replies[0].fault is Fault.CERTIFICATE


def test_something_that_speaks_no_tls_is_a_failed_handshake():
    async def go():
        async def babble(reader, writer):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        async with server:
            route = Route(hosts={A: f"127.0.0.1:{server.sockets[0].getsockname()[1]}"})
            return await sweep(SimpleNamespace(name="x", hosts=(A,)), route, deadline=Deadline(30), run_id=RUN_ID)

    reply = asyncio.run(go()).replies[0]
    assert reply.fault is Fault.CERTIFICATE
    assert "WRONG_VERSION_NUMBER" in reply.error


def test_every_request_says_that_it_is_synthetic(swept):
    seen: list[dict[str, str]] = []

    async def note(request: web.BaseRequest) -> web.Response:
        seen.append(dict(request.headers))
        return await healthy(request)

    swept(note, A)
    assert {each["X-Synthetic-Test"] for each in seen} == {RUN_ID}
    assert all(each["User-Agent"].startswith("postdeploy/") for each in seen)
    traces = [each["traceparent"] for each in seen]
    assert len(set(traces)) == 2, "each request is a span of its own"
    assert len({each.split("-")[1] for each in traces}) == 1, "and all are one trace"


def test_traceparent_is_well_formed():
    version, trace, span, flags = traceparent(RUN_ID, A, HEALTH).split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")


def test_synthetic_headers_do_without_an_installed_package(monkeypatch):
    from postdeploy.web import headers

    monkeypatch.setattr(headers, "version", lambda name: (_ for _ in ()).throw(headers.PackageNotFoundError))
    headers._version.cache_clear()
    try:
        assert synthetic(RUN_ID)["User-Agent"] == "postdeploy/0"
    finally:
        headers._version.cache_clear()


def test_a_proxy_is_never_asked_for_loopback(swept, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert swept(healthy, A).reply(A, HEALTH).status == 200


def test_a_long_body_is_cut(swept):
    async def flood(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    reply = swept(flood, A).reply(A, HEALTH)
    assert reply.cut
    assert len(reply.body) == probe.BODY_LIMIT


def test_a_gzip_bomb_is_unpacked_no_further_than_the_limit(swept):
    bomb = gzip.compress(b"0" * 30_000_000, mtime=0)

    async def explode(request: web.BaseRequest) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    reply = swept(explode, A).reply(A, HEALTH)
    assert reply.cut
    assert len(reply.body) == probe.BODY_LIMIT


def test_a_body_that_is_not_what_it_says_is_kept_as_it_came(swept):
    async def lie(request: web.BaseRequest) -> web.Response:
        return web.Response(
            body=b'{"status":"ok"}\xff', headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
        )

    seen = swept(lie, A)
    assert seen.reply(A, HEALTH).body == '{"status":"ok"}\N{REPLACEMENT CHARACTER}'
    assert claims(seen).health(A).state is State.FAILED


def test_an_answer_that_never_comes_is_bounded_and_not_repeated(swept, monkeypatch):
    monkeypatch.setattr(probe, "REQUEST_S", 0.05)
    looks = 0

    async def hang(request: web.BaseRequest) -> web.Response:
        nonlocal looks
        looks += request.path == HEALTH
        await asyncio.Event().wait()
        raise AssertionError

    seen = swept(hang, A)
    assert seen.reply(A, HEALTH).fault is Fault.TIME_OUT
    assert looks <= 1
    assert len(seen.reply(A, HEALTH).attempts) == 1
    assert claims(seen).health(A).state is State.FAILED


def test_when_the_runs_time_ends_while_waiting_the_product_is_not_blamed(swept):
    async def hang(request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    seen = swept(hang, A, deadline=Deadline(0.2))
    assert [each.fault for each in seen.replies] == [Fault.NOT_LOOKED] * 2
    assert claims(seen).health(A).state is State.UNVERIFIED
    assert seen.reply(A, HEALTH).attempts[0].outcome is Verdict.UNVERIFIED


def test_a_broken_answer_is_looked_at_again_and_the_failed_look_is_remembered(serving):
    looks = 0

    async def stumble(request: web.BaseRequest) -> web.Response:
        nonlocal looks
        looks += 1
        if looks == 1:
            request.transport.abort()
        return await healthy(request)

    async def go():
        async with serving(stumble, A) as server:
            prober = probe.Prober(server.route, RUN_ID, Deadline(30), rest=no_rest)
            async with prober.visit(A) as ask:
                return await ask(HEALTH)

    reply = asyncio.run(go())
    assert reply.status == 200
    assert [each.outcome for each in reply.attempts] == [Verdict.FAILED, Verdict.PASSED]
    assert str(Fault.CUT_OFF) in reply.attempts[0].reason


async def no_rest(seconds: float) -> None:
    """Time does not pass in tests."""


def ask_route(route: Route, host: str = A, deadline: Deadline | None = None):
    async def go():
        prober = probe.Prober(route, RUN_ID, deadline or Deadline(30), rest=no_rest)
        async with prober.visit(host) as ask:
            return await ask(HEALTH)

    return asyncio.run(go())


def test_a_refused_connection_is_looked_at_three_times():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        reply = ask_route(Route(hosts={A: f"127.0.0.1:{closed.getsockname()[1]}"}))
    assert reply.fault is Fault.CONNECT
    assert [each.outcome for each in reply.attempts] == [Verdict.FAILED] * 3


def test_a_rehearsal_never_falls_back_to_the_real_network():
    reply = ask_route(Route(hosts={B: "127.0.0.1:9"}))
    assert reply.fault is Fault.NOT_LOOKED
    assert B in reply.error
    with pytest.raises(Unverified, match="does not serve"):
        Route(hosts={B: "127.0.0.1:9"}).origin(A)


def test_nothing_is_sent_once_the_time_is_spent():
    reply = ask_route(Route(hosts={A: "127.0.0.1:9"}), deadline=Deadline(0))
    assert reply.fault is Fault.NOT_LOOKED
    assert reply.trace == ""


def test_the_real_route_uses_the_host_itself():
    route = Route()
    assert route.is_real
    assert route.origin(A) == f"https://{A}"
    assert route.server_name(A) == {}
    assert route.trust().check_hostname


def test_a_saved_sweep_is_judged_alike(swept):
    async def odd(request: web.BaseRequest) -> web.Response:
        if request.host == B:
            return web.Response(status=503, text="down for maintenance")
        return web.json_response({"status": "degraded", "checks": {"kyc": "slow"}, "version": "v2026.46.9"})

    seen = swept(odd, A, B)
    again = load(save(seen))
    assert again == seen
    for host in (A, B):
        assert claims(again).health(host) == claims(seen).health(host)
        assert claims(again).version(host) == claims(seen).version(host)
    assert save(seen) == save(again)


def test_secrets_and_addresses_in_a_page_are_not_kept(swept):
    async def leak(request: web.BaseRequest) -> web.Response:
        return web.json_response({"status": "ok", "debug": "password=hunter2-hunter2"}, headers={"Set-Cookie": "a=b"})

    reply = swept(leak, A).reply(A, HEALTH)
    assert "hunter2" not in reply.body
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", gzip.compress(b"{}", mtime=0), gzip.compress(b"x" * 99, mtime=0)[:-9]],
    ids=["empty", "nonsense", "another shape", "cut off"],
)
def test_what_is_not_a_sweep_is_refused_with_one_kind_of_error(data):
    with pytest.raises(ValueError, match="not a sweep"):
        load(data)


def test_judging_needs_no_http_client():
    code = "import sys, postdeploy.web.claims, postdeploy.broker.desk; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
