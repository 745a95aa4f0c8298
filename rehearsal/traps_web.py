"""Public hosts that look odd and are not."""

from __future__ import annotations

from datetime import datetime, time

from aiohttp import web

from rehearsal.entry import trap
from rehearsal.faults_content import holiday
from rehearsal.faults_web import api_host, brand_host, front_of, with_json
from rehearsal.front import EVERYWHERE, Answer, Bend
from rehearsal.scene import Scene


@trap("endpoints.headers.security", only_in="uk-prod")
def http_only_site(scene: Scene) -> None:
    """The revocation list is declared http-only: it sends HSTS, which means nothing there, and speaks no TLS."""
    site = next(each for each in scene.world.environment.sites.values() if each.scheme == "http")

    def harden(answer: Answer, _request: web.Request) -> Answer:
        answer.headers["Strict-Transport-Security"] = "max-age=0"
        return answer

    scene.world.front.bend(site.host, EVERYWHERE, harden)


@trap("endpoints.tls.expiry")
def short_lived_certificate(scene: Scene) -> None:
    """A certificate has three days left, of the seven that its authority gives."""
    scene.world.front.certificates[brand_host(scene)] = "short"


@trap("endpoints.status.code")
def maintenance_window(scene: Scene) -> None:
    """A brand answers 503 with its maintenance page, in the hours that are declared for it."""
    front = scene.world.front
    start, _, _ = scene.world.environment.web.maintenance[0].partition("-")
    hour, minute = (int(each) for each in start.split(":"))
    front.moment = datetime.combine(front.moment.date(), time(hour, minute + 5), front.moment.tzinfo)

    def away(answer: Answer, _request: web.Request) -> Answer:
        sent = Answer.html("<h1>Maintenance</h1><p>We are carrying out scheduled maintenance.</p>", 503)
        sent.headers["Retry-After"] = "600"
        return sent

    front.bend(brand_host(scene), EVERYWHERE, away)


@trap("endpoints.quotes.fresh")
def feed_quiet_on_a_holiday(scene: Scene) -> None:
    """The market is closed for a declared holiday: its symbols are silent."""
    scene.world.front.moment = holiday(scene)


@trap("endpoints.pages.genuine")
def fallback_for_strangers(scene: Scene) -> None:
    """A single-page front end answers 200 with its front page for every path that nobody has, `.git` too."""
    host = brand_host(scene)
    page = front_of(scene, host).encode()

    def fall_back(answer: Answer, _request: web.Request) -> Answer:
        return Answer(200, page, answer.headers) if answer.status == 404 else answer

    scene.world.front.bend(host, EVERYWHERE, fall_back)


@trap("endpoints.headers.security")
def modern_policy(scene: Scene) -> None:
    """A brand relies on nonces, whose 'unsafe-inline' browsers ignore, and on frame-ancestors alone."""
    policy = (
        "script-src 'nonce-r4nd0m' 'strict-dynamic' 'unsafe-inline' https:; frame-ancestors 'self'; base-uri 'none'"
    )

    def modern(answer: Answer, _request: web.Request) -> Answer:
        if "Content-Security-Policy" in answer.headers:
            answer.headers["Content-Security-Policy"] = policy
            answer.headers.popall("X-Frame-Options", None)
        answer.headers["Strict-Transport-Security"] = 'MAX-AGE="63072000"; includeSubdomains'
        return answer

    scene.world.front.bend(brand_host(scene), EVERYWHERE, modern)


@trap("endpoints.headers.cookies")
def cookie_removed(scene: Scene) -> None:
    """A brand takes an old cookie away, and sets none of the flags on what is not to stay."""

    def remove(answer: Answer, _request: web.Request) -> Answer:
        answer.headers.add("Set-Cookie", "legacy=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0")
        return answer

    scene.world.front.bend(brand_host(scene), EVERYWHERE, remove)


@trap("endpoints.dns.answers")
def alias_in_dns(scene: Scene) -> None:
    """A brand's name is an alias of the load balancer's, and answers with several addresses."""
    record = scene.world.front.records[brand_host(scene)]
    record.alias = "lb-7.northgate.example"


@trap("endpoints.cors.policy")
def strangers_get_no_answer(scene: Scene) -> None:
    """The API answers a stranger's preflight with 403, and one without a word about origins."""

    def refuse(answer: Answer, request: web.Request) -> Answer:
        if "Access-Control-Allow-Origin" in answer.headers or request.method != "OPTIONS":
            return answer
        return Answer(403, b"", answer.headers)

    scene.world.front.bend(api_host(scene), "/api/v1/status", refuse)


