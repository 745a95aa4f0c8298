"""Whether the release is what answers: from every address, several times, and in the pages it serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from postdeploy.verdict import Judgement, State
from postdeploy.web.answer_rules import CONTRACT_CAUSE, IN_WINDOW, NO_ENDPOINT
from postdeploy.web.findings import Finding, absent, concluded, excerpt, failed, not_to_judge, unanswered, wrong_status
from postdeploy.web.manifest import builds
from postdeploy.web.replies import Reply
from postdeploy.web.seen import Seen, document

TAG_KEYS = ("version", "tag")
"""Names under which `/version` may tell the release."""
VERSION_CAUSE = "old pods still serve behind this host, its traffic goes to another cluster, or a cache answers for it"
BUILD_CAUSE = "the front end was not deployed with the release, or the CDN still serves the pages of the one before"


def release(seen: Seen, host: str) -> Judgement:
    """The host names the release: each of its addresses, several times in a row."""
    claim = f"{host} runs {seen.release}"
    expected = seen.expected(host, "version")
    if not expected:
        return absent(claim, NO_ENDPOINT)
    replies = [seen.reply(each) for each in expected] + list(seen.asked(host, "version"))
    if all(seen.maintains(each) for each in replies):
        return absent(claim, IN_WINDOW)
    addresses = sorted({each.about for each in replies if each and each.about})
    told = f"it says so {len(replies)} times" + (f", from {', '.join(addresses)}" if addresses else "")
    told += "".join(f"; {each} is not asked (web.families)" for each in _left_out(seen))
    found = (each for reply in replies for each in _release(seen, reply, expected[0].url))
    return concluded(claim, found, told)


def _left_out(seen: Seen) -> list[str]:
    return [name for key, name in (("ipv4", "IPv4"), ("ipv6", "IPv6")) if key not in seen.environment.web.families]


def _release(seen: Seen, reply: Reply | None, url: str) -> Iterator[Finding]:
    found = unanswered(reply, seen, url)
    if found or reply is None:
        yield found or Finding(State.UNVERIFIED, url)
        return
    if reply.status != 200:
        yield wrong_status(reply, 200)
        return
    tag = told_tag(reply)
    via = f" at {reply.about}" if reply.about else ""
    if tag is None:
        yield failed(reply, f"200 without a version{via}: {excerpt(reply)}", CONTRACT_CAUSE)
    elif tag != seen.release:
        yield failed(reply, f"it says {tag}{via}{_staleness(reply)}", VERSION_CAUSE)


def told_tag(reply: Reply | None) -> str | None:
    """The release that a version document names."""
    body = document(reply) or {}
    return next((body[key] for key in TAG_KEYS if isinstance(body.get(key), str)), None)


def told_build(reply: Reply | None) -> str | None:
    """The front-end build that a version document names."""
    found = (document(reply) or {}).get("build")
    return found if isinstance(found, str) else None


def build(seen: Seen, host: str) -> Judgement:
    """The pages and the list of files are of the build that `/version` names."""
    claim = f"the pages of {host} are those of the release's build"
    pages = seen.pairs(host, "page")
    versions = [seen.reply(each) for each in seen.expected(host, "version")]
    if not pages or not versions:
        return absent(claim, "no page, or no version, is declared for this host")
    if any(seen.maintains(reply) for _, reply in pages):
        return absent(claim, IN_WINDOW)
    named = Counter(filter(None, (told_build(each) for each in (*versions, *seen.asked(host, "version")))))
    if not named:
        said = "/version names no build to compare with"
        return Judgement(State.UNVERIFIED, claim, said, "", CONTRACT_CAUSE)
    expected = named.most_common(1)[0][0]
    replies = [reply for _, reply in pages] + list(seen.asked(host, "manifest"))
    found = (each for reply in replies for each in _build(seen, reply, expected))
    return concluded(claim, found, f"{len(replies)} of them name {expected}")


def _build(seen: Seen, reply: Reply | None, expected: str) -> Iterator[Finding]:
    found = not_to_judge(reply, seen, "a page")
    if found or reply is None:
        yield found or Finding(State.UNVERIFIED, "no page")
    elif reply.status == 200:
        told = builds(reply).get("build") if reply.probe == "manifest" else seen.page(reply).build
        if not told:
            yield failed(reply, f"{reply.path} names no build, /version names {expected}", CONTRACT_CAUSE)
        elif told != expected:
            yield failed(reply, f"{reply.path} is of build {told}, /version names {expected}", BUILD_CAUSE)
    else:
        said = f"no page to judge: {reply.path} answers {reply.status}"
        yield Finding(State.UNVERIFIED, said)


def _staleness(reply: Reply) -> str:
    return f" (from a cache, {reply.headers['age']} s old)" if reply.headers.get("age", "0") != "0" else ""
