"""TLS that takes many records at once: the same bytes, the same refusals and the same ends as a socket of `ssl`."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from postdeploy.cluster.logs.tls import Tls

AUTHORITY = trustme.CA()
BODY = bytes(range(256)) * 4_000
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@contextmanager
def serving(*answers: bytes, is_polite: bool = True) -> Iterator[int]:
    """A TLS server that gives these answers on one connection, then says goodbye, or just hangs up."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            raw, _ = listening.accept()
            with raw:
                try:
                    tls = context.wrap_socket(raw, server_side=True)
                    for each in answers:
                        tls.recv(4096)
                        tls.sendall(each)
                    if is_polite:
                        tls.unwrap()
                except OSError:
                    pass  # the client did not like our certificate, or has gone

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def connected(port: int, context: ssl.SSLContext, name: str = "127.0.0.1") -> http.client.HTTPConnection:
    made = http.client.HTTPConnection("127.0.0.1", port)
    made.sock = Tls(socket.create_connection(("127.0.0.1", port), timeout=5), context, name)
    return made


def asked(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    connection.request("GET", "/")
    return connection.getresponse()


def test_bodies_of_many_records_come_through_one_connection():
    with serving(HEAD + BODY, HEAD + BODY) as port:
        connection = connected(port, trusting(AUTHORITY))
        assert [asked(connection).read() for _ in range(2)] == [BODY, BODY]
        connection.close()


def test_a_large_buffer_is_filled():
    with serving(HEAD + BODY) as port:
        connection = connected(port, trusting(AUTHORITY))
        buffer = memoryview(bytearray(100_000))
        assert asked(connection).readinto(buffer) == len(buffer)
        assert buffer == BODY[: len(buffer)]
        connection.close()


@pytest.mark.parametrize("is_polite", [True, False])
def test_an_end_before_its_time_is_an_end_and_no_error(is_polite):
    with serving(HEAD + BODY[:50_000], is_polite=is_polite) as port:
        connection = connected(port, trusting(AUTHORITY))
        with pytest.raises(http.client.IncompleteRead) as caught:
            asked(connection).read()
        connection.close()
    assert caught.value.partial == BODY[:50_000]


def test_a_certificate_of_somebody_else_is_refused():
    with serving(HEAD) as port, pytest.raises(ssl.SSLCertVerificationError):
        connected(port, trusting(trustme.CA()))


def test_a_certificate_for_another_name_is_refused():
    with serving(HEAD) as port, pytest.raises(ssl.SSLCertVerificationError):
        connected(port, trusting(AUTHORITY), "api.other.example")


def test_a_server_that_falls_silent_runs_into_the_time_out():
    with serving() as port, socket.create_server(("127.0.0.1", 0)) as mute:
        raw = socket.create_connection(mute.getsockname(), timeout=0.05)
        with pytest.raises(TimeoutError):
            Tls(raw, trusting(AUTHORITY), "127.0.0.1")
        assert raw.fileno() == -1
        socket.create_connection(("127.0.0.1", port)).close()
