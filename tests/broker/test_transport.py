"""The API over real TLS on loopback: certificate by name, and bounds on what it may send."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import trustme

from postdeploy.broker import transport
from postdeploy.broker.claims_identity import grants_session
from postdeploy.broker.line import Line
from postdeploy.broker.looks import Seen
from postdeploy.broker.recording import Fault, Recording, Sight
from postdeploy.verdict import State

HOST = "api.alpha.example"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def brokerage(authority: trustme.CA, answer, name: str = HOST):
    """A small HTTPS server whose certificate is for `name`, and the way to it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Host"])
            answer(self)

        def log_message(self, *_) -> None:
            pass

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    trusted = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    way = {"address": f"127.0.0.1:{server.server_address[1]}", "tls": trusted}
    try:
        yield way, asked
    finally:
        server.shutdown()
        server.server_close()


def log_in(way):
    """The judgement about a login, and every exchange."""
    recording = Recording()
    address, tls = way["address"], way["tls"]
    with transport.open_client(f"https://{address}", {"Host": HOST}, tls, proxied=False) as client:
        line = Line(client, recording, HOST, HOST, rest=lambda seconds: None)
        line.send(transport.Ask("POST", "/api/v1/login", {"password": "correct horse"}), secrets=["correct horse"])
    sight = Sight(steps={"password": [len(recording.exchanges) - 1]})
    return grants_session(HOST, "synthetic-uk", Seen(recording, sight)), recording.exchanges


def grant(handler: BaseHTTPRequestHandler) -> None:
    body = json.dumps(
        {"token": "tok-1234", "token_type": "Bearer", "expires_in": 900, "refresh_token": "ref-1"}
    ).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_the_declared_host_is_asked_for_behind_the_address(authority, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with brokerage(authority, grant) as (way, asked):
        judged, _ = log_in(way)
    assert judged.state is State.PASSED, judged.why
    assert asked == [HOST]


def test_the_certificate_of_another_host_is_refused_at_once(authority):
    with brokerage(authority, grant, name="beta.example") as (way, asked):
        judged, exchanges = log_in(way)
    assert [each.fault for each in exchanges] == [Fault.CERTIFICATE]
    assert judged.state is State.FAILED
    assert asked == [], "the password was not sent"


def test_an_endless_answer_is_cut_off(authority, monkeypatch):
    monkeypatch.setattr(transport, "BODY_LIMIT", 100_000)

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(50):
            handler.wfile.write(b" " * 10_000)

    with brokerage(authority, flood) as (way, _):
        judged, exchanges = log_in(way)
    assert exchanges[0].fault is Fault.CUT_OFF
    assert "longer than" in judged.seen


def test_an_answer_that_drips_is_given_up(authority, monkeypatch):
    """Each byte comes in time, and the whole never does."""
    clock = iter([0.0, *(100.0 * step for step in range(1, 100))])
    monkeypatch.setattr(transport, "monotonic", lambda: next(clock))
    with brokerage(authority, grant) as (way, _):
        _, exchanges = log_in(way)
    assert exchanges[0].fault is Fault.TIME_OUT
    assert "dripped" in exchanges[0].error


def test_nobody_at_home():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        _, exchanges = log_in({"address": f"127.0.0.1:{closed.getsockname()[1]}", "tls": ssl.create_default_context()})
    assert [each.fault for each in exchanges] == [Fault.CONNECT] * 3


@pytest.mark.parametrize(
    ("error", "cause", "fault", "said"),
    [
        (httpx.ConnectError, socket.gaierror(-2, "unknown"), Fault.CONNECT, "the name does not resolve: unknown"),
        (httpx.ConnectError, ssl.SSLEOFError(8, "EOF"), Fault.CONNECT, "EOF"),
        (httpx.ReadError, ssl.SSLError(1, "bad record"), Fault.CUT_OFF, "bad record"),
        (httpx.ConnectTimeout, None, Fault.CONNECT, "ConnectTimeout"),
        (httpx.ProxyError, None, Fault.CONNECT, "ProxyError"),
        (httpx.WriteTimeout, None, Fault.TIME_OUT, "WriteTimeout"),
    ],
)
def test_fault_is_told_by_its_cause(error, cause, fault, said):
    failure = error("")
    failure.__cause__ = cause
    seen, words = transport.fault_of(failure)
    assert seen is fault
    assert said in words


def test_unpacking_is_bounded_and_forgives_a_wrong_label(monkeypatch):
    monkeypatch.setattr(transport, "BODY_LIMIT", 1000)
    assert transport._unpacked(gzip.compress(b"0" * 1_000_000), "gzip") == b"0" * 1000
    assert transport._unpacked(b"{}", "gzip") == b"{}"
    assert transport._unpacked(b"{}", "") == b"{}"
