"""Serves canned lists in pages over loopback TLS, in a process of its own, until its standard input closes.

Nothing is compressed: the official client does not ask for it, and both sides are to read the same bytes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from pathlib import Path

import trustme
from aiohttp import web

from benchmarks.cluster.estate import Estate
from rehearsal import discovery
from rehearsal.kinds import BY_PATH, Obj


class Canned:
    """Answers GETs of lists, and what kubectl wants to know before it asks for one."""

    def __init__(self, pods: int) -> None:
        self.estate = Estate(pods)
        self.sent = 0

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.34.0"})
        if request.path == "/sent":
            sent, self.sent = self.sent, 0
            return web.json_response(sent)
        if request.path in ("/api", "/apis"):
            return _discovered(core=request.path == "/api")
        body = self._listed(request)
        self.sent += len(body)
        return web.Response(body=body, content_type="application/json")

    def _listed(self, request: web.Request) -> bytes:
        group, version, *rest = (
            ["", *request.path.split("/")[2:]] if request.path.startswith("/api/") else (request.path.split("/")[2:])
        )
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else None
        kind = BY_PATH.get((group, version, rest[-1]))
        if kind is None:
            raise web.HTTPNotFound
        selector, *numbers = (request.query.get(each, "") for each in ("fieldSelector", "continue", "limit"))
        start, limit = (int(each or 0) for each in numbers)
        return self.estate.page(kind, namespace, selector, start, limit)


def _discovered(*, core: bool) -> web.Response:
    found = discovery.aggregated(core=core)
    return web.Response(text=json.dumps(found), headers={"Content-Type": discovery.AGGREGATED})


async def serve(folder: Path, pods: int) -> None:
    """Write a kubeconfig, say so, and serve."""
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    app = web.Application()
    app.router.add_get("/{path:.*}", Canned(pods).answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    (folder / "kubeconfig").write_text(json.dumps(_kubeconfig(runner, authority)), encoding="utf-8")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


def _kubeconfig(runner: web.AppRunner, authority: trustme.CA) -> Obj:
    ca = base64.b64encode(authority.cert_pem.bytes()).decode()
    server = f"https://127.0.0.1:{runner.addresses[0][1]}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": server, "certificate-authority-data": ca}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    }


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
