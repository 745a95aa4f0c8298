"""Certificates, DNS, redirects, headers, cookies, caches and origins: each rule with literal replies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from postdeploy.verdict import State
from postdeploy.web.replies import Answer, Certificate, Cookie, Fault, Handshake, Hop, Link
from tests.web.build import API, ASSURED, HOST, LOGIN, NOW, WINDOW, judged, reply, varied

DAY = timedelta(days=1)
SITE = "crl.uk.northgate.example"


def certificate(lived: float, lifetime: float, **more) -> Certificate:
    made = NOW - lived * DAY
    given = {"subject": f"CN={HOST}", "issuer": "CN=ca", "names": (HOST,), "serial": "1f", "der": b""} | more
    return Certificate(not_before=made, not_after=made + lifetime * DAY, **given)


def linked(tls: str = "TLSv1.3", chain: tuple[str, ...] = ("leaf", "root")) -> Link:
    return Link(address="203.0.113.10", tls=tls, chain=chain, verified=True)


@pytest.mark.parametrize(
    ("lived", "lifetime", "state"),
    [
        (20, 90, State.PASSED),
        (4, 7, State.PASSED),  # three days of a week are much
        (85, 90, State.FAILED),  # five of ninety are little
        (75, 90, State.DEGRADED),
        (340, 365, State.FAILED),
        (91, 90, State.FAILED),
    ],
)
def test_what_is_left_of_a_certificate_is_measured_by_its_lifetime(lived, lifetime, state):
    known = {"leaf": certificate(lived, lifetime), "root": certificate(2000, 7300)}
    assert judged("expiry", reply(link=linked()), certificates=known).state is state


def test_issuer_counts_once_it_has_expired():
    known = {"leaf": certificate(20, 90), "root": certificate(3650, 3649, subject="CN=old root")}
    judgement = judged("expiry", reply(link=linked()), certificates=known)
    assert "the issuer CN=old root expired" in judgement.seen


def test_certificate_of_each_hop_counts():
    hop = Hop(url="https://old.example/", status=301, location="/", link=linked(chain=("hop",)))
    known = {"leaf": certificate(20, 90), "hop": certificate(89, 90, names=("old.example",))}
    found = reply(probe="redirect", about="www", hops=(hop,), link=linked(chain=("leaf",)))
    assert "old.example" in judged("expiry", found, certificates=known).seen


def test_refused_certificate_is_told_with_what_was_shown():
    shown = Link(address="203.0.113.10", chain=("leaf",))
    found = reply(fault=Fault.CERTIFICATE, error="certificate has expired", link=shown)
    judgement = judged("chain", found, certificates={"leaf": certificate(91, 90)})
    assert judgement.state is State.FAILED
    assert f"shown was one of 1 for {HOST}, valid 2026-08-26 to 2026-11-24" in judgement.seen
    assert judged("chain", reply(fault=Fault.CERTIFICATE, error="alert")).seen == f"{HOST}: alert"


def test_tls_is_not_judged_where_it_is_declared_away_and_unverified_where_it_did_not_come_about():
    for rule in ("chain", "expiry", "protocol", "security", "cookies"):
        assert judged(rule, host=SITE).state is State.NOT_APPLICABLE
    for rule in ("chain", "expiry", "protocol"):
        assert judged(rule, reply(fault=Fault.CONNECT)).state is State.UNVERIFIED


@pytest.mark.parametrize(
    ("tls", "outcome", "state"),
    [
        ("TLSv1.3", "refused", State.PASSED),
        ("TLSv1.2", "refused", State.PASSED),
        ("TLSv1.1", "refused", State.FAILED),
        ("TLSv1.3", "accepted", State.FAILED),
        ("TLSv1.3", "not-offered", State.UNVERIFIED),
        ("TLSv1.3", "no-answer", State.UNVERIFIED),
    ],
)
def test_old_protocol_must_be_refused_when_it_was_really_offered(tls, outcome, state):
    offer = Handshake(host=HOST, address="203.0.113.10", offered="TLSv1", outcome=outcome, detail="alert 70")
    assert judged("protocol", reply(link=linked(tls)), handshakes=(offer,)).state is state


V4, V6 = ("203.0.113.10",), ("2001:db8:cafe::10",)


@pytest.mark.parametrize(
    ("kind", "found", "state", "said"),
    [
        ("A", {"code": "NOERROR", "addresses": V4}, State.PASSED, ""),
        ("AAAA", {"code": "NOERROR", "addresses": V6, "aliases": ("lb.example",)}, State.PASSED, ""),
        ("A", {"code": "NOERROR", "addresses": ("198.51.100.1",)}, State.FAILED, "198.51.100.1, expected"),
        ("AAAA", {"code": "NOERROR"}, State.FAILED, "no record, expected one of"),
        ("A", {"code": "NXDOMAIN"}, State.FAILED, "NXDOMAIN"),
        ("A", {"code": "SERVFAIL", "error": "dnssec"}, State.FAILED, "SERVFAIL"),
        ("A", {"error": "timed out"}, State.UNVERIFIED, "no answer: timed out"),
    ],
)
def test_each_record_type_leads_into_the_declared_set(kind, found, state, said):
    judgement = judged("dns", reply(), answers=(Answer(host=HOST, kind=kind, **found),))
    assert judgement.state is state
    assert said in judgement.seen


def test_family_that_is_declared_away_must_be_empty():
    from postdeploy.environment.web import Addresses

    only = varied(addresses=Addresses(ipv4=("203.0.113.0/24",)))
    empty = Answer(host=HOST, kind="AAAA", code="NOERROR")
    assert judged("dns", reply(), answers=(empty,), environment=only).state is State.PASSED
    stray = Answer(host=HOST, kind="AAAA", code="NOERROR", addresses=V6)
    assert "expected none at all" in judged("dns", reply(), answers=(stray,), environment=only).seen
    assert judged("dns", environment=varied(addresses=None)).state is State.NOT_APPLICABLE
    assert judged("dns", reply()).state is State.UNVERIFIED


def hop(url: str, location: str, status: int = 301) -> Hop:
    return Hop(url=url, status=status, location=location, headers=ASSURED)


HTTP, END = f"http://{HOST}/", f"https://{HOST}/"


@pytest.mark.parametrize(
    ("hops", "url", "state", "said"),
    [
        ([hop(HTTP, END)], END, State.PASSED, "https in 1"),
        ([hop(HTTP, END), hop(END, "/en-GB/")], f"{END}en-GB/", State.PASSED, ""),
        ([], "", State.FAILED, "instead of a redirect"),
        ([hop(HTTP, "https://elsewhere.example/")], "https://elsewhere.example/", State.FAILED, "expected https://"),
        ([hop(HTTP, END), hop(END, HTTP)], HTTP, State.FAILED, "leads down to http"),
        (
            [
                hop(HTTP, "http://a.example/"),
                hop("http://a.example/", "http://b.example/"),
                hop("http://b.example/", END),
            ],
            END,
            State.FAILED,
            "3 hops to",
        ),
    ],
)
def test_redirect_ends_where_it_is_declared_to(hops, url, state, said):
    found = reply("/", "x", probe="redirect", about="https", subject=HOST, hops=tuple(hops), url=url)
    judgement = judged("redirects", found)
    assert judgement.state is state
    assert said in judgement.seen


def test_redirect_that_ends_in_an_error_or_a_circle_fails():
    broken = reply("/", "x", 502, probe="redirect", about="https", hops=(hop(HTTP, END),), url=END)
    assert "it ends in 502" in judged("redirects", broken).seen
    circle = reply("/", probe="redirect", about="https", fault=Fault.LOOP, error="again")
    assert judged("redirects", circle).state is State.FAILED
    away = reply("/", "x", 503, probe="redirect", about="https")
    assert judged("redirects", away, moment=WINDOW).state is State.PASSED


@pytest.mark.parametrize(
    ("location", "state"),
    [
        ("/en-GB/login", State.PASSED),
        (f"https://{API}/", State.PASSED),
        ("", State.PASSED),
        ("https://evil.example/", State.FAILED),
        ("//evil.example/", State.FAILED),
        ("/\\evil.example/", State.FAILED),
        (f"https://{HOST}.evil.example/", State.FAILED),
        (f"https://{HOST}@evil.example/", State.FAILED),
    ],
)
def test_nobody_is_led_to_a_stranger(location, state):
    found = reply("/login", status=302, probe="open-redirect", headers={"location": location})
    assert judged("open_redirect", found).state is state


FULL = ASSURED | {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        ({}, State.PASSED, ""),
        ({"strict-transport-security": 'MAX-AGE="31536000" ; includeSubDomains'}, State.PASSED, ""),
        ({"strict-transport-security": "max-age=300; includeSubDomains"}, State.FAILED, "expected max-age"),
        ({"strict-transport-security": "max-age=31536000"}, State.DEGRADED, "leaves sub-domains out"),
        ({"strict-transport-security": ""}, State.FAILED, "no Strict-Transport-Security"),
        ({"x-content-type-options": "none"}, State.FAILED, "not nosniff"),
        ({"content-security-policy": "img-src *"}, State.FAILED, "no Content-Security-Policy for scripts"),
        ({"content-security-policy": "script-src 'unsafe-inline'"}, State.FAILED, "allows inline scripts"),
        ({"content-security-policy": "script-src 'unsafe-inline' 'nonce-x'"}, State.PASSED, ""),
        ({"x-frame-options": ""}, State.PASSED, ""),
        ({"x-frame-options": "ALLOW", "content-security-policy": "script-src 'self'"}, State.FAILED, "frame it"),
        ({"referrer-policy": "unsafe-url"}, State.FAILED, "Referrer-Policy unsafe-url"),
        ({"referrer-policy": "unsafe-url, same-origin"}, State.PASSED, ""),
        ({"referrer-policy": ""}, State.FAILED, "Referrer-Policy is absent"),
    ],
)
def test_page_carries_the_headers_that_protect_a_browser(change, state, said):
    found = reply(headers=FULL | change, link=linked(), probe="missing")
    judgement = judged("security", found, *_rest())
    assert judgement.state is state
    assert said in judgement.seen


def _rest():
    """Good answers of the host's endpoints, so that only the one in question can be wrong."""
    paths = ("/health", "/version", "/en-GB/", LOGIN)
    return [reply(path, headers=FULL, link=linked()) for path in paths]


