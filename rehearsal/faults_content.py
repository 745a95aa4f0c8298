"""Faults in what comes with an answer: headers, cookies, caches, assets, leaks, robots, regulated text, quotes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from rehearsal.entry import fault
from rehearsal.faults_web import always, api_host, brand_host, login_path
from rehearsal.front import EVERYWHERE, Answer
from rehearsal.scene import Scene

SECURITY = "endpoints.headers.security"
CACHING = "endpoints.caching.policy"
ASSETS = "endpoints.assets.current"
LEAKS = "endpoints.leaks.none"
LEGAL = "endpoints.legal.text"


@fault(SECURITY)
def hsts_missing(scene: Scene) -> None:
    """One brand forgot Strict-Transport-Security."""
    scene.world.front.bend(brand_host(scene), EVERYWHERE, _without("Strict-Transport-Security"))


@fault(SECURITY)
def csp_unsafe(scene: Scene) -> None:
    """One brand's pages allow inline scripts."""
    policy = "default-src 'self'; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    host = brand_host(scene)
    scene.world.front.bend(host, login_path(scene, host), _with("Content-Security-Policy", policy))


@fault(SECURITY)
def error_page_bare(scene: Scene) -> None:
    """One brand's error pages come from the proxy, without any of the headers."""
    scene.world.front.bend(
        brand_host(scene), "/postdeploy-no-such-page", always(lambda: Answer.html("<h1>404</h1>", 404))
    )


@fault("endpoints.headers.cookies")
def cookie_insecure(scene: Scene) -> None:
    """One brand's session cookie lost its flags."""

    def bare(answer: Answer, _request: web.Request) -> Answer:
        answer.headers.add("Set-Cookie", "sessionid=abc; Path=/")
        return answer

    host = brand_host(scene)
    scene.world.front.bend(host, login_path(scene, host), bare)


@fault("endpoints.cors.policy")
def cors_reflects(scene: Scene) -> None:
    """The API allows whoever asks, with credentials."""

    def reflect(answer: Answer, request: web.Request) -> Answer:
        answer.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        return answer

    scene.world.front.bend(api_host(scene), "/api/v1/status", reflect)


@fault(CACHING)
def page_cached(scene: Scene) -> None:
    """One brand's pages may be kept by every cache for an hour."""
    host = brand_host(scene)
    scene.world.front.bend(host, login_path(scene, host), _with("Cache-Control", "public, max-age=3600"))


@fault(CACHING)
def api_cached(scene: Scene) -> None:
    """The API's private answers may be kept."""
    scene.world.front.bend(api_host(scene), "/api/v1/accounts", _with("Cache-Control", "private, max-age=60"))


@fault(CACHING, "degraded")
def assets_uncached(scene: Scene) -> None:
    """One brand's hashed files are loaded anew at every visit."""
    scene.world.front.bend(
        brand_host(scene), EVERYWHERE, lambda a, r: _with("Cache-Control", "no-cache")(a, r) if _is_asset(r) else None
    )


@fault(ASSETS)
def script_missing(scene: Scene) -> None:
    """One brand's scripts were not uploaded."""
    scene.world.front.bend(
        brand_host(scene), EVERYWHERE, lambda _, r: Answer.html("<h1>404</h1>", 404) if _is_script(r) else None
    )


@fault(ASSETS)
def script_is_a_page(scene: Scene) -> None:
    """One brand answers for its missing scripts with the front page, and status 200."""
    scene.world.front.bend(
        brand_host(scene), EVERYWHERE, lambda _, r: Answer.html("<html></html>") if _is_script(r) else None
    )


@fault(ASSETS)
def script_altered(scene: Scene) -> None:
    """One brand's scripts are not those that its pages expect by their hash."""
    scene.world.front.bend(
        brand_host(scene), EVERYWHERE, lambda a, r: a.replace("void 0", "alert(1)") if _is_script(r) else None
    )


@fault(ASSETS)
def script_of_strangers(scene: Scene) -> None:
    """One brand's page loads a script from a host that nobody declared."""
    host = brand_host(scene)
    tag = '<script src="https://tags.skimmer.example/t.js"></script></head>'
    scene.world.front.bend(host, login_path(scene, host), lambda answer, _: answer.replace("</head>", tag))


@fault("endpoints.assets.previous")
def old_chunks_gone(scene: Scene) -> None:
    """One brand deleted the files of the build before: open tabs break."""

    def gone(answer: Answer, request: web.Request) -> Answer | None:
        if scene.previous in answer.body.decode(errors="replace") and _is_asset(request):
            return Answer.html("<h1>404</h1>", 404)
        return None

    scene.world.front.bend(brand_host(scene), EVERYWHERE, gone)


