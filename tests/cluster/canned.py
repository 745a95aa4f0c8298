"""A loopback HTTPS server of canned answers, so that the reader is tested over a real connection."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

TOKEN = "canned-token-5f1c9d7e"
CONTEXT = "canned"
DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


@dataclass(frozen=True)
class Reply:
    """One canned answer."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    """Never answer."""
    cut: bool = False
    """Break the connection in the middle of the body."""


def listing(*items: Any, token: str = "") -> Reply:
    """A page of a list."""
    return Reply({"kind": "List", "metadata": {"resourceVersion": "7", "continue": token}, "items": list(items)})


def refusal(status: int, message: str, **headers: str) -> Reply:
    """A Status object, as the API server refuses."""
    return Reply({"kind": "Status", "status": "Failure", "message": message, "code": status}, status, headers)


def pod(name: str, **more: Any) -> dict[str, Any]:
    """The least of a pod, with an env that must never be read."""
    secret = [{"name": "DATABASE_PASSWORD", "value": "hunter2-in-env"}]
    container = {"name": "app", "image": "registry.example/app:1", "env": secret}
    return {"metadata": {"name": name, "namespace": "crm"}, "spec": {"containers": [container]}, **more}


@dataclass
class Canned:
    """The server's answers by path (the last of several is repeated), and every request it got."""

    authority: trustme.CA
    server: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def answer(self, path: str, *replies: Reply) -> None:
        """Set the answers of one path."""
        self.replies[path] = list(replies)

    def asked(self, path: str) -> list[str]:
        """The query strings this path was asked with, in order."""
        return [query.partition("?")[2] for _, query, _ in self.requests if query.partition("?")[0] == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request from the script."""
        self.requests.append((request.method, request.raw_path, dict(request.headers)))
        script = self.replies.get(request.path)
        if not script:
            return self._plain(refusal(404, "the server could not find the requested resource"))
        reply = script.pop(0) if len(script) > 1 else script[0]
        if reply.hang:
            await asyncio.Event().wait()
        return await self._cut(request, reply) if reply.cut else self._plain(reply)

    def _plain(self, reply: Reply) -> web.Response:
        response = web.Response(body=encoded(reply.body), status=reply.status, headers={"Date": DATE, **reply.headers})
        response.enable_compression()
        return response

    async def _cut(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        body = encoded(reply.body)
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    def kubeconfig(self, folder: Path, **user: Any) -> Path:
        """A kubeconfig that leads here; its user has the given fields, or the token."""
        pem = self.authority.cert_pem.bytes()
        cluster = {"server": self.server, "certificate-authority-data": base64.b64encode(pem).decode()}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "us", "user": user or {"token": TOKEN}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": "here", "user": "us"}}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path


def encoded(body: Any) -> bytes:
    """The bytes of a body; what is not text already becomes JSON."""
    match body:
        case bytes():
            return body
        case str():
            return body.encode()
        case _:
            return json.dumps(body).encode()


@asynccontextmanager
async def serving() -> AsyncIterator[Canned]:
    """A server on a free loopback port, gone at the end."""
    authority = trustme.CA()
    canned = Canned(authority)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", canned.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    canned.server = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield canned
    finally:
        await runner.cleanup()
