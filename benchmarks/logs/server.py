"""Serves canned logs over loopback TLS, in a process of its own, until its standard input closes.

An API server speaks nothing but TLS, and is another machine: nginx, where it is installed, takes the least of this one
from those who are measured; without it a server in Python.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from pathlib import Path

import msgspec
import trustme
from aiohttp import web

from benchmarks.logs import estate, static
from rehearsal import discovery


class Answers:
    """What each path is answered with."""

    def __init__(self, pods: int, size: int, share: float) -> None:
        found = estate.pods_of(estate.environment(pods))
        self.pods = {each["metadata"]["name"]: each for each in found}
        self.logs = estate.bodies(size, share)
        self.number = {name: index for index, name in enumerate(self.pods)}
        listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": found}
        self.listed = msgspec.json.encode(listed)

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        kind, body = self.of(request.path.strip("/").split("/"))
        return web.Response(body=body, headers={"Content-Type": kind})

    def of(self, parts: list[str]) -> tuple[str, bytes]:
        """Content type and body."""
        if parts[-1] == "log":
            return "text/plain", self.logs[self.number[parts[-2]] % len(self.logs)]
        if parts in (["api"], ["apis"]):
            return discovery.AGGREGATED, json.dumps(discovery.aggregated(core=parts == ["api"])).encode()
        if parts[-1] == "pods":
            return "application/json", self.listed
        if parts[-2:-1] == ["pods"]:
            return "application/json", msgspec.json.encode(self.pods[parts[-1]])
        return "application/json", b'{"gitVersion": "v1.34.0"}'


async def serve(folder: Path, pods: int, size: int, share: float) -> None:
    """Write a kubeconfig and the list of addresses, say who serves, and serve."""
    answers, authority = Answers(pods, size, share), trustme.CA()
    if static.program():
        bodies = {name: answers.logs[number % len(answers.logs)] for name, number in answers.number.items()}
        with static.serving(folder, bodies, list(answers.pods.values()), authority) as address:
            await _until_closed(folder, address, authority, answers, "nginx")
        return
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    app = web.Application()
    app.router.add_get("/{path:.*}", answers.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    await _until_closed(folder, f"https://127.0.0.1:{runner.addresses[0][1]}", authority, answers, "aiohttp")


async def _until_closed(folder: Path, address: str, authority: trustme.CA, answers: Answers, who: str) -> None:
    (folder / "kubeconfig").write_text(json.dumps(_kubeconfig(address, authority)), encoding="utf-8")
    paths = (f"/api/v1/namespaces/{estate.NAMESPACE}/pods/{name}/log?container=app" for name in answers.pods)
    urls = "".join(f'url = "{address}{path}&timestamps=true"\noutput = /dev/null\n' for path in paths)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "urls").write_text(urls, encoding="utf-8")
    print(who, flush=True)
    await asyncio.to_thread(sys.stdin.read)


def _kubeconfig(server: str, authority: trustme.CA) -> dict[str, object]:
    ca = base64.b64encode(authority.cert_pem.bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": server, "certificate-authority-data": ca}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
        "contexts": [
            {"name": "bench", "context": {"cluster": "bench", "user": "bench", "namespace": estate.NAMESPACE}}
        ],
    }


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
