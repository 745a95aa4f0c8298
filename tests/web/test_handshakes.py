"""Old protocols offered to hosts that answer oddly, and feeds that break: each outcome is named for what it is."""

from __future__ import annotations

import asyncio
import ssl
from types import SimpleNamespace

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidHandshake, InvalidStatus, WebSocketException

from postdeploy.web import certificates
from postdeploy.web.certificates import client_hello, offer
from postdeploy.web.feed import _fault_of
from postdeploy.web.replies import Fault
from postdeploy.web.route import NoWay, Route
from tests.web.conftest import ADDRESS, raw

A = "alpha.example"


def offered(words: bytes | None) -> str:
    """What becomes of an offer that is answered with these bytes; None says nothing and keeps the line."""

    async def converse(reader, writer):
        await reader.read(1)
        if words is None:
            await asyncio.sleep(5)
        writer.write(words or b"")
        writer.close()

    async def go():
        async with raw(converse) as places:
            return await offer(Route(places), A, ADDRESS, "TLSv1.1")

    return asyncio.run(go()).outcome


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (bytes([0x15, 3, 1, 0, 2, 2, 70]), "refused"),
        (bytes([0x16, 3, 2, 0, 80, 2, 0]), "accepted"),
        (b"HTTP/1.1 400 Bad Request\r\n", "no-answer"),
        (b"", "refused"),
        (b"\x15", "refused"),
    ],
)
def test_first_record_of_the_answer_decides(words, outcome):
    assert offered(words) == outcome


def test_silence_is_no_answer(monkeypatch):
    monkeypatch.setattr(certificates, "HANDSHAKE_S", 0.1)
    assert offered(None) == "no-answer"


@pytest.mark.parametrize("place", [{f"{ADDRESS} 443": "127.0.0.1 9"}, {"203.0.113.99 443": "127.0.0.1 9"}])
def test_where_nobody_listens_nothing_was_offered_to_anybody(place):
    assert asyncio.run(offer(Route(place), A, ADDRESS, "TLSv1")).outcome == "no-answer"


def test_openssl_that_cannot_offer_says_so_instead_of_passing(monkeypatch):
    def refuse(*_, **__):
        raise ssl.SSLError(1, "no protocols available")

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", refuse)
    assert client_hello(A, "TLSv1") is None
    assert asyncio.run(offer(Route(), A, ADDRESS, "TLSv1")).outcome == "not-offered"


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1"])
def test_hello_names_the_old_version_and_the_host(version):
    hello = client_hello(A, version)
    assert hello is not None
    assert hello[9:11] == {"TLSv1": b"\x03\x01", "TLSv1.1": b"\x03\x02"}[version]
    assert A.encode() in hello


@pytest.mark.parametrize(
    ("error", "fault", "said"),
    [
        (InvalidStatus(SimpleNamespace(status_code=502)), None, "answered 502"),
        (InvalidHandshake("odd"), None, "no WebSocket: odd"),
        (ConnectionClosedError(None, None), Fault.CUT_OFF, "no close frame"),
        (WebSocketException("odd"), Fault.CUT_OFF, "odd"),
        (ssl.SSLError(1, "bad"), Fault.CERTIFICATE, "bad"),
        (TimeoutError(), Fault.TIME_OUT, "no answer in time"),
        (ConnectionRefusedError("refused"), Fault.CONNECT, "refused"),
        (NoWay("nothing there"), Fault.CONNECT, "nothing there"),
        (KeyError("x"), Fault.NOT_LOOKED, "harness error: KeyError"),
    ],
)
def test_feed_that_breaks_is_named_for_how_it_did(error, fault, said):
    found, words = _fault_of(error)
    assert found is fault
    assert said in words
