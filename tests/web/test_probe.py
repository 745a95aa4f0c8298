"""One request over real TLS: the right host, the right certificate, every attempt told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from types import SimpleNamespace

import httpcore
import pytest
import trustme
from aiohttp import web

from postdeploy.deadline import Deadline
from postdeploy.verdict import Verdict
from postdeploy.web import headers, probe, troubles
from postdeploy.web.certificates import described, shown_by
from postdeploy.web.headers import synthetic, traceparent
from postdeploy.web.questions import Question
from postdeploy.web.replies import Answer, Fault
from postdeploy.web.route import NoWay, Route
from tests.web.conftest import ADDRESS, RUN_ID, answers, ask_route, no_rest

A, B = "alpha.example", "beta.example"
HEALTH = Question(A, "/health")


async def healthy(request: web.BaseRequest) -> web.Response:
    return web.json_response({"status": "ok"}, headers={"Server": "crm", "Set-Cookie": "sid=1; Secure; HttpOnly"})


def test_reply_says_everything_about_itself(asked):
    (reply,) = asked(healthy, HEALTH)
    assert (reply.status, reply.media, reply.fault) == (200, "application/json", None)
    assert (reply.link.address, reply.link.tls, reply.link.verified) == (ADDRESS, "TLSv1.3", True)
    assert reply.link.http == "HTTP/1.1"
    assert len(reply.link.chain) == 2
    assert len(reply.sha256) == 64
    assert reply.phases.tls_s > 0
    assert reply.phases.total_s >= reply.phases.first_byte_s > 0
    assert [each.name for each in reply.cookies] == ["sid"]
    assert reply.cookies[0].secure
    assert "set-cookie" not in reply.headers


def test_only_the_request_that_opened_a_connection_pays_for_it(asked):
    first, second = asked(healthy, HEALTH, Question(A, "/version"))
    assert first.phases.tls_s > 0
    assert (second.phases.connect_s, second.phases.tls_s) == (0, 0)
    assert second.link == first.link


def test_no_connection_is_shared_by_two_hosts_at_one_address(serving):
    """A pool that goes by address would hand the first host's connection, and its certificate, to the second."""
    hosts: list[str] = []

    async def note(request: web.BaseRequest) -> web.Response:
        hosts.append(request.host)
        return await healthy(request)

    async def go():
        async with serving(note, A, B) as server:
            replies = await ask_route(server.route, HEALTH, Question(B, "/health"), Question(A, "/version"))
            return replies, server.asked

    replies, names = asyncio.run(go())
    assert names == [A, B], "one handshake a host, each by its own name"
    assert hosts == [A, B, A]
    assert replies[0].link.chain == replies[2].link.chain != replies[1].link.chain


def test_another_hosts_certificate_is_refused_once_and_not_asked_for_again(asked):
    good, wrong, again = asked(healthy, HEALTH, Question(B, "/health"), Question(B, "/version"), shown={B: A})
    assert good.fault is None
    assert wrong.fault is Fault.CERTIFICATE
    assert "match" in wrong.error
    assert len(wrong.attempts) == 1, "a certificate is a verdict"
    assert (again.fault, again.attempts) == (Fault.CERTIFICATE, ()), "an unreachable host is not asked for another path"


def test_what_an_untrusted_host_shows_is_seen_all_the_same(serving):
    async def go():
        async with serving(healthy, A) as server:
            return await shown_by(server.route, A, ADDRESS)

    chain = described(asyncio.run(go()))
    assert next(iter(chain.values())).names == (A,)


def test_nothing_is_shown_where_nobody_listens():
    assert asyncio.run(shown_by(Route({f"{ADDRESS} 443": "127.0.0.1 9"}), A, ADDRESS)) == ()


def test_certificates_that_are_none_are_left_out():
    assert described([b"no certificate"]) == {}


def test_unknown_authority_is_not_trusted(serving):
    async def go():
        async with serving(healthy, A) as server:
            stranger = trustme.CA().cert_pem.bytes().decode()
            return await ask_route(Route(server.route.places, ca_pem=stranger), HEALTH)

    assert asyncio.run(go())[0].fault is Fault.CERTIFICATE


def test_every_request_says_that_it_is_synthetic(asked):
    seen: list[dict[str, str]] = []

    async def note(request: web.BaseRequest) -> web.Response:
        seen.append(dict(request.headers))
        return await healthy(request)

    asked(note, HEALTH, Question(A, "/version"))
    assert {each["x-synthetic-test"] for each in _lower(seen)} == {RUN_ID}
    assert all(each["user-agent"].startswith("postdeploy/") for each in _lower(seen))
    traces = [each["traceparent"] for each in _lower(seen)]
    assert len(set(traces)) == 2, "each request is a span of its own"
    assert len({each.split("-")[1] for each in traces}) == 1, "and all are one trace"
    assert not any("cookie" in each for each in _lower(seen)), "no request inherits another's session"


