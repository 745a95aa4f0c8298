"""What pages consist of, and what they must say: scripts and styles, old chunks, robots, the regulated text."""

from __future__ import annotations

from collections.abc import Iterator

from postdeploy.environment import Expected
from postdeploy.verdict import Judgement, State
from postdeploy.web.answer_rules import IN_WINDOW, NO_ENDPOINT
from postdeploy.web.findings import Finding, absent, concluded, excerpt, failed, not_to_judge, status, unanswered
from postdeploy.web.manifest import builds, earlier_files
from postdeploy.web.pages import Asset, words
from postdeploy.web.replies import Reply
from postdeploy.web.seen import Seen

SCRIPTS = frozenset({"text/javascript", "application/javascript", "application/x-javascript", "application/ecmascript"})
TYPES = {"script": SCRIPTS, "style": frozenset({"text/css"})}
ASSET_CAUSE = "the front end's files were not uploaded with the page, or the fallback page answers for a missing file"
OLD_CAUSE = "the deployment deleted the files of the build before: tabs that are open break at their next click"
STRANGE_CAUSE = "a tag manager or a dependency brought it in; declare it in web.assets_from if it is meant"
ROBOTS_CAUSE = "the setting of another environment was deployed here"
LEGAL_CAUSE = "a text was lost or changed in the release, or the page fell back to another language"


def current(seen: Seen, host: str) -> Judgement:
    """Every script and style that the pages load exists, with the right type and the right content."""
    claim = f"the pages of {host} find all their scripts and styles"
    pages = [(e, r) for e, r in seen.pairs(host, "page") if not seen.maintains(r)]
    if not pages:
        return absent(claim, IN_WINDOW if seen.expected(host, "page") else NO_ENDPOINT)
    found: list[Finding] = []
    loaded = 0
    for expected, reply in pages:
        missing = not_to_judge(reply, seen, expected.url)
        if missing or reply is None:
            found += [missing] if missing else []
            continue
        if reply.status != expected.template.status:
            found.append(Finding(State.UNVERIFIED, f"no page to judge: {expected.path} answers {reply.status}"))
            continue
        assets = seen.page(reply).assets
        loaded += len(assets)
        if not assets:
            found.append(failed(reply, f"{reply.path} loads no script and no style at all", ASSET_CAUSE))
        found += [each for asset in assets for each in _asset(seen, reply, asset)]
    return concluded(claim, found, f"{loaded} of them on {len(pages)} pages")


def _asset(seen: Seen, page: Reply, asset: Asset) -> Iterator[Finding]:
    if asset.host not in seen.known_hosts:
        said = f"{page.path} loads a {asset.kind} from {asset.host}, which nobody declared"
        yield failed(page, said, STRANGE_CAUSE)
        return
    reply = seen.asset(asset.host, asset.path)
    missing = unanswered(reply, seen, asset.url)
    if missing or reply is None:
        yield missing or Finding(State.UNVERIFIED, asset.url)
        return
    yield from _file(reply, asset.kind, ASSET_CAUSE)
    if asset.integrity and reply.integrity and reply.integrity not in asset.integrity.split():
        said = f"{asset.path} is not what {page.path} expects: {reply.integrity}, not {asset.integrity}"
        yield failed(reply, said, ASSET_CAUSE)


def _file(reply: Reply, kind: str, cause: str) -> Iterator[Finding]:
    if reply.status != 200:
        yield failed(reply, f"{reply.path}: {status(reply)}", cause)
    elif reply.media not in TYPES[kind]:
        said = reply.headers.get("content-type", "no content type")
        yield failed(reply, f"{reply.path}: {said} instead of a {kind}: {excerpt(reply)}", cause)
    elif not reply.size:
        yield failed(reply, f"{reply.path}: an empty {kind}", cause)


def previous(seen: Seen, host: str) -> Judgement:
    """The files of the builds before are still there, for the tabs that clients have open."""
    claim = f"{host} still serves what open tabs load"
    if seen.environment.web.manifest is None:
        return absent(claim, "web.manifest declares no list of the builds' files")
    listed = seen.asked(host, "manifest")
    if not listed:
        return absent(claim, NO_ENDPOINT)
    if all(seen.maintains(each) for each in listed):
        return absent(claim, IN_WINDOW)
    found = [each for reply in listed for each in _manifest(seen, reply)]
    old = seen.asked(host, "old-asset")
    for reply in old:
        missing = unanswered(reply, seen, reply.path)
        kind = "style" if reply.path.partition("?")[0].endswith(".css") else "script"
        found += [missing] if missing else _file(reply, kind, OLD_CAUSE)
    return concluded(claim, found, f"{len(old)} files of builds before")


