"""The container registry of the rehearsal: the tags of the declared images by the OCI distribution API, to read."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from functools import cached_property

from aiohttp import web

from rehearsal.builders import earlier, tag_of
from rehearsal.manifests import INDEX, MANIFEST, PLATFORMS, again, digest_of, index, manifest
from rehearsal.world import World

KEPT = 5
"""Releases before this one whose tags are still there."""


class Registry:
    """Serves what nodes have pulled, to anybody who asks its token server first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.token = secrets.token_urlsafe(24)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts it stands in for."""
        declared = self.world.environment.registry
        return declared.hosts if declared else ()

    def app(self) -> web.Application:
        """The application for all of its hosts."""
        app = web.Application()
        app.router.add_get("/token", self._token)
        app.router.add_get("/v2/{name:.+}/manifests/{reference}", self._manifest)
        return app

    def content(self, image: str, reference: str) -> tuple[bytes, str] | None:
        """The manifest that a tag or a digest of an image names, and its media type."""
        if reference.startswith("sha256:"):
            return self._by_digest.get((image, reference))
        known = dict(self._tags(image))
        return (index(image, known[reference]), INDEX) if reference in known else None

    def _tags(self, image: str) -> Iterator[tuple[str, str]]:
        """Each tag of an image that is there, and the build it names."""
        settings, release = self.world.registry, self.world.release
        for component in self.world.environment.components.values():
            if component.image == image:
                current = tag_of(component, release)
                yield current, again(current) if image in settings.pushed_again else current
                if component.tag is None:
                    yield from ((each, each) for each in (earlier(release, step) for step in range(1, KEPT + 1)))

    @cached_property
    def _by_digest(self) -> dict[tuple[str, str], tuple[bytes, str]]:
        found: dict[tuple[str, str], tuple[bytes, str]] = {}
        for image in {each.image for each in self.world.environment.components.values()}:
            for _, build in self._tags(image):
                bodies = [(index(image, build), INDEX)]
                bodies += [(manifest(image, build, each), MANIFEST) for each in PLATFORMS]
                found |= {(image, digest_of(body)): (body, kind) for body, kind in bodies}
        return found

    async def _token(self, request: web.Request) -> web.Response:
        return web.json_response({"token": self.token, "expires_in": 300, "scope": request.query.get("scope", "")})

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        settings, host = self.world.registry, request.host.rsplit(":", 1)[0]
        if settings.unreachable:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        sent = request.headers.get("Authorization", "")
        if settings.refuses or not hmac.compare_digest(sent.encode(), f"Bearer {self.token}".encode()):
            return self._challenge(request, host)
        found = self.content(f"{host}/{request.match_info['name']}", request.match_info["reference"])
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        body, kind = found
        return web.Response(body=body, headers={"Content-Type": kind, "Docker-Content-Digest": digest_of(body)})

    def _challenge(self, request: web.Request, host: str) -> web.Response:
        response = _error(401, "UNAUTHORIZED", "authentication required")
        scope = f"repository:{request.match_info['name']}:pull"
        said = f'Bearer realm="https://{host}/token",service="{host}",scope="{scope}"'
        response.headers["WWW-Authenticate"] = said
        return response


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": message}]}, status=status)
