"""One side of the comparison in a fresh process: read the same lists, ours or the official client's way."""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import re
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.cluster.estate import PAGE, RELEASE, environment
from rehearsal.kinds import BY_PATH

Side = Callable[[Path, int, list[str]], Awaitable[dict[str, Any]]]

APIS = {
    "": "CoreV1Api",
    "apps": "AppsV1Api",
    "autoscaling": "AutoscalingV2Api",
    "batch": "BatchV1Api",
    "discovery.k8s.io": "DiscoveryV1Api",
    "networking.k8s.io": "NetworkingV1Api",
    "policy": "PolicyV1Api",
}
"""Group to the client's class for it; any other holds custom resources, which the client reads into dictionaries."""


async def ours(kubeconfig: Path, pods: int, _: list[str]) -> dict[str, Any]:
    """Observe into narrow structs and judge every check of the infrastructure tier, by the suite's own tests."""
    import postdeploy.cluster
    from benchmarks.cluster.judging import checks, judge
    from postdeploy.cluster.client import connect
    from postdeploy.cluster.snapshot import save, take

    declared, wanted = environment(pods), checks()
    async with await connect(kubeconfig, None) as reader:
        measured.start()
        await reader.version()
        _import_all(postdeploy.cluster)
        measured.first_use()
        snapshot = await take(reader, declared, RELEASE)
        observed = time.process_time()
        verdicts = judge(snapshot, declared, wanted)
        measured.stop()
        asked = [each.path for each in reader.looks if each.status == 200 and "/namespaces/" in each.path]
        size = sum(each.size for each in reader.looks)
    save(snapshot)
    return {
        "pods": len(snapshot.pods),
        "verdicts": verdicts,
        "judging_s": measured.cpu_at_stop - observed,
        "asked": [each for each in asked if "continue=" not in each],
        "bytes": size,
    }


def _import_all(package: ModuleType) -> None:
    """What judges import when they are first needed is warming up, as the client's models are for the other side."""
    for each in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{each.name}")


async def official(kubeconfig: Path, _: int, paths: list[str]) -> dict[str, Any]:
    """Read the same lists into the generated models, as the client's documentation shows; nothing is judged."""
    from kubernetes.aio import client, config

    configuration = client.Configuration()
    await config.load_kube_config(str(kubeconfig), client_configuration=configuration, persist_config=False)
    found: dict[str, list[Any]] = {}
    async with client.ApiClient(configuration) as api:
        measured.start()
        for path in {re.sub("(?<=/namespaces/)[^/]+", "empty", each) for each in paths}:
            await _every_page(_call(client, api, path))
        measured.first_use()
        for path in paths:
            found[path] = await _every_page(_call(client, api, path))
        measured.stop()
    return {"pods": sum(len(items) for path, items in found.items() if "/pods?" in path)}


def _call(client: Any, api: Any, path: str) -> Callable[..., Awaitable[Any]]:
    """The client's function for a list, bound to its namespace and selector."""
    parts, query = urlsplit(path).path.strip("/").split("/"), parse_qs(urlsplit(path).query)
    group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
    namespace, plural = parts[-2:]
    if group not in APIS:
        custom = client.CustomObjectsApi(api)
        return lambda **page: custom.list_namespaced_custom_object(group, version, namespace, plural, **page)
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", BY_PATH[group, version, plural].name).lower()
    read = getattr(getattr(client, APIS[group])(api), f"list_namespaced_{kind}")
    narrow = {"field_selector": query["fieldSelector"][0]} if "fieldSelector" in query else {}
    return lambda **page: read(namespace, **narrow, **page)


async def _every_page(read: Callable[..., Awaitable[Any]]) -> list[Any]:
    items: list[Any] = []
    token: str | None = None
    while token != "":
        page = await read(limit=PAGE, **({"_continue": token} if token else {}))
        if isinstance(page, dict):
            items += page["items"]
            token = page["metadata"].get("continue") or ""
        else:
            items += page.items
            token = page.metadata.var_continue or ""
    return items


class Measured:
    """CPU, wall clock and memory between start and stop."""

    def start(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def first_use(self) -> None:
        """What was spent so far is the client's warming up, and counted apart."""
        self.first_s = time.process_time() - self._cpu
        self.start()

    def stop(self) -> None:
        self.cpu_at_stop = time.process_time()
        self.cpu_s = self.cpu_at_stop - self._cpu
        self.wall_s = time.perf_counter() - self._wall


measured = Measured()

if __name__ == "__main__":
    side: Side = {"ours": ours, "official": official}[sys.argv[1]]
    asked = json.loads(sys.stdin.read() or "[]")
    told = asyncio.run(side(Path(sys.argv[2]), int(sys.argv[3]), asked))
    told |= {"cpu_s": measured.cpu_s, "wall_s": measured.wall_s, "first_s": measured.first_s}
    print(json.dumps(told | {"rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
