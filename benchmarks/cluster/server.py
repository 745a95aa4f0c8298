"""Serves the canned lists in pages over loopback TLS, in a process of its own, until its standard input closes."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from pathlib import Path

import trustme
from aiohttp import web

from benchmarks.cluster.bodies import bodies

PAGE = 500


def pages(deployments: int) -> dict[tuple[str, str], bytes]:
    """Encoded pages by path and continue token, so that serving costs nothing."""
    found: dict[tuple[str, str], bytes] = {}
    for path, items in bodies(deployments).items():
        for start in range(0, len(items), PAGE):
            rest = str(start + PAGE) if start + PAGE < len(items) else ""
            meta = {"resourceVersion": "1000", "continue": rest}
            page = {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": items[start : start + PAGE]}
            found[path, str(start) if start else ""] = json.dumps(page).encode()
    return found


async def serve(folder: Path, deployments: int) -> None:
    """Write a kubeconfig, say so, and serve."""
    canned = pages(deployments)
    empty = json.dumps({"kind": "List", "metadata": {}, "items": []}).encode()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.34.0"})
        body = canned.get((request.path, request.query.get("continue", "")), empty)
        return web.Response(body=body, content_type="application/json")

    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    ca = base64.b64encode(authority.cert_pem.bytes()).decode()
    server = f"https://127.0.0.1:{runner.addresses[0][1]}"
    config = {
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": server, "certificate-authority-data": ca}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config), encoding="utf-8")
    print(json.dumps({"bytes": sum(map(len, canned.values()))}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
