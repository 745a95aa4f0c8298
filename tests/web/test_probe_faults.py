"""Why a request has no answer, told from httpx's exceptions and what caused them."""

from __future__ import annotations

import asyncio
import socket
import ssl

import httpx
import pytest

from postdeploy.deadline import Deadline
from postdeploy.web import probe
from postdeploy.web.replies import Fault
from postdeploy.web.route import Route
from postdeploy.web.sweep import HEALTH

HOST = "alpha.example"
RUN_ID = "20261122T190000Z-v2026.47.1-abc123"


async def no_rest(seconds: float) -> None:
    """Time does not pass in tests."""


def look():
    async def go():
        prober = probe.Prober(Route(), RUN_ID, Deadline(30), rest=no_rest)
        async with prober.visit(HOST) as ask:
            return await ask(HEALTH)

    return asyncio.run(go())


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "fault", "looks"),
    [
        (httpx.ConnectError("All connection attempts failed"), Fault.CONNECT, 3),
        (httpx.ConnectTimeout(""), Fault.CONNECT, 3),
        (httpx.ProxyError("502 from the proxy"), Fault.CONNECT, 3),
        (httpx.ReadTimeout(""), Fault.TIME_OUT, 1),
        (httpx.ReadError(""), Fault.CUT_OFF, 3),
        (httpx.RemoteProtocolError("peer closed connection"), Fault.CUT_OFF, 3),
        (httpx.UnsupportedProtocol("gopher"), Fault.NOT_LOOKED, 1),
        (RuntimeError("a bug of ours"), Fault.NOT_LOOKED, 1),
    ],
)
def test_fault_is_told_by_its_cause_and_only_a_look_without_an_answer_is_repeated(respx_mock, error, fault, looks):
    respx_mock.get(f"https://{HOST}{HEALTH}").mock(side_effect=error)
    reply = look()
    assert (reply.fault, len(reply.attempts)) == (fault, looks)
    assert reply.error


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500, 502, 503])
def test_a_status_is_an_answer_and_never_asked_for_twice(respx_mock, status):
    asked = respx_mock.get(f"https://{HOST}{HEALTH}").respond(status, headers={"Location": "https://elsewhere.example"})
    assert look().status == status
    assert asked.call_count == 1


def test_a_bug_of_ours_is_named_as_one(respx_mock):
    respx_mock.get(f"https://{HOST}{HEALTH}").mock(side_effect=RuntimeError("oops"))
    assert look().error == "harness error: RuntimeError: oops"


def test_a_name_that_does_not_resolve_is_told_apart_from_a_host_that_is_down(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    reply = look()
    assert (reply.fault, reply.error) == (Fault.RESOLVE, "Name or service not known (-2)")
    assert len(reply.attempts) == 3


@pytest.mark.parametrize(
    ("error", "cause", "fault", "said"),
    [
        (httpx.ConnectError, socket.gaierror(-2, "unknown"), Fault.RESOLVE, "unknown (-2)"),
        (httpx.ConnectError, ssl.SSLError(1, "[SSL] alert"), Fault.CERTIFICATE, "alert"),
        (httpx.ConnectError, ssl.SSLEOFError(8, "EOF in the handshake"), Fault.CONNECT, "EOF in the handshake"),
        (httpx.ReadError, ssl.SSLError(1, "bad record"), Fault.CUT_OFF, "bad record"),
        (httpx.ConnectError, OSError("no route to host"), Fault.CONNECT, "no route to host"),
    ],
)
def test_the_cause_decides_and_a_handshake_cut_short_is_no_certificate_verdict(error, cause, fault, said):
    seen, words = probe.fault_of(caused(error(""), cause))
    assert seen is fault
    assert said in words


def test_an_exception_without_a_word_is_named():
    assert probe.fault_of(httpx.ReadError("")) == (Fault.CUT_OFF, "ReadError")
