"""Against httpbin, a server that nobody here wrote: statuses, redirects, encodings, cookies, slow bodies."""

from __future__ import annotations

import asyncio
import hashlib
import string
from collections.abc import Callable, Iterator

import pytest
import trustme

from postdeploy.web import probe
from postdeploy.web.questions import Question
from postdeploy.web.reading import BODY_LIMIT
from postdeploy.web.replies import Fault, Reply
from postdeploy.web.route import Route
from tests.web.conftest import ADDRESS, ask_route
from tests.web.programs import free_port, httpbin_python, running

HOST = "httpbin.example"
SERVE = (
    "import sys, httpbin; httpbin.app.run(port=int(sys.argv[1]), threaded=True, ssl_context=(sys.argv[2], sys.argv[3]))"
)

Ask = Callable[..., Reply]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """What one question to httpbin is answered."""
    folder, port, ca = tmp_path_factory.mktemp("httpbin"), free_port(), trustme.CA()
    made = ca.issue_cert(HOST)
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(each.bytes() for each in made.cert_chain_pems))
    key.write_bytes(made.private_key_pem.bytes())
    route = Route({f"{ADDRESS} 443": f"127.0.0.1 {port}"}, ca_pem=ca.cert_pem.bytes().decode())
    with running([httpbin_python(), "-c", SERVE, str(port), str(chain), str(key)], port, folder / "log"):
        yield lambda path, **more: asyncio.run(ask_route(route, Question(HOST, path, **more)))[0]


@pytest.mark.parametrize("status", [200, 204, 301, 401, 404, 418, 500])
def test_status_is_told_as_it_is(ask, status):
    reply = ask(f"/status/{status}")
    assert (reply.status, reply.fault, len(reply.attempts)) == (status, None, 1)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_status_of_a_proxy_is_looked_at_three_times(ask, status):
    reply = ask(f"/status/{status}")
    assert (reply.status, len(reply.attempts)) == (status, 3)


def test_redirects_are_followed_hop_by_hop(ask):
    reply = ask("/redirect/3", follows=True)
    assert reply.status == 200
    assert [each.status for each in reply.hops] == [302, 302, 302]
    assert reply.url == f"https://{HOST}/get"


def test_redirect_is_not_followed_unless_asked_to(ask):
    reply = ask("/redirect/3")
    assert (reply.status, reply.hops) == (302, ())


def test_redirect_to_a_host_that_nobody_declared_is_told_and_not_followed(ask):
    reply = ask("/redirect-to?url=https%3A%2F%2Fevil.example%2F", follows=True)
    assert reply.url == "https://evil.example/"
    assert reply.hops[0].location == "https://evil.example/"
    assert reply.status == 302


@pytest.mark.parametrize("path", ["/gzip", "/deflate"])
def test_body_that_was_packed_unasked_is_unpacked(ask, path):
    assert '"method":"GET"' in ask(path).body.replace(" ", "")


def test_brotli_was_not_asked_for_and_is_not_mistaken_for_text(ask):
    assert ask("/brotli").garbled


def test_text_of_the_world_is_read_as_it_is(ask):
    reply = ask("/encoding/utf8")
    assert not reply.garbled
    assert "STARGΛ̊TE" in reply.body


def test_cookies_are_told_without_their_values(ask):
    reply = ask("/cookies/set?trace=v4lue")
    assert [(each.name, each.secure) for each in reply.cookies] == [("trace", True)]
    assert "v4lue" not in repr(reply.cookies)


def test_headers_are_ours(ask):
    assert '"X-Synthetic-Test"' in ask("/headers").body


def test_answer_that_drips_within_the_limit_is_whole(ask):
    reply = ask("/drip?numbytes=5&duration=0.5&delay=0")
    assert (reply.size, reply.fault) == (5, None)
    assert reply.phases.total_s > reply.phases.first_byte_s


def test_answer_that_comes_too_late_is_a_time_out(ask, monkeypatch):
    monkeypatch.setattr(probe, "REQUEST_S", 0.5)
    reply = ask("/delay/3")
    assert (reply.fault, len(reply.attempts)) == (Fault.TIME_OUT, 1)


def test_long_answer_is_hashed_whole_and_kept_in_part(ask):
    reply = ask("/range/100000")
    assert (reply.size, reply.cut, len(reply.body)) == (100000, True, BODY_LIMIT)
    assert reply.sha256 == hashlib.sha256((string.ascii_lowercase * 4000)[:100000].encode()).hexdigest()
