"""The rehearsal's DNS: A and AAAA records of the public names, over UDP on a loopback port."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from postdeploy.environment import Environment
from rehearsal.front import Record, names_of

TTL_S = 60
IPV4, IPV6 = "203.0.113.0/24", "2001:db8:cafe::/48"
FIRST = 10
"""The first address of a network that is given away."""


def records(environment: Environment) -> dict[str, Record]:
    """An address of its own for each name, in the networks that are declared."""
    declared = environment.web.addresses
    v4 = declared.ipv4[:1] if declared else (IPV4,)
    v6 = declared.ipv6[:1] if declared else (IPV6,)
    found = {}
    for number, name in enumerate(names_of(environment)):
        found[name] = Record([_nth(each, number) for each in v4], [_nth(each, number) for each in v6])
    return found


def _nth(network: str, number: int) -> str:
    plain = ipaddress.ip_network(network, strict=False)
    return str(plain[(FIRST + number) % plain.num_addresses])


class NameServer(asyncio.DatagramProtocol):
    """Answers from a table, as a resolver would."""

    def __init__(self, table: Mapping[str, Record], *, silent: bool = False) -> None:
        self.table, self.silent = table, silent
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if self.silent or self._transport is None:
            return
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        self._transport.sendto(self.answer(query).to_wire(), address)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """What the table says of the first question."""
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name = str(question.name).rstrip(".").lower()
        record = self.table.get(name)
        if record is None or record.code != "NOERROR":
            answer.set_rcode(dns.rcode.from_text(record.code if record else "NXDOMAIN"))
            return answer
        owner = question.name
        if record.alias:
            answer.answer.append(dns.rrset.from_text(owner, TTL_S, "IN", "CNAME", f"{record.alias}."))
            owner = answer.answer[0][0].target
        listed = {dns.rdatatype.A: record.ipv4, dns.rdatatype.AAAA: record.ipv6}.get(question.rdtype, [])
        if listed:
            kind = dns.rdatatype.to_text(question.rdtype)
            answer.answer.append(dns.rrset.from_text(owner, TTL_S, "IN", kind, *listed))
        return answer


async def serve(table: Mapping[str, Record], *, silent: bool = False) -> tuple[asyncio.DatagramTransport, int]:
    """The server and its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: NameServer(table, silent=silent), local_addr=("127.0.0.1", 0)
    )
    return transport, int(transport.get_extra_info("sockname")[1])