def _is_asset(request: web.Request) -> bool:
    return request.path.startswith("/assets/") and not request.path.endswith((".json", ".map"))


def _is_script(request: web.Request) -> bool:
    return _is_asset(request) and request.path.endswith(".js")


@fault(LEAKS)
def repository_open(scene: Scene) -> None:
    """One brand serves its .git folder."""
    config = Answer(200, b"[core]\n\trepositoryformatversion = 0\n")
    scene.world.front.bend(brand_host(scene), "/.git/config", always(lambda: config))


@fault(LEAKS)
def source_maps_open(scene: Scene) -> None:
    """One brand serves the source maps of its scripts."""
    found = Answer.json({"version": 3, "sources": ["app.ts"], "mappings": "AAAA"})
    scene.world.front.bend(brand_host(scene), EVERYWHERE, lambda _, r: found if r.path.endswith(".map") else None)


@fault(LEAKS)
def debug_page(scene: Scene) -> None:
    """One brand's error pages show a trace of the code."""
    text = "<h1>Error</h1><pre>Traceback (most recent call last):\n  File &quot;/app/crm/urls.py&quot;</pre>"
    scene.world.front.bend(
        brand_host(scene), "/postdeploy-no-such-page", lambda a, _: Answer(404, text.encode(), a.headers)
    )


@fault(LEAKS, "degraded")
def server_tells_version(scene: Scene) -> None:
    """One brand's proxy tells its version."""
    scene.world.front.bend(brand_host(scene), EVERYWHERE, _with("Server", "nginx/1.22.1"))


@fault("endpoints.robots.indexing")
def noindex_leaked(scene: Scene) -> None:
    """One brand's pages carry staging's noindex."""
    host = brand_host(scene)
    scene.world.front.bend(host, login_path(scene, host), _with("X-Robots-Tag", "noindex, nofollow"))


@fault("endpoints.robots.indexing", only_in="stage")
def staging_indexed(scene: Scene) -> None:
    """One of staging's brands welcomes search engines."""
    scene.world.front.bend(brand_host(scene), "/robots.txt", always(lambda: Answer(200, b"User-agent: *\nAllow: /\n")))


@fault(LEGAL)
def risk_warning_outdated(scene: Scene) -> None:
    """One brand tells last year's share of losing accounts."""
    host = brand_host(scene)
    loss = scene.world.environment.web.loss
    scene.world.front.bend(host, login_path(scene, host), lambda answer, _: answer.replace(loss, "61%"))


@fault(LEGAL)
def legal_entity_wrong(scene: Scene) -> None:
    """One brand names the legal entity of another jurisdiction."""
    host = brand_host(scene)
    entity = next(e.legal_entity for e in scene.world.environment.brands.values() if e.host == host)
    escaped = entity.replace("&", "&amp;")
    scene.world.front.bend(host, EVERYWHERE, lambda answer, _: answer.replace(escaped, "Northgate Offshore Ltd"))


@fault("endpoints.quotes.login")
def feed_refuses(scene: Scene) -> None:
    """The quote feed refuses our token."""
    scene.world.front.feed.refuses = True


@fault("endpoints.quotes.login")
def feed_open_to_all(scene: Scene) -> None:
    """The quote feed serves clients that give no token."""
    scene.world.front.feed.open_to_all = True


@fault("endpoints.quotes.heartbeat")
def feed_without_heartbeat(scene: Scene) -> None:
    """The quote feed quotes, and its heart does not beat."""
    scene.world.front.feed.beats = False


@fault("endpoints.quotes.fresh")
def quotes_frozen(scene: Scene) -> None:
    """Quotes come, and are a minute old."""
    scene.world.front.feed.late_s = 60


@fault("endpoints.quotes.fresh")
def quotes_crossed(scene: Scene) -> None:
    """Bid and ask have changed places."""
    scene.world.front.feed.crossed = True


@fault("endpoints.quotes.fresh")
def quotes_on_holiday(scene: Scene) -> None:
    """The market is closed for a holiday, and quotes come all the same."""
    scene.world.front.moment = holiday(scene)
    scene.world.front.feed.always = True


def holiday(scene: Scene) -> datetime:
    """Noon of a declared market holiday."""
    feed = scene.world.environment.web.feed
    day = next(day for each in feed.markets.values() for day in each.holidays) if feed else None
    assert day is not None
    return scene.world.front.moment.replace(year=day.year, month=day.month, day=day.day)


def _with(name: str, value: str) -> Any:
    def bend(answer: Answer, _request: web.Request) -> Answer:
        answer.headers[name] = value
        return answer

    return bend


def _without(name: str) -> Any:
    def bend(answer: Answer, _request: web.Request) -> Answer:
        answer.headers.popall(name, None)
        return answer

    return bend
