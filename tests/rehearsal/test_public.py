"""What the rehearsal serves in public is real: names, addresses, certificates, pages that a stranger's client reads."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import dns.message
import pytest

from rehearsal.brokerage import Brokerage
from rehearsal.faults import apply
from rehearsal.front import Answer, noon
from rehearsal.front_end import files_of
from rehearsal.names import NameServer, records
from rehearsal.public import Public
from rehearsal.trust import Authority
from rehearsal.world import World
from tests.web.public import RELEASE, small

pytestmark = pytest.mark.anyio
ENVIRONMENT = small()
BRAND = next(iter(ENVIRONMENT.brands.values()))


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Client:
    """A client that knows the rehearsal's places, and nothing of the harness."""

    def __init__(self, public: Public, told: dict, ca_pem: str) -> None:
        self.public, self.told = public, told
        self.tls = ssl.create_default_context(cadata=ca_pem)

    def place(self, host: str, port: int = 443, family: str = "ipv4") -> tuple[str, int]:
        address = getattr(self.public.settings.records[host], family)[0]
        there, number = self.told["places"][f"{address} {port}"].split()
        return there, int(number)

    async def get(self, path: str, host: str = BRAND.host, family: str = "ipv4", **more):
        there, port = self.place(host, family=family)
        where = f"[{there}]" if ":" in there else there
        connector = aiohttp.TCPConnector(ssl=self.tls)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(
                f"https://{where}:{port}{path}",
                headers={"Host": host},
                server_hostname=host,
                allow_redirects=False,
                **more,
            ) as reply,
        ):
            return reply.status, dict(reply.headers), await reply.text()


async def served(*faults: str) -> AsyncIterator[Client]:
    world = World(ENVIRONMENT, RELEASE, 1)
    brokerage = Brokerage(ENVIRONMENT, RELEASE, 1, "correct horse")
    apply(faults, world, brokerage)
    authority = Authority()
    public = Public(world.front, brokerage, authority)
    try:
        yield Client(public, await public.open(), authority.pem)
    finally:
        await public.close()


@pytest.fixture
async def client(request) -> AsyncIterator[Client]:
    async for each in served(*getattr(request, "param", ())):
        yield each


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
async def test_host_is_served_over_both_families_with_a_certificate_of_its_own(client, family):
    status, headers, text = await client.get("/version", family=family)
    assert status == 200
    assert RELEASE in text
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


async def test_page_loads_files_that_are_there_and_those_of_the_build_before_are_too(client):
    _, _, text = await client.get(f"/{BRAND.locale}/login")
    assert 'data-testid="login-form"' in text
    assert BRAND.legal_entity in text
    for path in files_of(RELEASE):
        assert path in text
        status, headers, _ = await client.get(path)
        assert (status, headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    _, _, listed = await client.get("/assets/manifest.json")
    assert '"previous"' in listed


async def test_unknown_path_is_an_error_page_and_the_rest_is_the_brokerages(client):
    assert (await client.get("/nothing"))[0] == 404
    assert (await client.get("/api/v1/nothing", host=ENVIRONMENT.api.host))[0] == 404
    guarded = await client.get("/api/v1/instruments", host=ENVIRONMENT.api.host)
    assert guarded[0] == 401
    assert guarded[1]["Cache-Control"] == "no-store"


async def test_http_leads_to_https(client):
    there, port = client.place(BRAND.host, 80)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{there}:{port}/x?y=1", headers={"Host": BRAND.host}, allow_redirects=False) as reply,
    ):
        assert (reply.status, reply.headers["Location"]) == (301, f"https://{BRAND.host}/x?y=1")


@pytest.mark.parametrize("client", [("certificate-wrong-name",)], indirect=True)
async def test_certificate_of_another_host_is_refused_by_any_client(client):
    hosts = [each.host for each in ENVIRONMENT.brands.values()]
    refused = 0
    for host in hosts:
        try:
            await client.get("/health", host=host)
        except aiohttp.ClientConnectorCertificateError:
            refused += 1
    assert refused == 1


async def test_name_server_answers_over_udp_what_a_resolver_asks(client):
    address, port = client.told["resolvers"][0].split()
    query = dns.message.make_query(f"{BRAND.host}.", "AAAA")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        await loop.sock_sendto(asking, b"nonsense", (address, int(port)))
        await loop.sock_sendto(asking, query.to_wire(), (address, int(port)))
        answer = dns.message.from_wire(await asyncio.wait_for(loop.sock_recv(asking, 4096), 5))
    assert [each.address for each in answer.answer[0]] == records(ENVIRONMENT)[BRAND.host].ipv6


async def test_alias_is_answered_with_the_name_it_stands_for():
    table = records(ENVIRONMENT)
    table[BRAND.host].alias = "lb.example"
    answer = NameServer(table).answer(dns.message.make_query(f"{BRAND.host}.", "A"))
    assert [str(each.name) for each in answer.answer] == [f"{BRAND.host}.", "lb.example."]
    assert str(NameServer(table).answer(dns.message.make_query("nobody.example.", "A")).rcode()) == "3"


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 25, 3, tzinfo=UTC), 25),
        (datetime(2026, 11, 28, 3, tzinfo=UTC), 27),
        (datetime(2026, 11, 29, 23, tzinfo=UTC), 27),
    ],
)
async def test_rehearsal_is_held_at_noon_of_a_working_day(now, day):
    moment = noon("Europe/London", now)
    assert (moment.day, moment.hour, moment.utcoffset().total_seconds()) == (day, 12, 0)


async def test_bent_answer_leaves_the_others_alone(client):
    client.public.settings.bend(BRAND.host, "/health", lambda answer, request: Answer.json({"status": "bent"}))
    assert "bent" in (await client.get("/health"))[2]
    assert "bent" not in (await client.get("/health", host=ENVIRONMENT.api.host))[2]
