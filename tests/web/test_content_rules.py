"""Pages, robots, regulated text, contracts, leaks, latency and quotes: each rule with literal observations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from postdeploy.verdict import State
from postdeploy.web import contract_rules, latency_rules, pages
from postdeploy.web.feed import Talk, _moment
from postdeploy.web.replies import Fault, Heard, Quote, Samples
from tests.web.build import API, ENVIRONMENT, HOST, LOGIN, NOW, RELEASE, judged, reply, varied

BRAND = next(iter(ENVIRONMENT.brands.values()))
SCRIPT = "/assets/app.1a2b3c4d5e.js"


def page(head: str = f'<script src="{SCRIPT}"></script>', body: str = "") -> str:
    return f"<html><head>{head}</head><body>{body}</body></html>"


def both(text: str):
    return [reply("/en-GB/", text), reply(LOGIN, text)]


def asset(path: str = SCRIPT, kind: str = "text/javascript", status: int = 200, **more):
    return reply(path, "void 0", status, probe="asset", headers={"content-type": kind}, **more)


@pytest.mark.parametrize(
    ("text", "found", "state", "said"),
    [
        (page(), [asset()], State.PASSED, "2 of them on 2 pages"),
        (page(), [asset(kind="application/javascript")], State.PASSED, ""),
        (page(), [asset(status=404)], State.FAILED, "404 Not Found"),
        (page(), [asset(kind="text/html")], State.FAILED, "text/html instead of a script"),
        (page(), [asset(size=0)], State.FAILED, "an empty script"),
        (page(), [], State.UNVERIFIED, "holds no reply"),
        (page(), [asset(fault=Fault.CERTIFICATE, error="x")], State.FAILED, "fails the TLS handshake"),
        (page(""), [], State.FAILED, "no script and no style"),
        (page('<script src="https://cdn.evil.example/t.js"></script>'), [], State.FAILED, "which nobody declared"),
        (page('<link rel="preload stylesheet" href="/s.css">'), [asset("/s.css", "text/css")], State.PASSED, ""),
        (page('<link rel="icon" href="/i.png"><script src="data:,x"></script>' + page()), [asset()], State.PASSED, ""),
        (page('<base href="/app/"><script src="a.js"></script>'), [asset("/app/a.js")], State.PASSED, ""),
    ],
)
def test_page_finds_what_it_loads(text, found, state, said):
    judgement = judged("assets", *both(text), *found)
    assert judgement.state is state
    assert said in judgement.seen


def test_file_with_another_hash_than_the_page_names_is_another_file():
    text = page(f'<script src="{SCRIPT}" integrity="sha384-good sha384-newer"></script>')
    assert judged("assets", *both(text), asset(integrity="sha384-newer")).state is State.PASSED
    assert "is not what" in judged("assets", *both(text), asset(integrity="sha384-evil")).seen


def test_page_that_is_none_is_not_judged_by_its_scripts():
    assert judged("assets", reply("/en-GB/", status=500), reply(status=500)).state is State.UNVERIFIED
    assert judged("assets", host=API).state is State.NOT_APPLICABLE


OLD = {"build": "b0", "files": ["/assets/app.0.js", "/assets/s.0.css", "no-path"]}
LISTED = {"build": "b1", "files": [SCRIPT], "previous": [OLD]}


def manifest(body, status: int = 200):
    return reply("/assets/manifest.json", body, status, probe="manifest")


def old(path: str, kind: str, status: int = 200):
    return reply(path, "x", status, probe="old-asset", headers={"content-type": kind})


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        ([manifest(LISTED), old("/assets/app.0.js", "text/javascript")], State.PASSED, "1 files"),
        ([manifest(LISTED), old("/assets/s.0.css", "text/css")], State.PASSED, ""),
        ([manifest(LISTED), old("/assets/app.0.js", "text/javascript", 404)], State.FAILED, "404"),
        ([manifest(LISTED), old("/assets/s.0.css", "text/html")], State.FAILED, "instead of a style"),
        ([manifest({"build": "b1", "files": [SCRIPT]})], State.UNVERIFIED, "no build before"),
        ([manifest({"build": "b1"})], State.FAILED, "no list of files"),
        ([manifest("<html>")], State.FAILED, "no list of files"),
        ([manifest({}, 404)], State.FAILED, "404"),
        ([reply("/assets/manifest.json", probe="manifest", fault=Fault.CUT_OFF)], State.FAILED, "breaks off"),
        ([], State.NOT_APPLICABLE, ""),
    ],
)
def test_files_of_the_build_before_are_still_there(found, state, said):
    judgement = judged("old_assets", *found)
    assert judgement.state is state
    assert said in judgement.seen


def test_no_list_of_files_is_declared_or_not():
    assert judged("old_assets", environment=varied(manifest=None)).state is State.NOT_APPLICABLE


def robots(text: str, **more):
    return reply("/robots.txt", text, probe="robots", headers={"content-type": "text/plain"}, **more)


@pytest.mark.parametrize(
    ("found", "says_so"),
    [
        (robots("User-agent: *\nDisallow: /account/"), False),
        (robots("user-agent: *\nDISALLOW: /"), True),
        (robots("User-agent: BadBot\nDisallow: /"), False),
        (robots("User-agent: BadBot\nUser-agent: *\nDisallow: / # all"), True),
        (robots("User-agent: *\nDisallow:\n\nUser-agent: BadBot\nDisallow: /"), False),
        (robots("User-agent: *\nDisallow: /\nAllow: /"), False),
        (robots("Disallow: /", status=404), False),
        (reply("/robots.txt", "User-agent: *\nDisallow: /", probe="robots"), False),  # the front page answers for it
        (reply("/en-GB/", headers={"x-robots-tag": "NOINDEX"}), True),
        (reply("/en-GB/", page('<meta name="ROBOTS" content="noindex, follow">')), True),
        (reply("/en-GB/", page('<meta name="robots" content="none">')), True),
        (reply("/en-GB/", page('<meta name="robots" content="index, follow">')), False),
    ],
)
def test_search_engines_are_sent_away_only_where_they_should_be(found, says_so):
    replies = [found, *(each for each in both(page()) if each.path != found.path)]
    assert judged("robots", *replies).state is (State.FAILED if says_so else State.PASSED)
    assert judged("robots", *replies, environment=varied(indexed=False)).state is (
        State.PASSED if says_so else State.FAILED
    )


WARNING = ENVIRONMENT.web.warning("en-GB")


def regulated(entity: str = BRAND.legal_entity, licence: str = ENVIRONMENT.web.licence, warning: str = WARNING) -> str:
    return page(body=f"<p>{warning}</p><footer>{entity} {licence}</footer>")


@pytest.mark.parametrize(
    ("text", "state", "said"),
    [
        (regulated(), State.PASSED, "2 pages in en-GB"),
        (regulated(warning=WARNING.replace("of retail", "of\n&nbsp; re&shy;tail")), State.PASSED, ""),
        (regulated(warning=WARNING.replace("73%", "61%")), State.FAILED, "lacks the risk warning"),
        (regulated(entity="Northgate Offshore Ltd"), State.FAILED, "lacks the legal entity"),
        (regulated(licence=""), State.FAILED, "lacks the licence"),
        (f"<template>{regulated()}</template>", State.FAILED, "lacks"),
    ],
)
def test_page_says_what_is_prescribed(text, state, said):
    judgement = judged("legal", *both(text))
    assert judgement.state is state
    assert said in judgement.seen


def test_text_of_a_page_that_is_none_is_not_judged():
    assert judged("legal", *both(regulated())[:1], reply(status=404)).state is State.UNVERIFIED


def test_words_are_what_a_person_reads():
    assert pages.words("a\u00ad\u200eb\u00a0\n c ﬁ") == "ab c fi"


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (reply("/.git/config", "[core]…", probe="leak"), State.PASSED),  # a page, however it begins
        (reply("/.git/config", "[core]…", probe="leak", headers={"content-type": "text/plain"}), State.FAILED),
        (reply("/.env", "DB_PASSWORD=…", probe="leak", headers={"content-type": "text/plain"}), State.FAILED),
        (reply("/.env", "<html>", probe="leak", status=404), State.PASSED),
        (reply("/a.js.map", {"mappings": "AAAA"}, probe="leak"), State.FAILED),
        (reply("/.env", probe="leak", fault=Fault.CUT_OFF), State.PASSED),
        (reply("/.env", probe="leak", fault=Fault.TIME_OUT), State.UNVERIFIED),
        (reply("/x", "Traceback (most recent call last):", probe="missing", status=404), State.FAILED),
        (reply("/x", "  at com.crm.Views.get(Views.java:17)", 500), State.FAILED),
        (reply("/x", headers={"server": "nginx/1.22.1"}), State.DEGRADED),
        (reply("/x", headers={"x-aspnet-version": "4"}), State.DEGRADED),
        (reply("/x", headers={"server": "northgate"}), State.PASSED),
    ],
)
def test_nothing_inside_is_told_to_strangers(found, state):
    assert judged("leaks", found).state is state
    assert "PASSWORD" not in judged("leaks", found).why


STATUS = {"status": "open", "api_version": "1", "server_time": "2026-11-25T12:00:00Z"}


def documents(**changed):
    from tests.web.test_answer_rules import listed

    said = {
        "/health": {"status": "ok"},
        "/health/deep": listed(),
        "/version": {"version": RELEASE, "build": "b1"},
        "/api/v1/status": STATUS,
    } | changed
    return [reply(path, body, host=API) for path, body in said.items()]


@pytest.mark.parametrize(
    ("changed", "state", "said"),
    [
        ({}, State.PASSED, "/api/v1/status is status"),
        ({"/health": {"status": "fine"}}, State.FAILED, "status: Input should be 'ok', 'degraded' or 'failing'"),
        ({"/health": {"state": "ok"}}, State.FAILED, "status: Field required"),
        ({"/version": {"version": 7, "build": "b1"}}, State.FAILED, "version: Input should be a valid string"),
        ({"/version": {"version": RELEASE, "build": "b1", "flavour": "x"}}, State.DEGRADED, "not know: flavour"),
        ({"/health": "<html>"}, State.FAILED, "no JSON object"),
        ({"/health/deep": {"status": "ok", "checks": {"a": {"status": "ok"}}}}, State.FAILED, "checks.a.latency_ms"),
        (
            {"/health/deep": {"status": "ok", "checks": {"a": {"status": "ok", "latency_ms": 1.0, "x": 1}}}},
            State.DEGRADED,
            "checks.a.x",
        ),
    ],
)
def test_document_keeps_its_contract(changed, state, said):
    judgement = judged("schema", *documents(**changed), host=API)
    assert judgement.state is state
    assert said in judgement.seen


def test_document_that_is_not_there_is_not_judged():
    found = [*documents()[1:], reply("/health", {}, 500, API)]
    assert judged("schema", *found, host=API).state is State.UNVERIFIED


def described(version: str = RELEASE, **paths):
    given = {"/api/v1/status": {"get": {"responses": {"200": shape({"type": "object", "required": ["status"]})}}}}
    document = {"openapi": "3.0.3", "info": {"version": version}, "paths": given | paths}
    return reply("/api/openapi.json", document, host=API, probe="openapi")


def shape(schema):
    return {"content": {"application/json": {"schema": schema}}}


GUARDED = {"/api/v1/{any}": {"get": {"responses": {"4XX": shape({"type": "object"})}}}}


@pytest.mark.parametrize(
    ("document", "answer", "state", "said"),
    [
        (described(), STATUS, State.PASSED, "1 answers held"),
        (described("v2026.47.0"), STATUS, State.FAILED, "of version v2026.47.0"),
        (described(), {"state": "open"}, State.FAILED, "'status' is a required property"),
        (described(**{"/api/v1/status": {}}), STATUS, State.DEGRADED, "is not described"),
        (
            described(**{"/api/v1/status": {"get": {"responses": {"204": {}}}}}),
            STATUS,
            State.FAILED,
            "200 is not among the described answers (204)",
        ),
        (
            described(**{"/api/v1/status": {"get": {"responses": {"200": shape({"$ref": "#/nowhere"})}}}}),
            STATUS,
            State.FAILED,
            "cannot be followed",
        ),
        (reply("/api/openapi.json", "<html>", host=API, probe="openapi"), STATUS, State.FAILED, "no description"),
        (reply("/api/openapi.json", {}, 404, API, probe="openapi"), STATUS, State.FAILED, "404"),
    ],
)
def test_api_answers_as_its_description_of_this_release_says(document, answer, state, said):
    judgement = judged("openapi", document, reply("/api/v1/status", answer, host=API))
    assert judgement.state is state
    assert said in judgement.seen


def test_description_is_unverified_without_one_or_without_answers():
    assert judged("openapi", reply("/api/v1/status", STATUS, host=API)).state is State.UNVERIFIED
    assert judged("openapi", described()).state is State.UNVERIFIED
    assert judged("openapi", environment=varied(openapi=None)).state is State.NOT_APPLICABLE


def test_template_of_the_description_fits_and_a_nullable_field_may_be_null():
    refused = reply("/api/v1/accounts", {"error": "no"}, 401, API)
    assert judged("openapi", described(**GUARDED), refused).state is State.PASSED
    schema = {"type": "object", "properties": {"note": {"type": "string", "nullable": True}}}
    for version, wrong in (("3.0.3", 0), ("3.1.0", 1)):
        assert len(contract_rules.misfits({"openapi": version}, schema, {"note": None})) == wrong
    assert contract_rules.misfits({}, None, {}) == []


def samples(*milliseconds: int, wrong: tuple[str, ...] = ()):
    return Samples(host=API, path="/api/v1/status", seconds=tuple(each / 1000 for each in milliseconds), wrong=wrong)


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (samples(*[40] * 20), State.PASSED, "p50 40 ms, p95 40 ms of 20"),
        (samples(*[40] * 19, 9000), State.PASSED, "worst 9000 ms"),  # one of twenty is no percentile
        (samples(*[40] * 18, 2500, 2500), State.FAILED, "p95 2500 ms of 20, limit 2000 ms"),
        (samples(*[40] * 18, 1500, 1500), State.DEGRADED, "p95 1500 ms of 20, limit 1000 ms"),
        (samples(*[1100] * 20), State.FAILED, "p50 1100 ms"),
        (samples(*[40] * 19), State.UNVERIFIED, "only 19 of 20 replies could be timed, the worst of them 40 ms"),
        (samples(wrong=("status 500",)), State.UNVERIFIED, "only 0 of 20"),
    ],
)
def test_speed_is_judged_over_twenty_replies_or_not_at_all(found, state, said):
    judgement = judged("latency", host=API, samples=(found,))
    assert judgement.state is state
    assert said in judgement.seen


def test_endpoint_that_was_not_timed_is_unverified():
    assert judged("latency", host=API).state is State.UNVERIFIED
    assert judged("latency", host=HOST).state is State.NOT_APPLICABLE


@pytest.mark.parametrize(("share", "value"), [(50, 10), (95, 19), (100, 20), (1, 1)])
def test_percentile_is_a_value_that_was_measured(share, value):
    assert latency_rules.percentile(list(range(20, 0, -1)), share) == value


def quote(symbol: str = "BTCUSD", bid: str = "1.0", ask: str = "1.1", age: float | None = 0.1) -> Quote:
    at = NOW - timedelta(seconds=age) if age is not None else None
    return Quote(symbol=symbol, bid=bid, ask=ask, at=at, received=NOW)


def heard(*quotes: Quote, **more) -> Heard:
    given = {
        "opened": True,
        "logged_in": True,
        "subscribed": ("BTCUSD", "XAUUSD"),
        "heartbeats_s": (0.1, 0.2),
        "listened_s": 0.3,
        "stranger": "refused: 401",
        "quotes": quotes or (quote(), quote("XAUUSD")),
    }
    return Heard(host=API, path="/stream/quotes", **given | more)


@pytest.mark.parametrize(
    ("rule", "found", "state", "said"),
    [
        ("feed_login", heard(), State.PASSED, "strangers refused"),
        ("feed_login", heard(logged_in=False, error="no"), State.FAILED, "our token is refused: no"),
        ("feed_login", heard(stranger='{"type": "quote"}'), State.FAILED, "a client without a token was told"),
        ("feed_login", heard(stranger="unknown: OSError"), State.UNVERIFIED, "whether strangers are refused"),
        ("feed_login", heard(opened=False, error="answered 502"), State.FAILED, "it does not open"),
        ("feed_login", heard(fault=Fault.NOT_LOOKED, error="no token"), State.UNVERIFIED, "no token"),
        ("feed_heartbeat", heard(), State.PASSED, "2 heartbeats"),
        ("feed_heartbeat", heard(subscribed=("BTCUSD",)), State.FAILED, "does not confirm XAUUSD"),
        ("feed_heartbeat", heard(heartbeats_s=(0.1, 2.5), listened_s=2.6), State.FAILED, "no heartbeat for 2.4 s"),
        ("feed_heartbeat", heard(heartbeats_s=(), listened_s=2.1), State.FAILED, "no heartbeat for 2.1 s"),
        ("feed_heartbeat", heard(fault=Fault.CUT_OFF, error="1006"), State.FAILED, "breaks off its answer: 1006"),
        ("feed_heartbeat", heard(strange=("hello",)), State.DEGRADED, "'hello'"),
        ("feed_heartbeat", heard(logged_in=False), State.UNVERIFIED, "see endpoints.quotes.login"),
        ("feed_fresh", heard(), State.PASSED, "BTCUSD 1.0/1.1"),
        ("feed_fresh", heard(quote()), State.FAILED, "no quote of XAUUSD in 0.3 s, though metals is open"),
        ("feed_fresh", heard(quote(age=11), quote("XAUUSD")), State.FAILED, "BTCUSD is 11.0 s old, at most 10 s"),
        ("feed_fresh", heard(quote(age=-60), quote("XAUUSD")), State.FAILED, "in the future"),
        ("feed_fresh", heard(quote(age=None), quote("XAUUSD")), State.FAILED, "no time that can be read"),
        ("feed_fresh", heard(quote(bid="1.1"), quote("XAUUSD")), State.FAILED, "bid 1.1, ask 1.1"),
        ("feed_fresh", heard(quote(bid="free"), quote("XAUUSD")), State.FAILED, "bid free"),
        ("feed_fresh", heard(quote(), quote("XAUUSD"), quote("ABC")), State.DEGRADED, "nobody subscribed"),
        ("feed_fresh", heard(logged_in=False), State.UNVERIFIED, "see endpoints.quotes.login"),
    ],
)
def test_quote_feed(rule, found, state, said):
    judgement = judged(rule, host=API, heard=(found,))
    assert judgement.state is state
    assert said in judgement.seen


def test_closed_market_is_quiet_and_an_old_price_of_it_no_finding():
    holiday = datetime(2026, 12, 25, 12, tzinfo=UTC)
    silent, stale, lively = heard(quote()), heard(quote(), quote("XAUUSD", age=4000)), heard()
    assert judged("feed_fresh", host=API, heard=(silent,), moment=holiday).state is State.PASSED
    assert judged("feed_fresh", host=API, heard=(stale,), moment=holiday).state is State.PASSED
    assert "while metals is closed" in judged("feed_fresh", host=API, heard=(lively,), moment=holiday).seen


def test_feed_that_nobody_listened_to_is_unverified_and_one_that_is_not_declared_does_not_matter():
    assert judged("feed_fresh", host=API).state is State.UNVERIFIED
    assert judged("feed_fresh", host=API, environment=varied(feed=None)).state is State.NOT_APPLICABLE
    silent = reply("/", host="c.example", probe="control", fault=Fault.CONNECT)
    lost = heard(opened=False, fault=Fault.CONNECT, error="refused")
    assert judged("feed_login", silent, host=API, heard=(lost,)).state is State.UNVERIFIED


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-11-25T12:00:00+00:00", NOW),
        (NOW.timestamp() * 1000, NOW),
        ("2026-11-25T12:00:00", None),
        ("yesterday", None),
        (None, None),
        (1e30, None),
    ],
)
def test_time_of_a_quote_has_a_zone_or_is_none(said, moment):
    assert _moment(said) == moment


@pytest.mark.parametrize("message", ["", "[]", "nonsense", b"\xff"])
def test_message_that_is_none_says_nothing(message):
    assert Talk.read(message) == {}


def test_claim_that_does_not_exist_is_an_error_of_ours():
    with pytest.raises(AttributeError, match="no claim is called 'colour'"):
        judged("colour")
