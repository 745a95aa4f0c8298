"""The healthy public hosts: health, version, pages, assets of two releases, redirects, API documents, error pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from postdeploy.environment import Brand
from rehearsal.builders import earlier
from rehearsal.canaries import MARK
from rehearsal.front import Answer, FrontSettings, Handler, is_ipv6
from rehearsal.front_end import TYPES, build_of, files_of
from rehearsal.pages import Setting, error_page, front_page, login_page

POLICY = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
PAGE_POLICY = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; frame-ancestors 'none'; object-src 'none'",
    "X-Frame-Options": "DENY",
}
FOR_EVER = "public, max-age=31536000, immutable"
SESSION = f"session={MARK}-session; Path=/; Secure; HttpOnly; SameSite=Lax"
CSRF = f"csrftoken={MARK}-csrf; Path=/; Secure; SameSite=Lax"
GUARDED = ("/api/v1/accounts", "/api/v1/deposits")
"""What the brokerage answers only to who is logged in; of its instruments it says so itself."""


class Site:
    """Answers for every public host; what it does not know is the brokerage's."""

    def __init__(
        self, settings: FrontSettings, serves: Callable[[Brand, str], bool] = lambda brand, path: False
    ) -> None:
        """`serves`: which further paths of a brand are its web client's."""
        self.settings, self.serves = settings, serves
        self.environment = settings.environment
        self.brands = {each.host: each for each in self.environment.brands.values()}
        self.previous = earlier(settings.release, 1)
        self.files = files_of(self.previous) | files_of(settings.release)
        self._moved = self._former_hosts()

    def _former_hosts(self) -> dict[str, str]:
        moved = {f"www.{host}": host for host in self.brands}
        for brand in self.brands.values():
            moved |= dict.fromkeys(brand.aliases, brand.host)
        return moved

    def app(self, brokerage: web.Application, feed: Handler) -> web.Application:
        """The brokerage with all that is public before it."""

        @web.middleware
        async def first(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.handle(request, handler, feed)

        brokerage.middlewares.insert(0, first)
        return brokerage

    async def handle(self, request: web.Request, handler: Handler, feed: Handler) -> web.StreamResponse:
        """One request from outside."""
        host, path, settings = host_of(request), request.path, self.settings
        settings.asked[host, path] += 1
        await settings.hold_up(host, path)
        if settings.cut(host, path) and request.transport is not None:
            request.transport.abort()
            return web.Response(status=503)
        declared = self.environment.web.feed
        if declared and host == self.environment.api.host and path == declared.path:
            return await feed(request)
        answer = self.answer(request, host)
        if answer is None:
            response = await handler(request)
            if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
                return response
            answer = Answer(response.status, response.body, response.headers.copy())
        self._dress(answer, request, host)
        return settings.bent(host, path, answer, request).response()

    def answer(self, request: web.Request, host: str) -> Answer | None:
        """The healthy answer; None for what is the brokerage's."""
        if request.scheme == "http":
            return self._plainly(request, host)
        if host == self.environment.web.control or (request.method, request.path) == ("HEAD", "/"):
            return Answer(204)  # asked whether it is there, or for its Date alone
        if host in self._moved:
            return _redirect(301, f"https://{self._moved[host]}{request.path_qs}")
        if host not in self.settings.versions:
            return Answer.json({"error": f"unknown host {host!r}"}, 404)
        known: dict[str, Callable[[web.Request, str], Answer]] = {
            "/health": self._health,
            "/version": self._version,
            "/robots.txt": self._robots,
        }
        if request.path in known and request.method == "GET":
            return known[request.path](request, host)
        return self._of_brand(request, host) if host in self.brands else self._of_api(request, host)

    def _plainly(self, request: web.Request, host: str) -> Answer:
        """What is answered without TLS: the way to it, or what is meant to be public in the clear."""
        for site in self.environment.sites.values():
            if site.host == host and site.scheme == "http":
                answer = Answer(200, b"0\x82\x01\x0a")
                answer.headers["Content-Type"] = "application/pkix-crl"
                return answer
        return _redirect(301, f"https://{host}{request.path_qs}")

    def _health(self, request: web.Request, host: str) -> Answer:
        return Answer.json({"status": "ok"})

    def _version(self, request: web.Request, host: str) -> Answer:
        release = self.settings.version_of(host, request)
        return Answer.json({"version": release, "build": build_of(release)})

    def _robots(self, request: web.Request, host: str) -> Answer:
        allowed = self.environment.web.indexed and host in self.brands
        text = "User-agent: *\n" + ("Disallow: /account/\n" if allowed else "Disallow: /\n")
        answer = Answer(200, text.encode())
        answer.headers["Content-Type"] = "text/plain"
        return answer

    def _of_brand(self, request: web.Request, host: str) -> Answer | None:
        brand, path = self.brands[host], request.path
        if request.method != "GET":
            return None
        if path == "/":
            return _redirect(302, f"/{brand.locale}/")
        if path == "/login":
            return _redirect(302, f"/{brand.locale}/login{_next(request, self.environment.hosts)}")
        if path == self.environment.web.manifest:
            return self._manifest(request, host)
        if path in self.files:
            return self._file(path)
        for locale in brand.languages:
            if path == f"/{locale}/":
                return self._page(front_page, brand, locale, request)
            if path == f"/{locale}/login":
                return self._page(login_page, brand, locale, request)
        if self.serves(brand, path):
            return None
        return Answer.html(error_page(brand), 404)

    def _page(self, make: Callable[..., str], brand: Brand, locale: str, request: web.Request) -> Answer:
        release = self.settings.front_ends[brand.host]
        if brand.host in self.settings.old_on_ipv6 and is_ipv6(request):
            release = self.settings.old_on_ipv6[brand.host]
        path = request.path.removeprefix(f"/{locale}/")
        about = (self.environment.web, build_of(release), files_of(release), path)
        answer = Answer.html(make(Setting(brand, locale, *about)))
        answer.headers["Cache-Control"] = "no-cache"
        for cookie in (SESSION, CSRF):
            answer.headers.add("Set-Cookie", cookie)
        return answer

    def _manifest(self, request: web.Request, host: str) -> Answer:
        release = self.settings.front_ends[host]
        before = {"build": build_of(self.previous), "files": list(files_of(self.previous))}
        return Answer.json({"build": build_of(release), "files": list(files_of(release)), "previous": [before]})

    def _file(self, path: str) -> Answer:
        answer = Answer(200, self.files[path])
        answer.headers["Content-Type"] = TYPES[path.rpartition(".")[2]]
        answer.headers["Cache-Control"] = FOR_EVER
        return answer

    def _of_api(self, request: web.Request, host: str) -> Answer | None:
        web_, path = self.environment.web, request.path
        if request.method == "OPTIONS" and web_.cors and path == web_.cors.path:
            return self._preflight(request)
        if request.method != "GET":
            return None
        if path == "/health/deep":
            checks = {name: {"status": "ok", "latency_ms": 3.5} for name in web_.dependencies}
            return Answer.json({"status": "ok", "checks": checks})
        if path == "/api/v1/status":
            now = datetime.now(UTC).isoformat()
            return Answer.json({"status": "open", "api_version": "1", "server_time": now})
        if path == web_.openapi:
            from rehearsal.openapi import description

            return Answer.json(description(self.settings.versions[host]))
        if path in GUARDED and "Authorization" not in request.headers:
            answer = Answer.json({"error": "log in first"}, 401)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return None if path.startswith("/api/") else Answer.json({"error": "not found"}, 404)

    def _preflight(self, request: web.Request) -> Answer:
        answer, origin = Answer(204), request.headers.get("Origin", "")
        if urlsplit(origin).hostname in self.brands and origin.startswith("https://"):
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Allow-Credentials"] = "true"
            answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
            answer.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        answer.headers["Vary"] = "Origin"
        return answer

    def _dress(self, answer: Answer, request: web.Request, host: str) -> None:
        """The headers that every answer carries."""
        if request.scheme == "http":
            return
        for name, value in POLICY.items():
            answer.headers.setdefault(name, value)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            for name, value in PAGE_POLICY.items():
                answer.headers.setdefault(name, value)
        if request.path.startswith("/api/"):
            answer.headers.setdefault("Cache-Control", "no-store")


def host_of(request: web.Request) -> str:
    """The host that the client asked for, without the port the rehearsal happens to listen on."""
    return request.host.rsplit(":", 1)[0].lower()


def _redirect(status: int, location: str) -> Answer:
    answer = Answer(status)
    answer.headers["Location"] = location
    return answer


def _next(request: web.Request, hosts: tuple[str, ...]) -> str:
    """Where to after the login, as far as it is a place of ours."""
    wanted = request.query.get("next", "")
    there = urlsplit(wanted).hostname
    return f"?next={wanted}" if wanted and (there in hosts or (there is None and wanted.startswith("/"))) else ""
