"""An environment of sixty hosts with ten endpoints each, and more of them; and a sweep over it made of nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from postdeploy.environment import Brand, Environment, Expected, load
from postdeploy.environment.endpoints import Endpoint
from postdeploy.web.questions import questions, redirects
from postdeploy.web.replies import Answer, Certificate, Handshake, Hop, Link, Phases, Reply, Sweep

NAME = "load"
HOSTS, PATHS, CHUNKS = 60, 10, 10
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ADDRESS = "203.0.113.10"
PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def plain(hosts: int = HOSTS, paths: int = PATHS) -> Environment:
    """The requests of the race against curl, and nothing that curl is not asked for."""
    base = load(NAME)
    brands = {
        f"b{n}": Brand(name=f"b{n}", host=f"h{n}.example", locale="en-GB", legal_entity="N") for n in range(hosts)
    }
    template = Endpoint(
        name="app",
        on="brands",
        paths=("/{app}",),
        values={"app": tuple(f"p{number}" for number in range(paths))},
        type="application/json",
        owner="crm",
    )
    web = base.web.model_copy(update={"rehearsal_per_second": 100_000.0})
    return base.model_copy(update={"brands": brands, "endpoints": {"app": template}, "web": web})


def pages(hosts: int, paths: int) -> Environment:
    """Pages, with everything that is declared of an environment."""
    base = load(NAME)
    brands = {
        f"b{n}": Brand(name=f"b{n}", host=f"h{n}.example", locale="en-GB", legal_entity=base.legal_entity)
        for n in range(hosts)
    }
    apps = Endpoint(
        name="apps",
        on="brands",
        paths=("/{locale}/{app}",),
        values={"app": tuple(f"p{number}" for number in range(paths))},
        kind="page",
        type="text/html",
        marker="data-testid",
        owner="crm",
    )
    kept = {name: base.endpoints[name] for name in ("health", "version", "api-status", "deep-health")}
    web = base.web.model_copy(update={"indexed": True})
    return base.model_copy(update={"brands": brands, "endpoints": {**kept, "apps": apps}, "web": web})


def seen(environment: Environment) -> Sweep:
    """What a sweep would hold if every host did well, without asking any."""
    body = _page(environment)
    loads = {(e.host, e.path): "".join(map(_script, _own(e))) for e in environment.expected if e.is_page}
    replies = [
        _reply(
            host,
            each.path,
            each.probe,
            each.about,
            body.replace("</head>", f"{loads.get((host, each.path), '')}</head>"),
        )
        for host, of in questions(environment).items()
        for each in of
    ]
    for host in environment.secure_hosts:
        replies += [_reply(host, "/version", "version", ADDRESS, body) for _ in range(environment.web.replies)]
        replies += [_reply(host, f"/assets/app.{n}c0ffee12.js", "asset", "", body) for n in range(3)]
    replies += [
        _reply(e.host, chunk, "asset", "", body) for e in environment.expected if e.is_page for chunk in _own(e)
    ]
    for each in redirects(environment):
        reply = _reply(each.host, each.path, each.probe, each.about, body)
        hop = Hop(url=each.url, status=301, location=f"https://{each.subject}/", headers=PAGE_HEADERS, link=reply.link)
        import msgspec

        replies.append(
            msgspec.structs.replace(reply, subject=each.subject, hops=(hop,), url=f"https://{each.subject}/")
        )
    return Sweep(
        environment=environment.name,
        run_id="r",
        taken=NOW,
        replies=tuple(replies),
        certificates={f"c-{host}": _certificate(host) for host in environment.hosts},
        handshakes=tuple(
            Handshake(host=host, address=ADDRESS, offered=version, outcome="refused")
            for host in environment.hosts
            for version in ("TLSv1", "TLSv1.1")
        ),
        answers=tuple(
            Answer(host=host, kind=kind, code="NOERROR", addresses=(address,))
            for host in environment.hosts
            for kind, address in (("A", ADDRESS), ("AAAA", "2001:db8:cafe::1"))
        ),
    )


def _own(page: Expected) -> list[str]:
    """The chunks that no other page of the host loads."""
    name = page.path.rpartition("/")[2]
    return [f"/assets/{name}-{n}.{n}c0ffee34.js" for n in range(CHUNKS)]


def _script(path: str) -> str:
    return f'<script src="{path}"></script>'


def _page(environment: Environment) -> str:
    scripts = "".join(_script(f"/assets/app.{n}c0ffee12.js") for n in range(3))
    text = f"{environment.legal_entity} {environment.web.licence} {environment.web.warning('en-GB')}"
    filling = "<div class='row'><span>Lorem ipsum</span></div>" * 40
    head = f'<head><meta name="build" content="b1">{scripts}</head>'
    return f'<html>{head}<body data-testid="x">{text}{filling}</body></html>'


def _reply(host: str, path: str, probe: str, about: str, page: str) -> Reply:
    documents = {"/version": '{"version": "v1", "build": "b1"}', "/health": '{"status": "ok"}'}
    kinds = {"/version": "application/json", "/health": "application/json"}
    headers = PAGE_HEADERS | ({"content-type": kinds[path]} if path in kinds else {})
    if probe == "asset":
        headers = headers | {"content-type": "text/javascript", "cache-control": "max-age=31536000, immutable"}
    return Reply(
        host=host,
        path=path,
        probe=probe,
        about=about,
        status=404 if probe in ("missing", "leak") else 200,
        headers=headers,
        body=documents.get(path, page if probe != "asset" else ""),
        size=len(page),
        sha256=path,
        phases=Phases(total_s=0.01),
        link=Link(address=ADDRESS, tls="TLSv1.3", chain=(f"c-{host}",), verified=True),
    )


def _certificate(host: str) -> Certificate:
    return Certificate(
        subject=f"CN={host}",
        issuer="CN=ca",
        names=(host,),
        serial="1",
        not_before=NOW - timedelta(days=20),
        not_after=NOW + timedelta(days=70),
        der=b"",
    )
