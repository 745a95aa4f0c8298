"""Reading a registry: a tag becomes the set of its digests, or a reason; never asked twice, never written to."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
import trustme
from aiohttp import web
from pydantic import SecretStr

from postdeploy.cluster import manifests, registry
from postdeploy.cluster.manifests import accepted, wanted
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.cluster.registry import Registry
from tests.cluster import build

pytestmark = pytest.mark.anyio
HOST = "registry.example"
IMAGE = f"{HOST}/crm/crm"
TAG = "v1"
Answer = tuple[int, bytes, Mapping[str, str]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def sha(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def manifest(number: int) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": {"digest": sha(b"config %d" % number)}}).encode()


def index(*bodies: bytes, os: str = "linux") -> bytes:
    listed = [{"digest": sha(each), "platform": {"os": os, "architecture": "amd64"}} for each in bodies]
    unknown = {"digest": sha(b"attested"), "platform": {"os": "unknown", "architecture": "unknown"}}
    return json.dumps({"schemaVersion": 2, "manifests": [*listed, unknown]}).encode()


AMD, ARM = manifest(1), manifest(2)
INDEX = index(AMD, ARM)


@dataclass
class Served:
    """A registry of canned answers, and what it was asked."""

    authority: trustme.CA
    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    token: str = ""
    """What must be sent as a bearer; empty: anybody may read."""
    basic: str = ""
    """What the token server wants; empty: anybody gets a token."""
    challenge: str = 'Bearer realm="https://registry.example/token",service="reg",scope="repository:crm/crm:pull"'
    hangs: bool = False

    def put(self, reference: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.answers[f"/v2/crm/crm/manifests/{reference}"] = (status, body, headers)

    def whole(self) -> None:
        self.put(TAG, INDEX, **{"Docker-Content-Digest": sha(INDEX)})
        self.put(sha(AMD), AMD)
        self.put(sha(ARM), ARM)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        sent = request.headers.get("Authorization", "")
        self.asked.append((request.method, request.path_qs, sent))
        if self.hangs:
            await anyio.sleep_forever()
        if request.path == "/token":
            status = 200 if sent == self.basic else 401
            return web.json_response({"token": self.token} if status == 200 else {}, status=status)
        if self.token and sent != f"Bearer {self.token}":
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge})
        status, body, headers = self.answers.get(request.path, (404, b"", {}))
        return web.Response(body=body, status=status, headers=headers)

    def client(self, credential: str = "", **more: Any) -> Registry:
        tls = ssl.create_default_context(cadata=self.authority.cert_pem.bytes().decode())
        secret = SecretStr(credential) if credential else None
        return Registry(secret, **{"places": {HOST: self.address}, "tls": tls} | more)

    async def look(self, credential: str = "", **more: Any) -> DigestSet:
        async with self.client(credential, **more) as reading:
            [found] = await registry.look_up(reading, ((IMAGE, TAG),))
        return found

    @property
    def manifests_asked(self) -> int:
        return len([path for _, path, _ in self.asked if "/manifests/" in path])


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served(trustme.CA())
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.authority.issue_cert(HOST).configure_cert(tls)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    made.address = f"127.0.0.1:{runner.addresses[0][1]}"
    made.whole()
    yield made
    await runner.cleanup()


async def test_tag_is_its_index_its_manifests_and_their_configurations(served: Served) -> None:
    configs = (sha(b"config 1"), sha(b"config 2"))
    assert await served.look() == DigestSet(IMAGE, TAG, sha(INDEX), (sha(AMD), sha(ARM)), configs)
    assert {method for method, _, _ in served.asked} == {"GET"}


async def test_what_the_builder_attests_is_no_digest_that_may_run(served: Served) -> None:
    assert sha(b"attested") not in (await served.look()).accepted


async def test_image_of_one_platform_has_no_index(served: Served) -> None:
    served.put(TAG, AMD)
    assert await served.look() == DigestSet(IMAGE, TAG, sha(AMD), configs=(sha(b"config 1"),))


async def test_a_token_is_fetched_once_for_all_questions_about_an_image(served: Served) -> None:
    served.token = "anonymous-token"
    assert not (await served.look()).reason
    fetched = [path for _, path, _ in served.asked if path.startswith("/token")]
    assert fetched == ["/token?service=reg&scope=repository:crm/crm:pull"]


async def test_user_and_password_go_to_the_token_server_and_not_to_the_registry(served: Served) -> None:
    served.token, served.basic = "granted", f"Basic {base64.b64encode(b'robot:s3cret').decode()}"
    assert not (await served.look("robot:s3cret")).reason
    assert {sent for _, path, sent in served.asked if "/manifests/" in path} == {"", "Bearer granted"}


async def test_a_bare_token_is_the_bearer_itself(served: Served) -> None:
    served.token = "given"
    assert not (await served.look("given")).reason
    assert not [path for _, path, _ in served.asked if path.startswith("/token")]


async def test_basic_challenge_is_answered_with_basic(served: Served) -> None:
    served.token, served.challenge = "unused", 'Basic realm="reg"'
    await served.look("robot:s3cret")
    assert served.asked[-1][2].startswith("Basic ")


@pytest.mark.parametrize(
    "challenge", ['Bearer realm="http://registry.example/token"', "Negotiate", 'Bearer service="reg"', ""]
)
async def test_credentials_go_nowhere_but_to_an_https_token_server(served: Served, challenge: str) -> None:
    served.token, served.challenge = "unknown", challenge
    assert "no way to log in" in (await served.look("robot:s3cret")).reason
    assert [sent for _, _, sent in served.asked] == [""]


async def test_a_refusal_is_not_tried_again(served: Served) -> None:
    served.token = "granted"
    async with served.client("wrong") as reading:
        await registry.look_up(reading, ((IMAGE, TAG),))
    assert served.manifests_asked == 2
    assert reading.looks[0].reason == "401 Unauthorized"


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
async def test_any_other_refusal_is_the_reason(served: Served, status: int) -> None:
    served.put(TAG, b"", status)
    found = await served.look()
    assert (found.index, served.manifests_asked) == ("", 1)
    assert str(status) in found.reason


async def test_redirect_is_not_followed(served: Served) -> None:
    served.put(TAG, b"", 307, Location="https://elsewhere.example/x")
    assert "not followed to elsewhere.example" in (await served.look()).reason


async def test_slow_registry_is_left_alone_after_its_time(served: Served) -> None:
    served.hangs = True
    assert "time-out after 0.05 s" in (await served.look(timeout_s=0.05)).reason


async def test_budget_ends_all_questions(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.hangs = True
    monkeypatch.setattr(registry, "BUDGET_S", 0.05)
    assert "no answer within 0.05 s" in (await served.look()).reason


async def test_nobody_there(served: Served) -> None:
    assert "no answer" in (await served.look(places={HOST: "127.0.0.1:1"})).reason
    assert "does not serve" in (await served.look(places={"other.example": served.address})).reason


async def test_foreign_certificate_is_not_trusted(served: Served) -> None:
    assert "TLS" in (await served.look(tls=ssl.create_default_context())).reason


async def test_body_must_be_what_its_digest_promises(served: Served) -> None:
    served.put(TAG, INDEX, **{"Docker-Content-Digest": sha(b"another")})
    assert "promises" in (await served.look()).reason
    served.put(TAG, INDEX)
    served.put(sha(ARM), AMD)
    found = await served.look()
    assert "promises" in found.reason
    assert found.configs == (sha(b"config 1"),)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"manifests": 3}'])
async def test_what_is_no_manifest_is_a_reason(served: Served, body: bytes) -> None:
    served.put(TAG, body)
    assert "not what was asked for" in (await served.look()).reason


async def test_manifest_without_end_is_not_read(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "LARGEST", 100)
    assert "larger than" in (await served.look()).reason


async def test_every_question_is_on_record_and_no_credential_is(served: Served) -> None:
    served.token, served.basic = "granted-7", f"Basic {base64.b64encode(b'robot:s3cret').decode()}"
    async with served.client("robot:s3cret") as reading:
        await registry.look_up(reading, ((IMAGE, TAG),))
    assert [each.status for each in reading.looks] == [200, 200, 200]
    assert "s3cret" not in repr(reading.looks)
    assert "granted" not in repr(reading.looks)


async def test_docker_hub_is_served_at_another_host() -> None:
    asked: list[str] = []

    async def reply(url: str, scope: str) -> tuple[int, manifests.Reply]:
        asked.append(url)
        return 200, manifests.Reply(AMD)

    async with Registry() as reading:
        reading._reply = reply  # type: ignore[method-assign]
        await reading.manifest("nginx", "1.28")
    assert asked == ["https://registry-1.docker.io/v2/library/nginx/manifests/1.28"]


def test_only_images_of_a_declared_registry_are_asked_for() -> None:
    parts = (build.component(image=IMAGE), build.component(name="db", image="other.example/db", tag="16.6"))
    assert wanted(build.environment(*parts), "v9") == ()
    declared = build.environment(*parts, registry={"hosts": [HOST]})
    assert wanted(declared, "v9") == ((IMAGE, "v9"),)


def test_what_could_not_be_read_accepts_nothing() -> None:
    sets = [DigestSet(IMAGE, "v1", "sha256:a", ("sha256:b",), ("sha256:c",)), DigestSet(IMAGE, "v2", reason="away")]
    assert accepted(sets) == {f"{IMAGE}:v1": {"sha256:a", "sha256:b", "sha256:c"}}