def _lower(seen):
    return [{name.lower(): value for name, value in each.items()} for each in seen]


def test_traceparent_is_well_formed():
    version, trace, span, flags = traceparent(RUN_ID, A, "/health").split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")


def test_synthetic_headers_do_without_an_installed_package(monkeypatch):
    monkeypatch.setattr(headers, "version", lambda name: (_ for _ in ()).throw(headers.PackageNotFoundError))
    headers._version.cache_clear()
    try:
        assert synthetic(RUN_ID)["User-Agent"] == "postdeploy/0"
    finally:
        headers._version.cache_clear()


def test_proxy_is_never_asked_for_loopback(asked, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert asked(healthy, HEALTH)[0].status == 200


def test_proxy_of_the_machine_is_used_on_the_real_network(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert Route().proxy(A) == "http://127.0.0.1:9"
    assert Route().proxy("inside.example") == ""

    async def go():
        async with probe.Prober(Route(), RUN_ID, Deadline(30), {}, rest=no_rest) as prober:
            assert prober.addresses(A) == ("",)
            return await prober.ask(HEALTH)

    assert asyncio.run(go()).fault is Fault.CONNECT, "nobody listens at the proxy"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_proxys_word_is_looked_at_again_and_every_look_is_told(asked, status):
    looks = 0

    async def stumble(request: web.BaseRequest) -> web.Response:
        nonlocal looks
        looks += 1
        return web.Response(status=status) if looks < 3 else await healthy(request)

    (reply,) = asked(stumble, HEALTH)
    assert reply.status == 200
    assert [each.outcome for each in reply.attempts] == [Verdict.FAILED, Verdict.FAILED, Verdict.PASSED]
    assert reply.attempts[0].reason == f"answered {status}"


@pytest.mark.parametrize("status", [401, 403, 404, 423, 429, 500])
def test_other_statuses_are_verdicts_and_asked_for_once(asked, status):
    looks = 0

    async def refuse(request: web.BaseRequest) -> web.Response:
        nonlocal looks
        looks += 1
        return web.Response(status=status)

    (reply,) = asked(refuse, HEALTH)
    assert (reply.status, looks, len(reply.attempts)) == (status, 1, 1)


def test_three_looks_and_no_more(asked):
    async def away(request: web.BaseRequest) -> web.Response:
        return web.Response(status=503)

    (reply,) = asked(away, HEALTH)
    assert (reply.status, len(reply.attempts)) == (503, 3)


def test_broken_answer_is_looked_at_again(asked):
    looks = 0

    async def stumble(request: web.BaseRequest) -> web.Response:
        nonlocal looks
        looks += 1
        if looks == 1:
            request.transport.abort()
        return await healthy(request)

    (reply,) = asked(stumble, HEALTH)
    assert reply.status == 200
    assert str(Fault.CUT_OFF) in reply.attempts[0].reason


def test_refused_connection_is_looked_at_three_times():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        route = Route({f"{ADDRESS} 443": f"127.0.0.1 {closed.getsockname()[1]}"}, ca_pem=None)
        (reply,) = asyncio.run(ask_route(route, HEALTH))
    assert reply.fault is Fault.CONNECT
    assert [each.outcome for each in reply.attempts] == [Verdict.FAILED] * 3


def test_rehearsal_never_falls_back_to_the_real_network():
    stray = Route({"203.0.113.99 443": "127.0.0.1 9"})
    (reply,) = asyncio.run(ask_route(stray, HEALTH))
    assert reply.fault is Fault.CONNECT
    assert "nothing at 203.0.113.10" in reply.error
    with pytest.raises(NoWay):
        stray.place(ADDRESS, 443)
    assert not Route(ca_pem="pem").is_real, "a rehearsal that serves nothing is one all the same"
    assert Route().place(ADDRESS, 443) == (ADDRESS, 443)


@pytest.mark.parametrize(
    ("said", "fault", "error"),
    [
        ({"A": "NXDOMAIN"}, Fault.RESOLVE, "A NXDOMAIN"),
        ({"A": "NOERROR", "AAAA": "NOERROR"}, Fault.RESOLVE, "A NOERROR, AAAA NOERROR"),
        ({"A": "", "AAAA": "NXDOMAIN"}, Fault.RESOLVE, "A timed out, AAAA NXDOMAIN"),
        ({"A": "", "AAAA": "NOERROR"}, Fault.NOT_LOOKED, "the DNS server did not answer us: A timed out, AAAA NOERROR"),
        ({"A": "", "AAAA": ""}, Fault.NOT_LOOKED, "the DNS server did not answer us: A timed out, AAAA timed out"),
        ({}, Fault.RESOLVE, "nobody asked the DNS for it"),
    ],
)
def test_a_name_without_an_address_is_the_products_fault_only_where_the_dns_said_so(said, fault, error):
    async def go():
        known = {A: tuple(Answer(host=A, kind=kind, code=code, error="timed out") for kind, code in said.items())}
        async with probe.Prober(Route({"x 1": "y 1"}), RUN_ID, Deadline(30), known, rest=no_rest) as prober:
            return await prober.ask(HEALTH)

    reply = asyncio.run(go())
    assert (reply.fault, reply.error) == (fault, error)
    assert len(reply.attempts) == (3 if fault is Fault.RESOLVE else 1)


def test_nothing_is_sent_once_the_time_is_spent():
    (reply,) = asyncio.run(ask_route(Route({f"{ADDRESS} 443": "127.0.0.1 9"}), HEALTH, deadline=Deadline(0)))
    assert reply.fault is Fault.NOT_LOOKED
    assert reply.trace == ""


def test_when_the_runs_time_ends_while_waiting_the_product_is_not_blamed(asked):
    async def hang(request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    (reply,) = asked(hang, HEALTH, deadline=Deadline(0.3))
    assert reply.fault is Fault.NOT_LOOKED
    assert reply.attempts[0].outcome is Verdict.UNVERIFIED


def test_host_that_is_silent_twice_is_not_asked_for_more(asked, monkeypatch):
    monkeypatch.setattr(probe, "REQUEST_S", 0.1)

    async def hang(request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    replies = asked(hang, *(Question(A, f"/{number}") for number in range(4)))
    assert [each.fault for each in replies] == [Fault.TIME_OUT] * 4
    assert [len(each.attempts) for each in replies] == [1, 1, 0, 0]


def test_one_host_is_not_asked_faster_than_declared():
    rests: list[float] = []

    async def note(seconds: float) -> None:
        rests.append(seconds)

    async def go():
        known = answers(A)
        async with probe.Prober(Route({"x 1": "y 1"}), RUN_ID, Deadline(30), known, per_second=10, rest=note) as prober:
            for _ in range(3):
                await prober._pace(A)

    asyncio.run(go())
    assert [round(each, 1) for each in rests] == [0.1, 0.2]


@pytest.mark.parametrize(
    ("error", "cause", "fault", "said"),
    [
        (httpcore.ConnectError, socket.gaierror(-2, "unknown"), Fault.RESOLVE, "unknown (-2)"),
        (httpcore.ConnectError, ssl.SSLError(1, "[SSL] alert"), Fault.CERTIFICATE, "alert"),
        (httpcore.ConnectError, ssl.SSLEOFError(8, "EOF in the handshake"), Fault.CONNECT, "EOF in the handshake"),
        (httpcore.ReadError, ssl.SSLError(1, "bad record"), Fault.CUT_OFF, "bad record"),
        (httpcore.ConnectError, OSError("no route to host"), Fault.CONNECT, "no route to host"),
        (httpcore.ConnectError, OSError(101, "Network is unreachable"), Fault.CONNECT, "this machine has no route"),
        (httpcore.ConnectError, ConnectionRefusedError(111, "refused"), Fault.CONNECT, "refused"),
        (httpcore.ConnectTimeout, OSError("late"), Fault.CONNECT, "no connection within"),
        (httpcore.ReadTimeout, OSError("late"), Fault.TIME_OUT, "no answer within"),
        (httpcore.RemoteProtocolError, OSError("what"), Fault.CUT_OFF, "what"),
        (troubles.HandshakeTimeOut, OSError("late"), Fault.TIME_OUT, "accepted the connection"),
        (ValueError, OSError("what"), Fault.NOT_LOOKED, "harness error: ValueError"),
    ],
)
def test_cause_decides_and_a_handshake_cut_short_is_no_certificate_verdict(error, cause, fault, said):
    failure = error("")
    failure.__cause__ = cause
    seen, words = troubles.fault_of(failure)
    assert seen is fault
    assert said in words


def test_exception_without_a_word_is_named():
    assert troubles.fault_of(httpcore.ReadError("")) == (Fault.CUT_OFF, "ReadError")


def test_only_the_word_of_who_answered_is_needed_for_a_version_of_http():
    assert probe._http(SimpleNamespace(extensions={"http_version": b"HTTP/2"})) == "HTTP/2"
    assert probe._http(SimpleNamespace(extensions={"http_version": "HTTP/3"})) == "HTTP/3"
