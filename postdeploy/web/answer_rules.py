"""Whether the declared endpoints answer: the status, the page itself, health shallow and deep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from postdeploy.environment import Expected
from postdeploy.verdict import Judgement, State
from postdeploy.web.findings import (
    Finding,
    absent,
    concluded,
    excerpt,
    failed,
    owned,
    soft,
    status,
    unanswered,
    where,
    wrong_status,
)
from postdeploy.web.replies import Reply
from postdeploy.web.seen import Seen, document

NO_ENDPOINT = "no endpoint of the kind is declared for this host"
IN_WINDOW = "503 in the declared maintenance window"
CONTRACT_CAUSE = "the endpoint's answer changed in this release, or another application answers for this host"
DEPENDENCY_CAUSE = "a dependency the application checks is down; its own log names which"
PAGE_CAUSE = "a maintenance page, a CDN's error page or the front end's fallback page is served with status 200"
GARBLED_CAUSE = "a file or a template was saved, or a proxy rewrites the page, in another encoding"
WELL = frozenset({"ok", "up", "healthy", "pass", "passing"})
CDN_PAGES = re.compile(
    r"cf-error-code|cf-browser-verification|Attention Required! \| Cloudflare|The request could not be satisfied"
    r"|Reference&#32;&#35;|Our services aren't available right now|<title>\s*(?:50[234]|404) [A-Z]|Welcome to nginx!"
    r"|The origin server did not respond|Error: Server Error</title>",
    re.IGNORECASE,
)
"""How the error pages of CDNs and load balancers give themselves away."""


def code(seen: Seen, host: str) -> Judgement:
    """Every declared endpoint of the host answers with its declared status."""
    pairs = seen.pairs(host)
    claim = f"{host} answers each of {len(pairs)} endpoints with its declared status"
    if not pairs:
        return absent(claim, NO_ENDPOINT)
    windows = [reply for _, reply in pairs if seen.maintains(reply)]
    passed = (
        f"{len(windows)} of them {IN_WINDOW}"
        if windows
        else ", ".join(sorted({str(e.template.status) for e, _ in pairs}))
    )
    return concluded(claim, (each for e, r in pairs for each in owned(_code(seen, e, r), e.template.owner)), passed)


def _code(seen: Seen, expected: Expected, reply: Reply | None) -> Iterator[Finding]:
    found = unanswered(reply, seen, expected.url)
    if found or reply is None:
        yield found or Finding(State.UNVERIFIED, expected.url)
    elif expected.template.kind == "deep" and _checks(document(reply)) is not None:
        return  # its word counts and not its status: see deep()
    elif reply.status != expected.template.status and not seen.maintains(reply):
        yield wrong_status(reply, expected.template.status)


def genuine(seen: Seen, host: str) -> Judgement:
    """What answers with the declared status is the endpoint itself, and no page in front of it."""
    claim = f"{host} answers with its own pages and documents"
    pairs = [(e, r) for e, r in seen.pairs(host) if r and r.fault is None and r.status == e.template.status]
    if not pairs:
        expected = seen.expected(host)
        return absent(claim, NO_ENDPOINT) if not expected else _nothing_to_judge(claim, seen, host)
    strange = {each.sha256 for each in seen.asked(host, "missing") if each.status == 200}
    found = (each for expected, reply in pairs for each in _owned_page(seen, expected, reply, strange))
    return concluded(claim, found, f"{len(pairs)} answers of the right type, none of them a page in front")


def _owned_page(seen: Seen, expected: Expected, reply: Reply, strange: set[str]) -> Iterator[Finding]:
    return owned(_genuine(seen, expected, reply, strange), expected.template.owner)


def _nothing_to_judge(claim: str, seen: Seen, host: str) -> Judgement:
    if all(seen.maintains(reply) for _, reply in seen.pairs(host)):
        return absent(claim, IN_WINDOW)
    said = "no endpoint answers with its declared status: see endpoints.status.code"
    return Judgement(State.UNVERIFIED, claim, said)


def _genuine(seen: Seen, expected: Expected, reply: Reply, strange: set[str]) -> Iterator[Finding]:
    template, web = expected.template, seen.environment.web
    body = reply.body.lower()
    if web.maintenance_marker.lower() in body and reply.status == 200:
        yield failed(reply, f"{reply.path}: the maintenance page, with status 200: {excerpt(reply)}", PAGE_CAUSE)
    elif template.type and not fits(reply.media, template.type):
        kind = reply.headers.get("content-type", "no content type")
        yield failed(reply, f"{reply.path}: {kind} instead of {template.type}: {excerpt(reply)}", PAGE_CAUSE)
    elif CDN_PAGES.search(reply.body):
        yield failed(reply, f"{reply.path}: an error page of a CDN or proxy: {excerpt(reply)}", PAGE_CAUSE)
    elif template.marker and template.marker not in reply.body:
        said = "not in the first 64 KiB" if reply.cut else "absent"
        yield failed(reply, f"{reply.path}: its marker {template.marker!r} is {said}: {excerpt(reply)}", PAGE_CAUSE)
    elif not template.marker and reply.sha256 in strange and reply.size:
        said = f"{reply.path}: the very page that a path nobody has gets: {excerpt(reply)}"
        yield failed(reply, said, PAGE_CAUSE)
    elif expected.is_page and not reply.size:
        yield failed(reply, f"{reply.path}: an empty page", PAGE_CAUSE)
    elif reply.garbled and (reply.media.startswith("text/") or reply.media.endswith("json")):
        yield soft(reply, f"{reply.path}: text that is not valid UTF-8: {excerpt(reply)}", GARBLED_CAUSE)


def fits(media: str, declared: str) -> bool:
    """Whether a media type is the declared one; every `+json` is JSON."""
    return media == declared or (declared == "application/json" and media.endswith("+json"))


def health(seen: Seen, host: str) -> Judgement:
    """The host says that it is healthy, in the words agreed and not in those of a page in front of it."""
    claim = f"{host} says that it is healthy"
    pairs = seen.pairs(host, "health")
    if not pairs:
        return absent(claim, NO_ENDPOINT)
    if all(seen.maintains(reply) for _, reply in pairs):
        return absent(claim, IN_WINDOW)
    return concluded(claim, (each for pair in pairs for each in _health(seen, *pair)), _took(pairs[0][1]))


def _took(reply: Reply | None) -> str:
    return f"200 in {reply.elapsed_s:.2f} s" if reply else ""


def _health(seen: Seen, expected: Expected, reply: Reply | None) -> Iterator[Finding]:
    found = unanswered(reply, seen, expected.url)
    if found or reply is None:
        yield found or Finding(State.UNVERIFIED, expected.url)
        return
    if reply.status != expected.template.status:
        yield wrong_status(reply, expected.template.status)
        return
    body = document(reply)
    word = body.get("status") if body else None
    if not fits(reply.media, "application/json"):
        kind = reply.headers.get("content-type", "no content type")
        yield failed(reply, f"{status(reply)}, but {kind} instead of JSON: {excerpt(reply)}", PAGE_CAUSE)
    elif not isinstance(word, str):
        yield failed(reply, f"{status(reply)} without a health status: {excerpt(reply)}", CONTRACT_CAUSE)
    elif word not in WELL:
        state = State.DEGRADED if word == "degraded" else State.FAILED
        ailing = "".join(f"\n{name}: {said}" for name, said in (_checks(body) or {}).items() if said not in WELL)
        yield Finding(state, f"{status(reply)} with status {word!r}", where(reply) + ailing, DEPENDENCY_CAUSE)


def deep(seen: Seen, host: str) -> Judgement:
    """Every declared integration is listed and works; one that does not means what the environment file says."""
    claim = f"every integration behind {host} works"
    pairs = seen.pairs(host, "deep")
    if not pairs:
        return absent(claim, NO_ENDPOINT)
    if all(seen.maintains(reply) and _checks(document(reply)) is None for _, reply in pairs):
        return absent(claim, IN_WINDOW)
    declared = len(seen.environment.web.dependencies)
    return concluded(claim, (each for pair in pairs for each in _deep(seen, *pair)), f"all {declared} of them say so")


def _deep(seen: Seen, expected: Expected, reply: Reply | None) -> Iterator[Finding]:
    found = unanswered(reply, seen, expected.url)
    if found or reply is None:
        yield found or Finding(State.UNVERIFIED, expected.url)
        return
    checks = _checks(document(reply))
    if checks is None:
        yield failed(reply, f"{status(reply)} without a list of checks: {excerpt(reply)}", CONTRACT_CAUSE)
        return
    declared = seen.environment.web.dependencies
    for name, meaning in declared.items():
        if name not in checks:
            yield failed(reply, f"{name} is not listed", CONTRACT_CAUSE)
        elif checks[name] not in WELL:
            state = State.FAILED if meaning == "failed" else State.DEGRADED
            said = f"{name} says {checks[name]!r}, which is declared to mean {meaning}"
            yield Finding(state, said, where(reply), DEPENDENCY_CAUSE)
    for name in checks.keys() - declared.keys():
        if checks[name] not in WELL:
            yield soft(reply, f"{name} says {checks[name]!r}, and nobody declared what that means", DEPENDENCY_CAUSE)


def _checks(body: dict[str, Any] | None) -> dict[str, str] | None:
    """The word of each dependency, where the document lists any."""
    listed = body.get("checks") if body else None
    if not isinstance(listed, dict):
        return None
    return {name: str(each.get("status", "")) if isinstance(each, dict) else str(each) for name, each in listed.items()}
