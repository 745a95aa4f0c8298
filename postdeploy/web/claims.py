"""Judges a sweep: what a host's answer says of the host. Pure, so that a saved sweep gives the same verdicts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from postdeploy.environment import Environment
from postdeploy.evidence.results import Attempt
from postdeploy.verdict import Judgement, State
from postdeploy.web.replies import Fault, Reply, Sweep
from postdeploy.web.sweep import HEALTH, VERSION

PATHS = {"health": HEALTH, "version": VERSION}
"""Claim to the path it judges."""
EXCERPT = 160
TAG_KEYS = ("version", "tag")
"""Names under which `/version` may tell the release."""
TELLING = ("server", "via", "location", "x-request-id")
"""Headers that say who answered."""

CAUSES = {
    Fault.RESOLVE: "the DNS record of this brand was removed or never made (external-dns, the zone, the registrar)",
    Fault.CONNECT: "the load balancer or Ingress has no listener for this host, or a firewall rule changed",
    Fault.CERTIFICATE: "the certificate expired, names other hosts, or lacks its intermediate (cert-manager, Gateway)",
    Fault.TIME_OUT: "no ready endpoint behind the Service, or the application waits for a database or an integration",
    Fault.CUT_OFF: "the pod was stopped while it answered, or the proxy's time-out is shorter than the application's",
}
STATUS_CAUSES = {
    500: "the application fails on this request, or a dependency that it checks is down; its own log names which",
    404: "the Ingress or Gateway has no route for this host and path, or the route was renamed",
    502: "the pods behind the Service refuse connections: wrong port, or crash-looping",
    503: "no ready pod behind the Service, or the maintenance switch is on",
    504: "the pods do not answer the proxy in time",
}


class WebClaims:
    """The claims of the endpoints tier over one sweep; a host that was never asked is unverified."""

    def __init__(self, sweep: Sweep, environment: Environment, release: str) -> None:
        self.sweep = sweep
        self.environment = environment
        self.release = release

    def looks(self, rule: str, host: str) -> tuple[Attempt, ...]:
        """Every look behind a rule's answer: a claim that holds after more than one of them is flaky."""
        reply = self.sweep.reply(host, PATHS[rule])
        return reply.attempts if reply else ()

    def health(self, host: str) -> Judgement:
        """The host says that it is healthy, in the words agreed and not in those of a page in front of it."""
        claim = f"{host} says that it is healthy"
        reply = self.sweep.reply(host, HEALTH)
        trouble = self._trouble(claim, reply, HEALTH)
        if trouble or reply is None:
            return trouble or _not_asked(claim, HEALTH)
        body = _json(reply)
        word = body.get("status") if body else None
        if not body or not isinstance(word, str):
            return _failed(claim, f"200 without a health status: {_excerpt(reply)}", reply, CONTRACT_CAUSE)
        if word == "ok":
            return Judgement(State.PASSED, claim, f"200 in {reply.elapsed_s:.2f} s")
        where = _where(reply) + _ailing(body)
        if word == "degraded":
            return Judgement(State.DEGRADED, claim, "200 with status 'degraded'", where, DEPENDENCY_CAUSE)
        return Judgement(State.FAILED, claim, f"200 with status {word!r}", where, DEPENDENCY_CAUSE)

    def version(self, host: str) -> Judgement:
        """The host says that it runs the release that was deployed."""
        claim = f"{host} runs {self.release}"
        reply = self.sweep.reply(host, VERSION)
        trouble = self._trouble(claim, reply, VERSION)
        if trouble or reply is None:
            return trouble or _not_asked(claim, VERSION)
        body = _json(reply) or {}
        tag = next((body[key] for key in TAG_KEYS if isinstance(body.get(key), str)), None)
        if tag is None:
            return _failed(claim, f"200 without a version: {_excerpt(reply)}", reply, CONTRACT_CAUSE)
        if tag == self.release:
            return Judgement(State.PASSED, claim, f"it says {tag}")
        return _failed(claim, f"it says {tag}{_staleness(reply)}", reply, VERSION_CAUSE)

    def _trouble(self, claim: str, reply: Reply | None, path: str) -> Judgement | None:
        """What is wrong before the body matters, if anything."""
        if reply is None:
            return _not_asked(claim, path)
        if reply.fault is not None:
            return self._unanswered(claim, reply, reply.fault)
        if reply.status != HTTPStatus.OK:
            cause = STATUS_CAUSES.get(reply.status, "the application or the proxy before it refuses this request")
            return _failed(claim, f"{_status(reply)}, not 200: {_excerpt(reply)}", reply, cause)
        kind = reply.headers.get("content-type", "no content type")
        if not _is_json_type(kind):
            return _failed(claim, f"200, but {kind} instead of JSON: {_excerpt(reply)}", reply, PAGE_CAUSE)
        return None

    def _unanswered(self, claim: str, reply: Reply, fault: Fault) -> Judgement:
        seen = f"{reply.host} {fault}: {reply.error}"
        if fault is Fault.NOT_LOOKED:
            return Judgement(State.UNVERIFIED, claim, seen, _where(reply))
        if self.sweep.is_offline:
            hosts = len({each.host for each in self.sweep.replies})
            seen = f"none of {hosts} hosts could be contacted, so our own network is in doubt ({seen})"
            return Judgement(State.UNVERIFIED, claim, seen, _where(reply), OFFLINE_CAUSE)
        return _failed(claim, seen, reply, CAUSES[fault])