def _manifest(seen: Seen, reply: Reply) -> Iterator[Finding]:
    missing = unanswered(reply, seen, reply.path)
    if missing:
        yield missing
    elif reply.status != 200 or not builds(reply).get("files"):
        yield failed(reply, f"{reply.path}: {status(reply)}, and no list of files: {excerpt(reply)}", ASSET_CAUSE)
    elif not earlier_files(reply):
        yield Finding(State.UNVERIFIED, f"{reply.path} lists no build before this one")


def robots(seen: Seen, host: str) -> Judgement:
    """Search engines are welcome where they should be, and sent away everywhere else."""
    wanted = seen.environment.web.indexed
    claim = f"{host} {'may' if wanted else 'must not'} be found by search engines"
    replies = [reply for _, reply in seen.pairs(host, "page") if reply] + list(seen.asked(host, "robots"))
    if not replies:
        return absent(claim, NO_ENDPOINT)
    if all(seen.maintains(each) for each in replies):
        return absent(claim, IN_WINDOW)
    found = [each for each in (not_to_judge(reply, seen, reply.path) for reply in replies) if each]
    signs = [(reply, sign) for reply in replies if reply.fault is None for sign in _signs(seen, reply)]
    if wanted:
        found += [failed(reply, f"{reply.path}: {sign}", ROBOTS_CAUSE) for reply, sign in signs]
    elif not signs and not found:
        said = "neither robots.txt nor any page sends them away"
        found.append(Finding(State.FAILED, said, f"https://{host}/robots.txt", ROBOTS_CAUSE))
    return concluded(claim, found, "; ".join(sign for _, sign in signs[:2]))


def _signs(seen: Seen, reply: Reply) -> Iterator[str]:
    """What in a reply sends every search engine away."""
    if reply.probe == "robots":
        if reply.status == 200 and reply.media != "text/html" and _disallows_all(reply.body):
            yield "Disallow: / for everybody"
        return
    if "noindex" in reply.headers.get("x-robots-tag", "").lower():
        yield f"X-Robots-Tag {reply.headers['x-robots-tag']}"
    if reply.status == 200 and {"noindex", "none"} & {e.strip() for e in seen.page(reply).robots.split(",")}:
        yield "a robots element says noindex"


def _disallows_all(text: str) -> bool:
    """Whether the group for every robot forbids everything."""
    mine = naming = False
    allowed = forbidden = False
    for line in text.splitlines():
        key, _, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent":
            mine = (mine if naming else False) or value == "*"
            naming = True
        elif key:
            naming = False
            forbidden |= mine and key == "disallow" and value == "/"
            allowed |= mine and key == "allow" and value == "/"
    return forbidden and not allowed


def legal(seen: Seen, host: str) -> Judgement:
    """Every page names the legal entity and its licence, and warns in the prescribed words of its language."""
    claim = f"the pages of {host} carry the regulated text"
    pages = [(e, r) for e, r in seen.pairs(host, "page") if not seen.maintains(r)]
    if not pages:
        return absent(claim, IN_WINDOW if seen.expected(host, "page") else NO_ENDPOINT)
    found = (each for expected, reply in pages for each in _legal(seen, expected, reply))
    return concluded(claim, found, f"{len(pages)} pages in {', '.join(sorted({e.locale for e, _ in pages}))}")


def _legal(seen: Seen, expected: Expected, reply: Reply | None) -> Iterator[Finding]:
    missing = not_to_judge(reply, seen, expected.url)
    if missing or reply is None or expected.brand is None:
        yield missing or Finding(State.UNVERIFIED, f"nothing is declared of the brand of {expected.url}")
        return
    if reply.status != expected.template.status:
        yield Finding(State.UNVERIFIED, f"no page to judge: {expected.path} answers {reply.status}")
        return
    web, text = seen.environment.web, seen.page(reply).text
    prescribed = {
        "the legal entity": expected.brand.legal_entity,
        "the licence": web.licence,
        "the risk warning": web.warning(expected.locale),
    }
    for what, wanted in prescribed.items():
        if wanted and words(wanted) not in text:
            yield failed(reply, f"{expected.path} ({expected.locale}) lacks {what}: {wanted!r}", LEGAL_CAUSE)
