"""Reads a container registry by the OCI distribution API: GETs of manifests, no layer, no write, no second attempt."""

from __future__ import annotations

import base64
import errno
import re
import ssl
import time
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import aiohttp
import anyio
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from pydantic import SecretStr

from postdeploy.cluster.answers import Look, line
from postdeploy.cluster.client import USER_AGENT
from postdeploy.cluster.images import canonical
from postdeploy.cluster.manifests import ACCEPT, Reply, resolve
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.cluster.session import proxy_for

TIMEOUT_S = 10.0
BUDGET_S = 20.0
"""For all questions together: a registry that is slow must not eat the time the rollout has."""
LARGEST = 4 * 1024 * 1024
"""Bytes of a manifest; the specification asks registries for no more."""
CONCURRENT = 8
SERVED_AT = {"docker.io": "registry-1.docker.io"}
CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


async def look_up(registry: Registry, pairs: tuple[tuple[str, str], ...]) -> tuple[DigestSet, ...]:
    """What each image and tag is, within the budget; what is left then has the time-out for a reason."""
    with anyio.move_on_after(BUDGET_S):
        return await resolve(registry.manifest, pairs)
    return tuple(DigestSet(*pair, reason=f"no answer within {BUDGET_S:g} s") for pair in pairs)


class Registry:
    """One registry session; every answer is a Reply, whatever goes wrong."""

    def __init__(
        self,
        credential: SecretStr | None = None,
        *,
        places: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """A credential is `user:password`, or a bare token; `places` says where a rehearsal serves a host."""
        self.looks: list[Look] = []
        self._credential = credential.get_secret_value() if credential else ""
        self._bearers: dict[str, str] = {}
        self._asking = anyio.Lock()
        self._slots = anyio.Semaphore(CONCURRENT)
        self._is_standin = bool(places)
        connector = aiohttp.TCPConnector(resolver=Placed(places or {}), ssl=tls or True)
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        jar = aiohttp.DummyCookieJar()
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def manifest(self, image: str, reference: str) -> Reply:
        """The manifest a tag or a digest names."""
        host, _, name = canonical(image).partition("/")
        url = f"https://{SERVED_AT.get(host, host)}/v2/{name}/manifests/{reference}"
        async with self._slots:
            began = time.monotonic()
            status, reply = await self._reply(url, f"{host}/{name}")
        spent = round(time.monotonic() - began, 6)
        self.looks.append(Look(url, status, 1, spent, len(reply.body), reply.reason))
        return reply

    async def _reply(self, url: str, scope: str) -> tuple[int, Reply]:
        try:
            return await self._asked(url, scope)
        except TimeoutError:
            return 0, Reply(reason=f"time-out after {self._session.timeout.total:g} s")
        except aiohttp.ClientSSLError as error:
            return 0, Reply(reason=f"no trusted TLS connection: {line(error)}")
        except (aiohttp.ClientError, msgspec.MsgspecError, OSError, ValueError) as error:
            return 0, Reply(reason=f"no answer: {line(error)}")

    async def _asked(self, url: str, scope: str) -> tuple[int, Reply]:
        """The manifest; a first 401 says where a token is to be had, a second one is the answer."""
        status, headers, body = await self._get(url, self._bearers.get(scope, ""))
        if status == HTTPStatus.UNAUTHORIZED:
            bearer = await self._bearer(scope, headers.get("WWW-Authenticate", ""))
            if not bearer:
                return status, Reply(reason="401 Unauthorized: it names no way to log in that is known here")
            status, headers, body = await self._get(url, bearer)
        if status != HTTPStatus.OK:
            return status, Reply(reason=_refusal(status, headers))
        if len(body) > LARGEST:
            return status, Reply(reason=f"the manifest is larger than {LARGEST} bytes")
        return status, Reply(body, headers.get("Docker-Content-Digest", ""))

    async def _get(self, url: str, authorization: str) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Accept": ACCEPT, "User-Agent": USER_AGENT}
        if authorization:
            headers["Authorization"] = authorization
        proxy = None if self._is_standin else proxy_for(url, None)
        async with self._session.get(url, headers=headers, allow_redirects=False, proxy=proxy) as response:
            body = b""
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > LARGEST:
                    break
            return response.status, response.headers, body

    async def _bearer(self, scope: str, challenge: str) -> str:
        """What to authorize with for one repository, asked for once however many questions were refused together."""
        async with self._asking:
            if scope not in self._bearers:
                self._bearers[scope] = await self._authorization(challenge)
            return self._bearers[scope]

    async def _authorization(self, challenge: str) -> str:
        scheme, said = challenge.partition(" ")[0].lower(), dict(CHALLENGE.findall(challenge))
        if self._credential and ":" not in self._credential:
            return f"Bearer {self._credential}"
        basic = f"Basic {base64.b64encode(self._credential.encode()).decode()}" if self._credential else ""
        if scheme == "basic":
            return basic
        realm = said.get("realm", "")
        if scheme != "bearer" or urlsplit(realm).scheme != "https":
            return ""
        query = urlencode({key: said[key] for key in ("service", "scope") if key in said})
        status, _, body = await self._get(f"{realm}?{query}", basic)
        if status != HTTPStatus.OK:
            return ""
        granted = msgspec.json.decode(body, type=Granted)
        token = granted.token or granted.access_token
        return f"Bearer {token}" if token else ""


class Granted(msgspec.Struct):
    """A token server's answer."""

    token: str = ""
    access_token: str = ""


class Placed(AbstractResolver):
    """Names as everywhere, but for the few that a rehearsal serves itself."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places
        self._usual: ThreadedResolver | None = None

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """Addresses of a host, the port included where a rehearsal chose its own."""
        place = self._places.get(host)
        if place is None:
            if self._places:
                raise OSError(errno.EHOSTUNREACH, f"the rehearsal does not serve {host}")
            self._usual = self._usual or ThreadedResolver()
            return await self._usual.resolve(host, port, family)
        address, _, own = place.rpartition(":")
        return [ResolveResult(hostname=host, host=address, port=int(own), family=2, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is held."""


def _refusal(status: int, headers: Mapping[str, str]) -> str:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    location = headers.get("Location", "") if status in range(300, 400) else ""
    return f"{phrase}: not followed to {urlsplit(location).hostname}" if location else phrase