def test_hop_over_https_carries_hsts_too():
    bare = Hop(url="https://www.x.example/", status=301, location="/", link=linked())
    found = reply(probe="redirect", about="www", hops=(bare,), link=linked(), headers=FULL)
    assert "the redirect from https://www.x.example/" in judged("security", found, *_rest()).seen


@pytest.mark.parametrize(
    ("cookie", "state", "said"),
    [
        (Cookie(name="sid", secure=True, http_only=True, same_site="lax"), State.PASSED, "sid"),
        (Cookie(name="csrftoken", secure=True, same_site="strict"), State.PASSED, ""),
        (Cookie(name="sid", secure=True, same_site="lax"), State.FAILED, "not HttpOnly"),
        (Cookie(name="sid", http_only=True, same_site="lax"), State.FAILED, "not Secure"),
        (Cookie(name="sid", secure=True, http_only=True), State.FAILED, "no SameSite"),
        (Cookie(name="sid", http_only=True, same_site="none"), State.FAILED, "not Secure"),
        (Cookie(name="old", is_removal=True), State.PASSED, ""),
    ],
)
def test_cookie_is_safe(cookie, state, said):
    judgement = judged("cookies", reply(cookies=(cookie,)))
    assert judgement.state is state
    assert said in judgement.seen


def test_cookies_of_a_silent_host_are_not_judged():
    assert judged("cookies", reply(fault=Fault.TIME_OUT)).state is State.UNVERIFIED


