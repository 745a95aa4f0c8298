"""Security headers and cookie flags, on pages, documents, redirects and error pages alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from postdeploy.verdict import Judgement, State
from postdeploy.web.findings import Finding, absent, concluded, failed, not_to_judge, soft
from postdeploy.web.replies import Cookie, Reply
from postdeploy.web.seen import Seen
from postdeploy.web.tls_rules import HTTP_ONLY

HEADER_CAUSE = "the middleware or the Ingress annotation that sets it was lost; on error pages the proxy answers itself"
COOKIE_CAUSE = "a settings change (SESSION_COOKIE_SECURE and its kin), or a new cookie that nobody looked at"
SAFE_REFERRERS = frozenset(
    {
        "no-referrer",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "no-referrer-when-downgrade",
    }
)
STRICT = re.compile(r"'(?:nonce-|sha(?:256|384|512)-|strict-dynamic)")
"""What makes browsers ignore 'unsafe-inline' beside it."""
DIRECTIVES = ("script-src-elem", "script-src", "default-src")


def security(seen: Seen, host: str) -> Judgement:
    """Every answer carries the headers that protect a browser, error pages and redirects too."""
    claim = f"{host} sends its security headers with every answer"
    if host in seen.is_http_only:
        return absent(claim, HTTP_ONLY)
    replies = [
        *(reply for _, reply in seen.pairs(host)),
        *seen.asked(host, "missing", "redirect"),
    ]
    found: list[Finding] = []
    for reply in replies:
        missing = not_to_judge(reply, seen, host)
        if missing or reply is None:
            found += [missing] if missing else []
        elif not seen.maintains(reply):
            found += _security(seen, reply)
    return concluded(claim, found, f"{len(replies)} answers, error page and redirects among them")


def _security(seen: Seen, reply: Reply) -> Iterator[Finding]:
    least = seen.environment.web.hsts_s
    for hop in reply.hops:
        if hop.url.startswith("https://"):
            yield from _hsts(reply, hop.headers, f"the redirect from {hop.url}", least)
    if not reply.link.tls:
        return
    what = f"{reply.path} ({reply.status})"
    yield from _hsts(reply, reply.headers, what, least)
    if reply.headers.get("x-content-type-options", "").strip().lower() != "nosniff":
        yield failed(reply, f"{what}: X-Content-Type-Options is not nosniff", HEADER_CAUSE)
    if reply.media == "text/html":
        yield from _page(reply, what)


def _hsts(reply: Reply, headers: Mapping[str, str], what: str, least: int) -> Iterator[Finding]:
    value = headers.get("strict-transport-security", "")
    given = {name.strip().lower(): said.strip(' "') for name, _, said in (e.partition("=") for e in value.split(";"))}
    age = given.get("max-age", "")
    if not value:
        yield failed(reply, f"{what}: no Strict-Transport-Security", HEADER_CAUSE)
    elif not age.isdigit() or int(age) < least:
        yield failed(reply, f"{what}: Strict-Transport-Security {value!r}, expected max-age of {least}", HEADER_CAUSE)
    elif "includesubdomains" not in given:
        yield soft(reply, f"{what}: Strict-Transport-Security {value!r} leaves sub-domains out", HEADER_CAUSE)


def _page(reply: Reply, what: str) -> Iterator[Finding]:
    policy = directives(reply.headers.get("content-security-policy", ""))
    scripts = next((policy[each] for each in DIRECTIVES if each in policy), None)
    if scripts is None:
        yield failed(reply, f"{what}: no Content-Security-Policy for scripts", HEADER_CAUSE)
    elif "'unsafe-inline'" in scripts and not STRICT.search(scripts):
        yield failed(reply, f"{what}: its Content-Security-Policy allows inline scripts: {scripts!r}", HEADER_CAUSE)
    framing = reply.headers.get("x-frame-options", "").strip().lower()
    ancestors = policy.get("frame-ancestors")
    if framing not in ("deny", "sameorigin") and (ancestors is None or ancestors.strip() == "*"):
        yield failed(reply, f"{what}: any site may frame it (X-Frame-Options, frame-ancestors)", HEADER_CAUSE)
    referrer = [each.strip().lower() for each in reply.headers.get("referrer-policy", "").split(",") if each.strip()]
    if not referrer or referrer[-1] not in SAFE_REFERRERS:
        yield failed(reply, f"{what}: Referrer-Policy {', '.join(referrer) or 'is absent'}", HEADER_CAUSE)


def directives(policy: str) -> dict[str, str]:
    """The directives of a Content-Security-Policy; of two by one name the first counts, as in browsers."""
    found: dict[str, str] = {}
    for each in policy.split(";"):
        name, _, value = each.strip().partition(" ")
        if name:
            found.setdefault(name.lower(), value.strip().lower())
    return found


def cookies(seen: Seen, host: str) -> Judgement:
    """Every cookie is Secure, HttpOnly unless scripts are declared to read it, and bound to its site."""
    claim = f"{host} sets its cookies safely"
    if host in seen.is_http_only:
        return absent(claim, HTTP_ONLY)
    replies = [each for each in seen.asked(host) if each.fault is None]
    if not replies:
        return Judgement(State.UNVERIFIED, claim, f"no answer of {host} to judge", "", "")
    told: dict[tuple[str, str], Finding] = {}
    names: set[str] = set()
    for reply in replies:
        for cookie in reply.cookies:
            names.add(cookie.name)
            for finding in _cookie(seen, reply, cookie):
                told.setdefault((cookie.name, finding.seen.partition(": ")[2]), finding)
    return concluded(claim, told.values(), f"{', '.join(sorted(names)) or 'none'} in {len(replies)} answers")


def _cookie(seen: Seen, reply: Reply, cookie: Cookie) -> Iterator[Finding]:
    if cookie.is_removal:
        return
    what = f"{cookie.name} (set by {reply.path})"
    if not cookie.secure:
        yield failed(reply, f"{what}: not Secure", COOKIE_CAUSE)
    if not cookie.http_only and cookie.name not in seen.environment.web.readable_cookies:
        yield failed(reply, f"{what}: not HttpOnly, and web.readable_cookies does not name it", COOKIE_CAUSE)
    if cookie.same_site not in ("lax", "strict", "none"):
        yield failed(reply, f"{what}: no SameSite", COOKIE_CAUSE)
    elif cookie.same_site == "none" and not cookie.secure:
        yield failed(reply, f"{what}: SameSite=None without Secure", COOKIE_CAUSE)
