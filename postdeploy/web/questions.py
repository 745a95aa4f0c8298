"""What is asked of a host, the declared endpoints, and what nobody declares and everybody should answer well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from postdeploy.environment import Environment

STRANGER = "https://evil.example"
"""An origin, and a target, that nothing of the product may trust."""
MISSING = "/postdeploy-no-such-page"
LEAKS = ("/.git/config", "/.env", "/actuator/env", "/server-status", "/debug/vars")
"""Paths that have told secrets on many a production host; answering them is no finding, what they say may be."""
HTML = "text/html,application/xhtml+xml"
JSON = "application/json"
DEEP = 1024 * 1024
"""What is kept of a document that replies are held against."""
ROLES = ("version", "missing", "robots", "leak", "preflight", "openapi", "manifest")


@dataclass(frozen=True, slots=True)
class Question:
    """One request to one host."""

    host: str
    path: str
    probe: str = "endpoint"
    about: str = ""
    method: Literal["GET", "OPTIONS"] = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    scheme: Literal["https", "http"] = "https"
    address: str = ""
    """Which of the host's addresses; empty: the first."""
    follows: bool = False
    """Whether redirects are followed, to declared hosts only."""
    keeps: int | None = None
    """Bytes of the body to keep, where it is not the usual."""
    integrity: str = ""
    """Hash function that the page names for it."""
    subject: str = ""
    """The host it is judged under, where that is another one."""
    accepts_503: bool = False
    """Whether a 503 is an answer and no failed look."""

    @property
    def url(self) -> str:
        """As one would type it."""
        return f"{self.scheme}://{self.host}{self.path}"


def questions(environment: Environment) -> dict[str, list[Question]]:
    """Every question but those that follow from an answer, by host; each host's declared endpoints come first."""
    found: dict[str, list[Question]] = {host: [] for host in environment.hosts}
    for each in (*_declared(environment), *_undeclared(environment)):
        found[each.host].append(each)
    return found


def redirects(environment: Environment) -> Iterator[Question]:
    """Every redirect that must be made, and the ones that must not."""
    web = environment.web
    for name, each in web.redirects.items():
        hosts = {"hosts": environment.secure_hosts, "api": (environment.api.host,)}.get(each.on)
        if hosts is None or "{alias}" in each.source:
            for brand in environment.brands.values():
                for alias in brand.aliases if "{alias}" in each.source else (brand.host,):
                    yield _redirect(name, each.source, brand.host, alias)
        else:
            for host in hosts:
                if host not in {site.host for site in environment.sites.values()}:
                    yield _redirect(name, each.source, host, host)
    for brand in environment.brands.values():
        if web.login_next:
            path = web.login_next.replace("{url}", STRANGER + "/")
            yield Question(brand.host, path, "open-redirect", "absolute")
            yield Question(brand.host, web.login_next.replace("{url}", "//evil.example/"), "open-redirect", "relative")


def _redirect(name: str, source: str, host: str, alias: str) -> Question:
    url = source.replace("{host}", host).replace("{alias}", alias)
    scheme, _, rest = url.partition("://")
    where, slash, path = rest.partition("/")
    return Question(
        where,
        slash + path or "/",
        "redirect",
        name,
        scheme="https" if scheme == "https" else "http",
        follows=True,
        subject=host,
    )


def hosts_to_resolve(environment: Environment) -> tuple[str, ...]:
    """Every name that a question may lead to."""
    control = [environment.web.control] if environment.web.control else []
    asked = [each.host for each in redirects(environment)]
    return tuple(dict.fromkeys([*environment.hosts, *asked, *environment.web.assets_from, *control]))


def _declared(environment: Environment) -> Iterator[Question]:
    for each in environment.expected:
        accept = HTML if each.is_page else JSON if (each.template.type or JSON) == JSON else "*/*"
        yield Question(
            each.host,
            each.path,
            scheme=each.scheme,
            headers=(("accept", accept),),
            accepts_503=each.template.status in (502, 503, 504) or each.template.kind == "deep",
        )


def _undeclared(environment: Environment) -> Iterator[Question]:
    brands = {each.host for each in environment.brands.values()}
    for host in environment.secure_hosts:
        yield Question(host, MISSING, "missing", headers=(("accept", HTML),))
        for path in LEAKS:
            yield Question(host, path, "leak", headers=(("accept", "*/*"),))
        if host in brands:
            yield from _of_brand(host, environment)
    yield from _of_api(environment)


def _of_brand(host: str, environment: Environment) -> Iterator[Question]:
    yield Question(host, "/robots.txt", "robots", headers=(("accept", "text/plain"),))
    if environment.web.manifest:
        yield Question(host, environment.web.manifest, "manifest", keeps=DEEP)


def _of_api(environment: Environment) -> Iterator[Question]:
    web, host = environment.web, environment.api.host
    if web.openapi:
        yield Question(host, web.openapi, "openapi", keeps=DEEP)
    if web.cors:
        for origin in (*(f"https://{each.host}" for each in environment.brands.values()), STRANGER, "null"):
            asked = {"origin": origin, "access-control-request-method": "GET", "accept": "*/*"}
            asked["access-control-request-headers"] = "authorization"
            yield Question(host, web.cors.path, "preflight", origin, "OPTIONS", tuple(asked.items()))