@pytest.mark.parametrize(
    ("headers", "state", "said"),
    [
        ({"cache-control": "no-cache"}, State.PASSED, ""),
        ({"cache-control": "Private, Max-Age=0, must-revalidate"}, State.PASSED, ""),
        ({"cache-control": "no-store"}, State.PASSED, ""),
        ({"cache-control": "max-age=60"}, State.FAILED, "expected no-cache"),
        ({}, State.FAILED, "is absent"),
        ({"cache-control": "no-cache, s-maxage=600"}, State.FAILED, "shared caches may keep it"),
        ({"cache-control": "no-cache", "age": "41"}, State.FAILED, "is 41 s old"),
    ],
)
def test_page_is_asked_for_anew(headers, state, said):
    replies = [reply("/en-GB/", headers={"cache-control": "no-cache"}), reply(headers=headers)]
    judgement = judged("caching", *replies)
    assert judgement.state is state
    assert said in judgement.seen


def test_private_answer_is_never_stored_and_hashed_file_is_kept():
    paths = ("/api/v1/instruments", "/api/v1/accounts", "/api/v1/deposits")
    stored = {"cache-control": "no-store"}
    private = [reply(path, {}, 401, host=API, headers=stored) for path in paths]
    assert judged("caching", *private, host=API).state is State.PASSED
    kept = reply(paths[0], {}, 401, host=API, headers={"cache-control": "private"})
    assert "expected no-store" in judged("caching", kept, *private[1:], host=API).seen
    pages = [reply(path, headers={"cache-control": "no-cache"}) for path in ("/en-GB/", LOGIN)]
    script = reply("/assets/app.1a2b3c4d5e.js", probe="asset", headers={"cache-control": "max-age=60"})
    assert judged("caching", *pages, script).state is State.DEGRADED
    plain = reply("/assets/app.js", probe="asset", headers={"cache-control": "no-cache"})
    assert judged("caching", *pages, plain).state is State.PASSED, "its name does not change with its content"