@trap("endpoints.legal.text")
def text_with_marks(scene: Scene) -> None:
    """A brand sets its warning with hard spaces, soft hyphens and line breaks."""
    host = brand_host(scene)
    entity = next(e.legal_entity for e in scene.world.environment.brands.values() if e.host == host)
    first, _, rest = entity.partition(" ")
    marked = f"{first[:3]}&shy;{first[3:]}&nbsp;\n   {rest}"
    scene.world.front.bend(host, EVERYWHERE, lambda answer, _: answer.replace(entity, marked))


@trap("endpoints.leaks.none")
def firewall_hangs_up(scene: Scene) -> None:
    """A firewall cuts every connection that asks for a repository."""
    scene.world.front.cuts[brand_host(scene), "/.git/config"] = 10


@trap("endpoints.health.status")
def health_by_its_own_type(scene: Scene) -> None:
    """A brand's health page has the media type that the draft for health documents proposes."""
    scene.world.front.bend(brand_host(scene), "/health", _typed("application/health+json"))


@trap("endpoints.health.deep")
def integration_more(scene: Scene) -> None:
    """The release has an integration more, which works and which nobody declared yet."""
    new = {"status": "ok", "latency_ms": 3.0}
    scene.world.front.bend(
        api_host(scene), "/health/deep", with_json(lambda said: said["checks"].update({"open-banking": new}))
    )


@trap("endpoints.redirects.target")
def redirect_in_two_steps(scene: Scene) -> None:
    """A brand's www host leads to itself first, by a relative address, and moves for good only then."""
    host = brand_host(scene)

    def step(answer: Answer, request: web.Request) -> Answer | None:
        if request.scheme != "https":
            return None
        answer.status = 308 if request.query else 302
        answer.headers["Location"] = f"https://{host}/login" if request.query else "/login?step=2"
        return answer

    scene.world.front.bend(f"www.{host}", "/login", step)


@trap("endpoints.redirects.open")
def login_leads_to_a_sister(scene: Scene) -> None:
    """One brand's login sends whoever came from elsewhere on to another brand of ours."""
    host = brand_host(scene)
    sister = next(each.host for each in scene.world.environment.brands.values() if each.host != host)

    def sisterly(answer: Answer, request: web.Request) -> Answer:
        if "next" in request.query:
            answer.headers["Location"] = f"//{sister}/"
        return answer

    scene.world.front.bend(host, "/login", sisterly)


@trap("endpoints.robots.indexing")
def robots_with_groups(scene: Scene) -> None:
    """A brand sends one crawler away, and the others from its clients' area, or from all where none is welcome."""
    others = "/account/\nAllow: /" if scene.world.environment.web.indexed else "/"
    sent = Answer(200, f"User-agent: GreedyBot\nDisallow: /\n\nUser-agent: *\nDisallow: {others}\n".encode())
    sent.headers["Content-Type"] = "text/plain"
    scene.world.front.bend(brand_host(scene), "/robots.txt", lambda *_: sent)


@trap("endpoints.caching.policy")
def pages_revalidated(scene: Scene) -> None:
    """A brand's pages may be kept and must be asked for anew each time, in the older words for it."""
    host = brand_host(scene)

    def older(answer: Answer, _request: web.Request) -> Answer:
        if answer.headers.get("Cache-Control") == "no-cache":
            answer.headers["Cache-Control"] = "private, max-age=0, must-revalidate"
        return answer

    scene.world.front.bend(host, EVERYWHERE, older)


@trap("endpoints.assets.current")
def several_hashes(scene: Scene) -> None:
    """A brand's pages name a weaker hash beside the one that counts, of the files before they were packed."""
    scene.world.front.bend(
        brand_host(scene), EVERYWHERE, lambda answer, _: answer.replace('integrity="', 'integrity="sha256-b2xk= ')
    )


@trap("endpoints.assets.previous")
def scripts_by_their_old_type(scene: Scene) -> None:
    """A brand's scripts have the media type that was right until 2022."""

    def older(answer: Answer, request: web.Request) -> Answer | None:
        return _typed("application/javascript")(answer, request) if request.path.endswith(".js") else None

    scene.world.front.bend(brand_host(scene), EVERYWHERE, older)


def _typed(media: str) -> Bend:
    def typed(answer: Answer, _request: web.Request) -> Answer:
        if answer.status == 200:
            answer.headers["Content-Type"] = media
        return answer

    return typed
