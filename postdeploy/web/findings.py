"""From single findings to one judgement: the gravest decides, and the words in which replies are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus

from postdeploy.verdict import Judgement, State
from postdeploy.web.replies import Fault, Reply
from postdeploy.web.seen import Seen

EXCERPT = 160
SHOWN = 5
"""Findings that a message tells one by one."""
GRAVEST = (State.FAILED, State.UNVERIFIED, State.DEGRADED)
TELLING = ("server", "via", "location", "age", "x-cache", "x-request-id")
"""Headers that say who answered."""

CAUSES = {
    Fault.RESOLVE: "the DNS record of this brand was removed or never made (external-dns, the zone, the registrar)",
    Fault.CONNECT: "the load balancer or Ingress has no listener for this host, or a firewall rule changed",
    Fault.CERTIFICATE: "the certificate expired, names other hosts, or lacks its intermediate (cert-manager, Gateway)",
    Fault.TIME_OUT: "no ready endpoint behind the Service, or the application waits for a database or an integration",
    Fault.CUT_OFF: "the pod was stopped while it answered, or the proxy's time-out is shorter than the application's",
    Fault.LOOP: "two redirect rules contradict each other, often one at the CDN and one in the application",
}
STATUS_CAUSES = {
    200: "the permission class of this endpoint was dropped, or a page answers in its place",
    500: "the application fails on this request, or a dependency that it checks is down; its own log names which",
    404: "the Ingress or Gateway has no route for this host and path, or the route was renamed",
    502: "the pods behind the Service refuse connections: wrong port, or crash-looping",
    503: "no ready pod behind the Service, or the maintenance switch is on",
    504: "the pods do not answer the proxy in time",
}
REFUSES = "the application or the proxy before it refuses this request"
OFFLINE_CAUSE = "the runner's DNS, egress rule or proxy; run it again from a machine that reaches these hosts"
FAMILY_CAUSE = (
    "the runner's network has no such addresses: run it where there are, or let web.families name only those it has"
)
CUT_SHORT = "the sweep was cut short"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    state: State
    seen: str
    where: str = ""
    cause: str = ""


def concluded(claim: str, findings: Iterable[Finding], passed: str = "") -> Judgement:
    """One judgement over all findings, the gravest first; without any, the claim has passed."""
    known = sorted(findings, key=lambda each: GRAVEST.index(each.state))
    if not known:
        return Judgement(State.PASSED, claim, passed)
    first = known[0]
    rest = len(known) - 1
    seen = first.seen + (f" (and {rest} more)" if rest else "")
    lines = [first.where, *(f"{each.seen}\n{each.where}".strip() for each in known[1:SHOWN])]
    return Judgement(first.state, claim, seen, "\n".join(each for each in lines if each), first.cause)


def absent(claim: str, why: str) -> Judgement:
    """Nothing of the kind is declared here."""
    return Judgement(State.NOT_APPLICABLE, claim, why)


def failed(reply: Reply, seen: str, cause: str) -> Finding:
    """The product contradicts the expectation."""
    return Finding(State.FAILED, seen, where(reply), cause)


def soft(reply: Reply, seen: str, cause: str) -> Finding:
    """It works, and should be better."""
    return Finding(State.DEGRADED, seen, where(reply), cause)


def unanswered(reply: Reply | None, seen: Seen, what: str) -> Finding | None:
    """Why there is no answer to judge, if there is none: the product's fault, or that we could not look."""
    if reply is None:
        return Finding(State.UNVERIFIED, f"the sweep holds no reply to {what}", "", CUT_SHORT)
    if reply.fault is None:
        return None
    said = f"{reply.host} {reply.fault}: {reply.error}"
    if reply.fault is Fault.NOT_LOOKED:
        return Finding(State.UNVERIFIED, said, where(reply))
    if seen.is_ours(reply):
        doubt = f"{_silence(seen, reply)}, so our own network is in doubt ({said})"
        cause = OFFLINE_CAUSE if seen.sweep.is_offline else FAMILY_CAUSE
        return Finding(State.UNVERIFIED, doubt, where(reply), cause)
    return failed(reply, said, CAUSES[reply.fault])


def _silence(seen: Seen, reply: Reply) -> str:
    if not seen.sweep.is_offline:
        return f"nobody can be reached by {reply.link.family} from here"
    control = seen.sweep.control
    if control:
        return f"the control host {control.host} {control.fault} too"
    return f"none of {len({each.host for each in seen.sweep.replies})} hosts answers"


def not_to_judge(reply: Reply | None, seen: Seen, what: str) -> Finding | None:
    """The same where another check reports the missing answer: this one could not be judged."""
    found = unanswered(reply, seen, what)
    if found is None:
        return None
    return Finding(State.UNVERIFIED, f"no answer to judge: {found.seen}", found.where, found.cause)


def wrong_status(reply: Reply, expected: int) -> Finding:
    """Another status than was declared."""
    cause = STATUS_CAUSES.get(reply.status, REFUSES)
    return failed(reply, f"{status(reply)} at {reply.path}, not {expected}: {excerpt(reply)}", cause)


def owned(findings: Iterable[Finding], owner: str) -> Iterator[Finding]:
    """The findings with the team that answers for the endpoint."""
    return (replace(each, where=f"{each.where}\nowner: {owner}".lstrip()) for each in findings)


def where(reply: Reply) -> str:
    """The request, and who answered it."""
    marks = [f"{name}: {reply.headers[name]}" for name in TELLING if name in reply.headers]
    marks += [f"address: {reply.link.address}"] if reply.link.address else []
    marks += [f"traceparent: {reply.trace}"] if reply.trace else []
    looks = f" ({len(reply.attempts)} looks)" if len(reply.attempts) > 1 else ""
    begun = reply.hops[0].url if reply.hops else f"https://{reply.host}{reply.path}"
    hops = [f"  {each.status} to {each.location}" for each in reply.hops]
    return "\n".join([f"{reply.method} {begun}{looks}", *hops, *marks])


def status(reply: Reply) -> str:
    """The status with its name."""
    known = {each.value: each.phrase for each in HTTPStatus}
    return f"{reply.status} {known.get(reply.status, '')}".rstrip()


def excerpt(reply: Reply) -> str:
    """The beginning of a body, in one line."""
    text = " ".join(reply.body[: EXCERPT * 4].split())
    return repr(text[:EXCERPT] + ("…" if len(text) > EXCERPT else "")) if text else "an empty body"
