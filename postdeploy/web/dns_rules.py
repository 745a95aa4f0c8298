"""Whether the public names lead where they should."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from postdeploy.environment.web import Addresses
from postdeploy.verdict import Judgement, State
from postdeploy.web.findings import Finding, absent, concluded
from postdeploy.web.replies import Answer
from postdeploy.web.seen import Seen

DNS_CAUSE = "external-dns did not follow the new load balancer, the zone was edited by hand, or a record was forgotten"


def answers(seen: Seen, host: str) -> Judgement:
    """A and AAAA records of each name that leads to the host answer, apart, within the declared set."""
    claim = f"the DNS leads {host} to where it should"
    declared = seen.environment.web.addresses
    if declared is None:
        return absent(claim, "web.addresses declares no set of addresses")
    names = dict.fromkeys([host, *(each.host for each in seen.asked(host))])
    records = [each for each in seen.sweep.answers if each.host in names]
    if not records:
        return Judgement(State.UNVERIFIED, claim, "the DNS was not asked", "", "")
    found = (each for record in records for each in _answer(seen, record, declared))
    told = "; ".join(f"{e.host} {e.kind} {', '.join(e.addresses) or 'none'}" for e in records)
    return concluded(claim, found, told)


def _answer(seen: Seen, answer: Answer, declared: Addresses) -> Iterator[Finding]:
    allowed = declared.ipv4 if answer.kind == "A" else declared.ipv6
    asked = f"{answer.host} {answer.kind}"
    place = f"asked {answer.resolver or 'nobody'}" + (
        f", through {' → '.join(answer.aliases)}" if answer.aliases else ""
    )
    if not answer.code or (answer.code != "NOERROR" and seen.sweep.is_offline):
        yield Finding(State.UNVERIFIED, f"{asked}: no answer: {answer.error or answer.code}", place)
    elif answer.code != "NOERROR":
        yield Finding(State.FAILED, f"{asked}: {answer.code}", place, DNS_CAUSE)
    elif allowed and not answer.addresses:
        yield Finding(State.FAILED, f"{asked}: no record, expected one of {', '.join(allowed)}", place, DNS_CAUSE)
    elif strays := [each for each in answer.addresses if not is_within(each, allowed)]:
        listed = ", ".join(allowed) or "none at all"
        yield Finding(State.FAILED, f"{asked}: {', '.join(strays)}, expected {listed}", place, DNS_CAUSE)


def is_within(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of some networks."""
    found = ipaddress.ip_address(address)
    return any(found in ipaddress.ip_network(each, strict=False) for each in networks)
