"""Who may keep an answer, and who may call the API from a page of theirs."""

from __future__ import annotations

from collections.abc import Iterator

from postdeploy.environment import Expected
from postdeploy.verdict import Judgement, State
from postdeploy.web.answer_rules import IN_WINDOW, NO_ENDPOINT
from postdeploy.web.findings import Finding, absent, concluded, failed, not_to_judge, soft, unanswered
from postdeploy.web.pages import HASHED
from postdeploy.web.questions import STRANGER
from postdeploy.web.replies import Reply
from postdeploy.web.seen import Seen

YEAR_S = 31_536_000
PAGE_CAUSE = "the CDN's or the Ingress's caching rule covers the page, so that clients keep the release before"
ASSET_CAUSE = "the static files are served without their cache rule: every visit loads them again"
PRIVATE_CAUSE = "a caching rule covers the API: one client's data could be shown to another"
CORS_CAUSE = "the list of allowed origins was widened, or replaced by one that reflects whoever asks"


def caching(seen: Seen, host: str) -> Judgement:
    """Pages are asked for anew, hashed assets are kept for a year, what is behind a login is never stored."""
    claim = f"what {host} answers is kept as long as it may be"
    pairs = [(e, r) for e, r in seen.pairs(host) if e.is_page or e.template.cache != "any"]
    assets = [each for each in seen.asked(host, "asset") if HASHED.search(each.path.partition("?")[0])]
    if not pairs and not assets:
        return absent(claim, NO_ENDPOINT)
    if pairs and all(seen.maintains(reply) for _, reply in pairs):
        return absent(claim, IN_WINDOW)
    found: list[Finding] = []
    for expected, reply in pairs:
        missing = not_to_judge(reply, seen, expected.url)
        if missing or reply is None:
            found += [missing] if missing else []
        elif not seen.maintains(reply):
            found += _kept(expected, reply)
    found += [each for asset in assets for each in _asset(asset)]
    return concluded(claim, found, f"{len(pairs)} pages and private answers, {len(assets)} hashed assets")


def control(reply: Reply) -> dict[str, str]:
    """The directives of Cache-Control."""
    said = reply.headers.get("cache-control", "").lower()
    return {name.strip(): value.strip(' "') for name, _, value in (each.partition("=") for each in said.split(","))}


def _kept(expected: Expected, reply: Reply) -> Iterator[Finding]:
    given = control(reply)
    told = f"{reply.path} ({reply.status}): Cache-Control {reply.headers.get('cache-control', 'is absent')!r}"
    if expected.template.cache == "private":
        if "no-store" not in given:
            yield failed(reply, f"{told}, expected no-store", PRIVATE_CAUSE)
    elif not ({"no-cache", "no-store"} & given.keys() or given.get("max-age") == "0"):
        yield failed(reply, f"{told}, expected no-cache", PAGE_CAUSE)
    elif given.get("s-maxage", "0") != "0" and "no-store" not in given:
        yield failed(reply, f"{told}: shared caches may keep it", PAGE_CAUSE)
    age = reply.headers.get("age", "0").strip()
    if age.isdigit() and int(age) > 0:
        yield failed(reply, f"{reply.path} comes from a cache and is {age} s old", PAGE_CAUSE)


def _asset(reply: Reply) -> Iterator[Finding]:
    if reply.fault is not None or reply.status != 200:
        return  # endpoints.assets.current reports it
    given = control(reply)
    age = given.get("max-age", "")
    if "no-store" in given or not age.isdigit() or int(age) < YEAR_S or "immutable" not in given:
        said = reply.headers.get("cache-control", "is absent")
        yield soft(reply, f"{reply.path}: Cache-Control {said!r}, expected immutable for a year", ASSET_CAUSE)


def cors(seen: Seen, name: str) -> Judgement:
    """The brands' pages may call the API, a stranger's may not."""
    declared = seen.environment.web.cors
    host = seen.environment.api.host
    claim = f"{host} may be called from the brands' pages alone"
    if declared is None:
        return absent(claim, "web.cors declares nothing")
    replies = seen.asked(host, "preflight")
    if not replies:
        return Judgement(State.UNVERIFIED, claim, "no preflight was sent", "", "the sweep was cut short")
    found = (each for reply in replies for each in _preflight(seen, reply, anyone=declared.anyone))
    return concluded(claim, found, f"{len(replies)} origins asked, {STRANGER} and null among them")


def _preflight(seen: Seen, reply: Reply, *, anyone: bool) -> Iterator[Finding]:
    found = unanswered(reply, seen, f"the preflight from {reply.about}")
    if found:
        yield found
        return
    allowed = reply.headers.get("access-control-allow-origin", "").strip()
    credentials = reply.headers.get("access-control-allow-credentials", "").strip().lower() == "true"
    if reply.about in (STRANGER, "null"):
        if allowed == "*" and credentials:
            yield failed(reply, f"it allows any origin with credentials to {reply.about}", CORS_CAUSE)
        elif allowed == reply.about or (allowed == "*" and not anyone):
            yield failed(reply, f"{reply.about} is allowed to call it ({allowed})", CORS_CAUSE)
    elif allowed not in (reply.about, "*") or reply.status >= 300:
        said = f"{reply.about} is not allowed to call it ({reply.status}, {allowed or 'no allowed origin'})"
        yield failed(reply, said, "a brand is missing in the API's list of origins")
