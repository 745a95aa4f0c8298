"""The rehearsal's registry is read by the real client, and says of every declared image what the nodes pulled."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from aiohttp import web

from postdeploy.cluster.manifests import wanted
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.cluster.registry import Registry as Client
from postdeploy.cluster.registry import look_up
from rehearsal.builders import digest, earlier
from rehearsal.registry import Registry
from rehearsal.world import World
from tests.rehearsal.conftest import RELEASE

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    authority, served = trustme.CA(), Registry(world)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*served.hosts).configure_cert(tls)
    runner = web.AppRunner(served.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    places = dict.fromkeys(served.hosts, f"127.0.0.1:{runner.addresses[0][1]}")
    trusted = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    async with Client(places=places, tls=trusted) as made:
        yield made
    await runner.cleanup()


async def asked(client: Client, world: World) -> dict[str, DigestSet]:
    found = await look_up(client, wanted(world.environment, RELEASE))
    return {f"{each.image}:{each.tag}": each for each in found}


async def test_every_declared_image_resolves_to_what_the_nodes_report(client: Client, world: World) -> None:
    found = await asked(client, world)
    images = {f"{e.image}:{e.tag or RELEASE}" for e in world.environment.components.values()}
    assert set(found) == images
    assert not [each.reason for each in found.values() if each.reason]
    assert all(each.index == digest(each.image, each.tag) for each in found.values())
    assert all(len(each.accepted) == 5 for each in found.values())


async def test_tag_that_was_never_pushed_is_not_found(client: Client, world: World) -> None:
    image = world.environment.components["crm-web"].image
    [found] = await look_up(client, ((image, "v1.0.0"),))
    assert "404" in found.reason


async def test_releases_before_are_still_there(client: Client, world: World) -> None:
    image, before = world.environment.components["crm-web"].image, earlier(RELEASE, 1)
    [found] = await look_up(client, ((image, before),))
    assert found.index == digest(image, before)


async def test_second_push_moves_the_tag(client: Client, world: World) -> None:
    image = world.environment.components["crm-web"].image
    world.registry.pushed_again.add(image)
    found = await asked(client, world)
    assert digest(image, RELEASE) not in found[f"{image}:{RELEASE}"].accepted
    assert not found[f"{image}:{RELEASE}"].reason


@pytest.mark.parametrize(("setting", "reason"), [("refuses", "401"), ("unreachable", "no answer")])
async def test_moods_of_the_registry(client: Client, world: World, setting: str, reason: str) -> None:
    setattr(world.registry, setting, True)
    assert all(reason in each.reason for each in (await asked(client, world)).values())
