"""What the DNS says of the public names: A and AAAA apart, with the code and the aliases on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import Literal

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

from postdeploy.web.replies import Answer

LOOK_S = 3.0
"""How long a server may take to answer."""
KINDS: tuple[Literal["A", "AAAA"], ...] = ("A", "AAAA")
AT_ONCE = 64
TRIES = 2


async def answers(names: Iterable[str], servers: tuple[str, ...], look_s: float = LOOK_S) -> tuple[Answer, ...]:
    """Both record types of every name; servers are `address port`, none means those of this machine."""
    gate = asyncio.Semaphore(AT_ONCE)
    try:
        resolver = _resolver(servers, look_s)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        reason = f"no DNS server is configured here: {error}"
        return tuple(Answer(host=name, kind=kind, error=reason) for name in names for kind in KINDS)

    async def ask(name: str, kind: Literal["A", "AAAA"]) -> Answer:
        async with gate:
            return await _ask(resolver, name, kind)

    return tuple(await asyncio.gather(*(ask(name, kind) for name in names for kind in KINDS)))


def _resolver(servers: tuple[str, ...], look_s: float) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = [each.partition(" ")[0] for each in servers]
        resolver.port = int(servers[0].partition(" ")[2] or 53)
    resolver.timeout, resolver.lifetime = look_s, look_s * TRIES
    return resolver


async def _ask(resolver: dns.asyncresolver.Resolver, name: str, kind: Literal["A", "AAAA"]) -> Answer:
    began = perf_counter()

    def ended(**found: object) -> Answer:
        took = round(perf_counter() - began, 6)
        return Answer(host=name, kind=kind, resolver=", ".join(map(str, resolver.nameservers)), took_s=took, **found)  # type: ignore[arg-type]

    try:
        answer = await resolver.resolve(f"{name}.", kind, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN:
        return ended(code="NXDOMAIN")
    except dns.resolver.NoNameservers as error:
        return ended(code="SERVFAIL", error=str(error))
    except (dns.exception.DNSException, OSError) as error:
        return ended(error=str(error) or type(error).__name__)
    aliases = [str(each.name).rstrip(".") for each in answer.response.answer if each.rdtype == dns.rdatatype.CNAME]
    found = sorted(each.address for each in answer.rrset or ())
    return ended(code="NOERROR", addresses=tuple(found), aliases=tuple(aliases))