def preflight(origin: str, allowed: str, status: int = 204, credentials: str = ""):
    given = {"access-control-allow-origin": allowed, "access-control-allow-credentials": credentials}
    return reply("/api/v1/status", "", status, API, probe="preflight", about=origin, headers=given)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (preflight(f"https://{HOST}", f"https://{HOST}"), State.PASSED),
        (preflight(f"https://{HOST}", ""), State.FAILED),
        (preflight(f"https://{HOST}", f"https://{HOST}", 403), State.FAILED),
        (preflight("https://evil.example", ""), State.PASSED),
        (preflight("https://evil.example", "", 403), State.PASSED),
        (preflight("https://evil.example", f"https://{HOST}"), State.PASSED),
        (preflight("https://evil.example", "https://evil.example"), State.FAILED),
        (preflight("null", "null"), State.FAILED),
        (preflight("null", "*"), State.FAILED),
        (preflight("https://evil.example", "*", credentials="true"), State.FAILED),
    ],
)
def test_only_the_brands_pages_may_call(found, state):
    assert judged("cors", found).state is state


def test_public_data_may_be_called_by_anyone_where_that_is_declared():
    from postdeploy.environment.web import Cors

    open_to_all = varied(cors=Cors(path="/api/v1/status", anyone=True))
    assert judged("cors", preflight("null", "*"), environment=open_to_all).state is State.PASSED
    with_credentials = preflight("null", "*", credentials="true")
    assert judged("cors", with_credentials, environment=open_to_all).state is State.FAILED
    assert judged("cors", environment=varied(cors=None)).state is State.NOT_APPLICABLE
    assert judged("cors").state is State.UNVERIFIED
