"""Blocking sockets in threads: what the server or the network does to a log comes back as an answer, never raised."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import anyio
import pytest

from postdeploy.cluster.answers import Answer
from postdeploy.cluster.logs.wire import Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n0\r\n\r\n"


@contextmanager
def saying(*answers: bytes, per_connection: int = 99) -> Iterator[tuple[str, list[bytes]]]:
    """A server that says these, one a request, and closes a connection after so many."""
    asked: list[bytes] = []
    left = list(answers)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while left:
                connection, _ = listening.accept()
                with connection:
                    for _ in range(per_connection):
                        head = b""
                        while b"\r\n\r\n" not in head and (more := connection.recv(4096)):
                            head += more
                        if not head or not left:
                            break
                        asked.append(head)
                        connection.sendall(left.pop(0))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked


def read(server: str, *paths: str, silence_s: float = 5.0, limit_s: float = 5.0) -> tuple[list[Answer], bytes]:
    """The answers, and all that was fed."""
    fed: list[bytes] = []
    sink = SimpleNamespace(feed=fed.append, close=lambda: None)

    async def reading() -> list[Answer]:
        wire = Wire(server, None)
        try:
            found = [await wire.read(each, {"Authorization": "Bearer x"}, sink, limit_s, silence_s) for each in paths]
        finally:
            wire.close()
        return [each.answer for each in found]

    return anyio.run(reading), b"".join(fed)


@pytest.mark.parametrize("answer", [OK, CHUNKED])
def test_a_body_is_fed_through_and_the_connection_kept(answer):
    with saying(answer, answer) as (server, asked):
        answers, fed = read(server, "/log?a=1", "/log?a=2")
    assert [each.status for each in answers] == [200, 200]
    assert fed == b"hello\nhello\n"
    assert asked[0].startswith(b"GET /log?a=1 HTTP/1.1")
    assert b"Authorization: Bearer x" in asked[0]


def test_a_connection_that_was_closed_meanwhile_is_made_anew():
    with saying(OK, OK, per_connection=1) as (server, _):
        answers, fed = read(server, "/a", "/b")
    assert [each.reason for each in answers] == ["", ""]
    assert fed == b"hello\n" * 2


def test_a_body_that_ends_early_is_a_cut():
    with saying(OK.replace(b"Length: 6", b"Length: 60"), per_connection=1) as (server, _):
        (answer,), fed = read(server, "/a")
    assert (answer.again, fed) == (True, b"hello\n")
    assert "cut" in answer.reason


def test_a_refusal_is_an_answer():
    refusal = b'HTTP/1.1 403 Forbidden\r\nContent-Length: 27\r\n\r\n{"message":"pods/log: no"} \n'
    with saying(refusal) as (server, _):
        (answer,), fed = read(server, "/a")
    assert (answer.status, answer.reason, fed) == (403, "403 Forbidden: pods/log: no", b"")


def test_silence_ends_in_a_time_out():
    with saying(b"") as (server, _):
        (answer,), _ = read(server, "/a", silence_s=0.05)
    assert answer.reason.startswith("time-out")


def test_nobody_there_is_a_cut_connection():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (answer,), _ = read(f"http://127.0.0.1:{port}", "/a")
    assert answer.reason.startswith("connection cut")


def test_a_password_in_the_server_s_address_is_not_said_in_a_header():
    before, behind = Wire("https://user:hidden@k8s.example:6443/below", None).head({"Accept": "*/*"})
    assert (before, behind) == ("GET /below", b" HTTP/1.1\r\nHost: k8s.example:6443\r\nAccept: */*\r\n\r\n")


def test_a_header_of_more_than_one_line_is_refused():
    with pytest.raises(ValueError, match="more than one line"):
        Wire("https://k8s.example", None).head({"Accept": "*/*\r\nX-Injected: 1"})


def test_behind_a_proxy_there_is_no_wire():
    tls = ssl.create_default_context()

    def api(proxy: str | None) -> SimpleNamespace:
        settings = SimpleNamespace(proxy=proxy, host="https://k8s.example:6443", tls_server_name=None)
        return SimpleNamespace(configuration=settings, rest_client=SimpleNamespace(ssl_context=tls))

    assert Wire.of(api("http://proxy.example:3128")) is None
    assert Wire.of(api(None)) is not None