CONTRACT_CAUSE = "the endpoint's answer changed in this release, or another application answers for this host"
DEPENDENCY_CAUSE = "a dependency the application checks is down; its own log names which"
OFFLINE_CAUSE = "the runner's DNS, egress rule or proxy; run it again from a machine that reaches these hosts"
PAGE_CAUSE = "a maintenance page, a CDN's error page or the front end's fallback page is served with status 200"
VERSION_CAUSE = "old pods still serve behind this host, its traffic goes to another cluster, or a cache answers for it"


def _not_asked(claim: str, path: str) -> Judgement:
    return Judgement(State.UNVERIFIED, claim, f"the sweep holds no reply to {path}", "", "the sweep was cut short")


def _failed(claim: str, seen: str, reply: Reply, cause: str) -> Judgement:
    return Judgement(State.FAILED, claim, seen, _where(reply), cause)


def _where(reply: Reply) -> str:
    marks = [f"{name}: {reply.headers[name]}" for name in TELLING if name in reply.headers]
    marks += [f"traceparent: {reply.trace}"] if reply.trace else []
    looks = f" ({len(reply.attempts)} looks)" if len(reply.attempts) > 1 else ""
    return "\n".join([f"GET https://{reply.host}{reply.path}{looks}", *marks])


def _status(reply: Reply) -> str:
    known = {each.value: each.phrase for each in HTTPStatus}
    return f"{reply.status} {known.get(reply.status, '')}".rstrip()


def _staleness(reply: Reply) -> str:
    return f" (from a cache, {reply.headers['age']} s old)" if reply.headers.get("age", "0") != "0" else ""


def _excerpt(reply: Reply) -> str:
    text = " ".join(reply.body.split())
    return repr(text[:EXCERPT] + ("…" if len(text) > EXCERPT else "")) if text else "an empty body"


def _is_json_type(kind: str) -> bool:
    media = kind.partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")


def _json(reply: Reply) -> dict[str, Any] | None:
    try:
        body = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None


def _ailing(body: dict[str, Any]) -> str:
    """The dependencies that are not well, where the health endpoint lists any."""
    checks = body.get("checks")
    if not isinstance(checks, dict):
        return ""
    return "".join(f"\n{name}: {word}" for name, word in checks.items() if word != "ok")
