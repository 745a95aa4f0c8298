"""Certificates and protocols, of the host itself and of each redirect on the way to it. OCSP and CRLs are not asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from postdeploy.verdict import Judgement, State
from postdeploy.web.findings import Finding, absent, concluded, failed
from postdeploy.web.replies import Certificate, Fault, Handshake, Link, Reply
from postdeploy.web.seen import Seen

SHOWN_NAMES = 4
MODERN = frozenset({"TLSv1.2", "TLSv1.3"})
HTTP_ONLY = "the host is declared http-only"
RENEWAL_CAUSE = "cert-manager or the managed certificate failed to renew: read its Certificate and its challenges"
CHAIN_CAUSE = "the wrong secret is bound to this host, the intermediate was left out, or a private authority signed it"
OLD_CAUSE = "the TLS policy of the load balancer or Ingress was loosened, or its default one is in force"


def chain(seen: Seen, host: str) -> Judgement:
    """The chain leads to a trusted authority and names the host, here and at each redirect on the way."""
    claim = f"{host} shows a certificate that is trusted and its own"
    if host in seen.is_http_only:
        return absent(claim, HTTP_ONLY)
    links = list(_links(seen, host))
    found = [failed(reply, _untrusted(seen, reply), CHAIN_CAUSE) for reply in _refused(seen, host)]
    if not links and not found:
        return Judgement(State.UNVERIFIED, claim, f"no TLS connection to {host} came about", "", "")
    certificates = _leaves(seen, [link for _, link in links])
    told = "; ".join(f"{each.subject}, by {each.issuer}" for each in certificates.values())
    return concluded(claim, found, f"verified {len(links)} times: {told}; OCSP and CRLs were not asked")


def _refused(seen: Seen, host: str) -> Iterator[Reply]:
    """One reply for each name whose certificate was refused."""
    told: set[str] = set()
    for reply in seen.asked(host):
        if reply.fault is Fault.CERTIFICATE and reply.host not in told:
            told.add(reply.host)
            yield reply


def _untrusted(seen: Seen, reply: Reply) -> str:
    shown = [seen.sweep.certificates[each] for each in reply.link.chain if each in seen.sweep.certificates]
    if not shown:
        return f"{reply.host}: {reply.error}"
    leaf = shown[0]
    names = ", ".join(leaf.names[:SHOWN_NAMES]) or leaf.subject
    term = f"{leaf.not_before:%Y-%m-%d} to {leaf.not_after:%Y-%m-%d}"
    return f"{reply.host}: {reply.error}; shown was one of {len(shown)} for {names}, valid {term}, by {leaf.issuer}"


def _links(seen: Seen, host: str) -> Iterator[tuple[Reply, Link]]:
    for reply in seen.asked(host):
        for link in (*(hop.link for hop in reply.hops), reply.link):
            if link.chain and link.verified:
                yield reply, link


def _leaves(seen: Seen, links: list[Link]) -> dict[str, Certificate]:
    known = seen.sweep.certificates
    return {link.chain[0]: known[link.chain[0]] for link in links if link.chain[0] in known}


def expiry(seen: Seen, host: str) -> Judgement:
    """Enough of each certificate's lifetime is left, measured by that lifetime."""
    claim = f"the certificates on the way to {host} are renewed in time"
    if host in seen.is_http_only:
        return absent(claim, HTTP_ONLY)
    links = [link for _, link in _links(seen, host)] + [r.link for r in _refused(seen, host) if r.link.chain]
    certificates = _leaves(seen, links)
    if not certificates:
        return Judgement(State.UNVERIFIED, claim, f"no certificate of {host} was seen", "", "")
    now = seen.sweep.taken
    found = [each for certificate in certificates.values() for each in _term(seen, certificate, now)]
    issuers = {fingerprint for link in links for fingerprint in link.chain[1:]}
    found += [each for name in sorted(issuers) for each in _issuer(seen, name, now)]
    least = min(certificates.values(), key=lambda each: _share(each, now))
    return concluded(claim, found, _left(least, now))


def _term(seen: Seen, certificate: Certificate, now: datetime) -> Iterator[Finding]:
    limits, share = seen.environment.web.certificate, _share(certificate, now)
    if share < limits.soft_share:
        state = State.FAILED if share < limits.hard_share else State.DEGRADED
        limit = limits.hard_share if state is State.FAILED else limits.soft_share
        said = f"{_left(certificate, now)}, less than {limit:.0%}"
        yield Finding(state, said, f"{certificate.subject}, serial {certificate.serial}", RENEWAL_CAUSE)


def _issuer(seen: Seen, fingerprint: str, now: datetime) -> Iterator[Finding]:
    """An intermediate lives for years: only its end is a finding."""
    certificate = seen.sweep.certificates.get(fingerprint)
    if certificate is not None and certificate.not_after <= now:
        said = f"the issuer {certificate.subject} expired on {certificate.not_after:%Y-%m-%d}"
        yield Finding(State.FAILED, said, f"serial {certificate.serial}", CHAIN_CAUSE)


def _share(certificate: Certificate, now: datetime) -> float:
    return (certificate.not_after - now) / (certificate.not_after - certificate.not_before)


def _left(certificate: Certificate, now: datetime) -> str:
    lifetime, left = certificate.not_after - certificate.not_before, certificate.not_after - now
    share = _share(certificate, now)
    days = f"{left.total_seconds() / 86400:.1f} of {lifetime.total_seconds() / 86400:.0f} days left ({share:.0%})"
    expired = f"expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC"
    return f"{', '.join(certificate.names[:2]) or certificate.subject}: {days if share > 0 else expired}"


def protocol(seen: Seen, host: str) -> Judgement:
    """TLS 1.2 or newer is spoken, and 1.0 and 1.1 are refused when they are really offered."""
    claim = f"{host} speaks TLS 1.2 or newer, and nothing older"
    if host in seen.is_http_only:
        return absent(claim, HTTP_ONLY)
    found = [
        failed(reply, f"{link.tls} was spoken with {reply.host}", OLD_CAUSE)
        for reply, link in _links(seen, host)
        if link.tls not in MODERN
    ]
    offers = [each for each in seen.sweep.handshakes if each.host == host]
    if not offers:
        return Judgement(
            State.UNVERIFIED, claim, f"no old protocol was offered to {host}", "", "its name has no address"
        )
    found += [each for offered in offers for each in _offered(offered)]
    refusals = "; ".join(f"{each.offered} {each.outcome} ({each.detail})" for each in offers)
    return concluded(claim, found, refusals)


def _offered(offer: Handshake) -> Iterator[Finding]:
    said = f"{offer.host} at {offer.address}: {offer.detail}"
    match offer.outcome:
        case "accepted":
            yield Finding(State.FAILED, f"{offer.offered} was accepted: {offer.detail}", said, OLD_CAUSE)
        case "not-offered":
            yield Finding(State.UNVERIFIED, f"{offer.offered} was not offered: {offer.detail}", said)
        case "no-answer":
            yield Finding(State.UNVERIFIED, f"{offer.offered} was offered without an answer: {offer.detail}", said)
