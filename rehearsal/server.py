"""The read-only Kubernetes API over a world."""

from __future__ import annotations

import asyncio
import gzip
import hmac
from http import HTTPStatus

import msgspec
from aiohttp import web

from rehearsal import answers, discovery, podlogs, proxy, reviews
from rehearsal.answers import HungUp, Refused
from rehearsal.kinds import BY_PATH, Kind, Obj
from rehearsal.listing import Pages, Shape
from rehearsal.watching import Watch
from rehearsal.world import World

OPEN = ("/version", "/healthz", "/livez", "/readyz")
GZIP_FROM = 128 * 1024
REVIEW_PATH = "/apis/authorization.k8s.io/v1/"


class Api:
    """Answers every request of one rehearsal's kubectl, client or harness; nothing here can be changed from outside."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token
        self.pages = Pages(world)
        self.asked = 0
        """How many requests came with a token, good or not."""

    def app(self) -> web.Application:
        """The application; it knows one route, for a path says in itself what it asks for."""
        made = web.Application(client_max_size=1024 * 1024)
        made.router.add_route("*", "/{path:.*}", self.handle)
        return made

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request; a refusal is answered as a Status object."""
        if self.world.settings.unreachable:
            return _hang_up(request)
        try:
            self._check(request)
            return await self._route(request)
        except Refused as refused:
            return refused.response()
        except HungUp:
            return _hang_up(request)

    def _check(self, request: web.Request) -> None:
        sent = request.headers.get("Authorization", "")
        if request.path in OPEN:
            return
        self.asked += 1
        expired = self.world.settings.token_lasts is not None and self.asked > self.world.settings.token_lasts
        if expired or not hmac.compare_digest(sent.encode(), f"Bearer {self.token}".encode()):
            raise answers.unauthorized()

    async def _route(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if request.method == "POST" and path.startswith(REVIEW_PATH):
            plural = path.removeprefix(REVIEW_PATH)
            if plural in dict(discovery.REVIEWS):
                found = reviews.answer(plural, await request.read(), self.world.settings)
                return _json(request, msgspec.json.encode(found), HTTPStatus.CREATED)
        if request.method not in ("GET", "HEAD"):
            raise answers.not_allowed()
        if path in OPEN:
            return web.json_response(_version()) if path == "/version" else web.Response(text="ok")
        parts = [each for each in path.split("/") if each]
        if parts[:1] == ["api"]:
            return await self._group(request, "", parts[1:2], parts[2:])
        if parts[:1] == ["apis"] and len(parts) > 1:
            return await self._group(request, parts[1], parts[2:3], parts[3:])
        if parts == ["apis"]:
            return _discovered(request, core=False)
        raise answers.not_served()

    async def _group(self, request: web.Request, group: str, version: list[str], rest: list[str]) -> web.StreamResponse:
        if not version and not group:
            return _discovered(request, core=True)
        served = dict(discovery.versions())
        if group not in served or version not in ([], [served[group]]):
            raise answers.not_served()
        if not version:
            return _plain(request, discovery.group(group, served[group]))
        if not rest:
            return _plain(request, discovery.resources(group, version[0]))
        return await self._resource(request, group, version[0], rest)

    async def _resource(self, request: web.Request, group: str, version: str, rest: list[str]) -> web.StreamResponse:
        namespace = None
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        kind = BY_PATH.get((group, version, rest[0]))
        if kind is None or len(rest) > 3:
            raise answers.not_served()
        name, sub = [*rest[1:], "", ""][:2]
        if sub and (kind.name, sub) != ("Pod", "log"):
            raise answers.not_served()
        if _is_watch(request) and kind.name == "Pod":
            self.world.hold_begins()
        await self._mood(kind, namespace or "", name, sub, watching=_is_watch(request))
        if sub:
            return await self._log(request, namespace, name)
        return await self._read(request, kind, namespace, name)

    async def _read(self, request: web.Request, kind: Kind, namespace: str | None, name: str) -> web.StreamResponse:
        accept = request.headers.get("Accept", "")
        shape = Shape(kind, "as=Table" in accept, request.query.get("includeObject", "Metadata"))
        if name:
            body = shape.single(self._one(kind, namespace, name))
        elif _is_watch(request):
            return await Watch(self.world, shape, namespace, request.query).run(request)
        else:
            body = self.pages.answer(shape, namespace, request.query)
            if how := self.world.settings.proxied.get(kind.plural):
                return proxy.meddle(how, body, first=not request.query.get("continue"))
        if self._applies(self.world.settings.truncate, kind.plural):
            return await _cut(request, body)
        return _json(request, body)

    def _one(self, kind: Kind, namespace: str | None, name: str) -> Obj:
        found = self.world.objects.get((kind.name, namespace or "", name))
        if found is None:
            raise answers.not_found(kind.resource, name)
        return found

    async def _log(self, request: web.Request, namespace: str | None, name: str) -> web.StreamResponse:
        pod = self._one(BY_PATH["", "v1", "pods"], namespace, name)
        body = podlogs.read(self.world, pod, request.query)
        if self._applies(self.world.settings.truncate, "pods/log") or name in self.world.settings.logs_cut:
            return await _cut(request, body)
        return web.Response(body=body, content_type="text/plain")

    async def _mood(self, kind: Kind, namespace: str, name: str, sub: str, *, watching: bool) -> None:
        """What the settings say about this resource, before any answer."""
        settings = self.world.settings
        resource = f"{kind.plural}/{sub}" if sub else kind.plural
        if wait := settings.slow_s.get(resource, settings.slow_s.get("*", 0)):
            await asyncio.sleep(wait)
        verb = "get" if name else "watch" if watching else "list"
        # A namespace itself is asked for within itself, as the API server sees it.
        within = name if kind.name == "Namespace" else namespace
        withheld = watching and resource in settings.unwatchable
        if withheld or not reviews.may(verb, kind.group, resource, within, name, settings):
            raise answers.forbidden(resource, verb, kind.group, namespace, name)
        if _once_less(settings.reset, resource):
            raise HungUp
        if _once_less(settings.broken, resource):
            raise answers.broken()
        if _once_less(settings.too_many, resource):
            raise answers.too_many(settings.retry_after_s)

    @staticmethod
    def _applies(setting: set[str], resource: str) -> bool:
        return bool(setting & {"*", resource})


def _once_less(times: dict[str, int], resource: str) -> bool:
    """Whether this is one of the times that something happens to a resource."""
    for each in (resource, "*"):
        if times.get(each, 0) > 0:
            times[each] -= 1
            return True
    return False


def _is_watch(request: web.Request) -> bool:
    return request.query.get("watch") in ("true", "1")


def _version() -> Obj:
    found = {"major": "1", "minor": "32", "gitVersion": "v1.32.4-rehearsal", "gitTreeState": "clean"}
    return found | {"platform": "linux/amd64", "gitCommit": "", "buildDate": "", "goVersion": "", "compiler": ""}


def _discovered(request: web.Request, *, core: bool) -> web.Response:
    if "v=v2;" in request.headers.get("Accept", "") and "apidiscovery" in request.headers.get("Accept", ""):
        return _json(request, msgspec.json.encode(discovery.aggregated(core=core)), kind=discovery.AGGREGATED)
    return _plain(request, discovery.core_versions(request.host) if core else discovery.groups())


def _plain(request: web.Request, body: Obj) -> web.Response:
    return _json(request, msgspec.json.encode(body))


def _json(request: web.Request, body: bytes, status: int = 200, kind: str = "application/json") -> web.Response:
    headers = {"Content-Type": kind, "Cache-Control": "no-cache, private", "Vary": "Accept-Encoding"}
    if len(body) >= GZIP_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, 1)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, status=status, headers=headers)


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """A body that breaks off before the length it promised."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    _hang_up(request)
    return response


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
