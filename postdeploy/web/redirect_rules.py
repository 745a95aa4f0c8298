"""Where redirects lead: to their declared end, never down to http, never to a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urljoin, urlsplit

from postdeploy.verdict import Judgement
from postdeploy.web.findings import Finding, absent, concluded, excerpt, failed, not_to_judge, status, unanswered
from postdeploy.web.replies import Reply
from postdeploy.web.seen import Seen

REDIRECT_CAUSE = "a redirect rule of the Ingress, the CDN or the application was changed or lost"
OPEN_CAUSE = "the target of a login's `next` is not checked against the product's own hosts"


def target(seen: Seen, host: str) -> Judgement:
    """Every declared redirect to the host ends where it should, in few hops and without leaving TLS."""
    claim = f"the redirects to {host} end where they should"
    replies = seen.asked(host, "redirect")
    if not replies:
        return absent(claim, "no redirect is declared for this host")
    found = (each for reply in replies for each in _target(seen, reply, host))
    told = ", ".join(f"{each.about} in {len(each.hops)}" for each in replies)
    return concluded(claim, found, told)


def _target(seen: Seen, reply: Reply, host: str) -> Iterator[Finding]:
    missing = unanswered(reply, seen, reply.about)
    if missing:
        yield missing
        return
    if seen.maintains(reply):
        return
    declared = seen.environment.web.redirects[reply.about]
    end = declared.target.replace("{host}", host)
    begun = reply.hops[0].url if reply.hops else reply.path
    passed = [*(each.url for each in reply.hops), reply.url]
    if not reply.hops:
        yield failed(reply, f"{reply.about}: {status(reply)} instead of a redirect: {excerpt(reply)}", REDIRECT_CAUSE)
        return
    for hop, following in pairwise(passed):
        if hop.startswith("https://") and following.startswith("http://"):
            yield failed(reply, f"{reply.about}: {hop} leads down to {following}", REDIRECT_CAUSE)
    if end not in passed:
        yield failed(reply, f"{reply.about}: {begun} ends at {reply.url}, expected {end}", REDIRECT_CAUSE)
    elif passed.index(end) > declared.hops:
        many = f"{passed.index(end)} hops to {end}, at most {declared.hops}"
        yield failed(reply, f"{reply.about}: {many}", REDIRECT_CAUSE)
    elif reply.status >= 500:
        yield failed(reply, f"{reply.about}: it ends in {status(reply)} at {reply.url}", REDIRECT_CAUSE)


def open_redirect(seen: Seen, host: str) -> Judgement:
    """A link to the host cannot be made to lead a client to somebody else."""
    claim = f"{host} sends nobody on to a stranger"
    replies = seen.asked(host, "open-redirect")
    if not replies:
        return absent(claim, "web.login_next declares no path that sends visitors on")
    if all(seen.maintains(each) for each in replies):
        return absent(claim, "503 in the declared maintenance window")
    found = [each for reply in replies for each in _open(seen, reply)]
    return concluded(claim, found, ", ".join(f"{each.about}: {each.status}" for each in replies))


def _open(seen: Seen, reply: Reply) -> Iterator[Finding]:
    missing = not_to_judge(reply, seen, reply.path)
    if missing:
        yield missing
        return
    location = reply.headers.get("location", "")
    # Browsers read a backslash as a slash, and ignore what they cannot print.
    there = urlsplit(urljoin(f"https://{reply.host}/", location.strip().replace("\\", "/"))).hostname or ""
    if location and there not in seen.environment.hosts:
        yield failed(reply, f"{reply.path} leads to {there}", OPEN_CAUSE)
