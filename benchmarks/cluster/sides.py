"""One side of the comparison in a fresh process: read the same lists, ours or the official client's way."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.cluster.bodies import IMAGE, NAMESPACE, RELEASE, component

Read = Callable[[Path, int], Awaitable[int]]


async def ours(kubeconfig: Path, deployments: int) -> int:
    """Observe into narrow structs and judge every component; answers the number of pods judged."""
    from postdeploy.cluster.claims import ClusterClaims
    from postdeploy.cluster.client import connect
    from postdeploy.cluster.snapshot import take
    from postdeploy.environment import Component, Environment

    parts = {
        name: Component.model_construct(
            name=name, kind="Deployment", namespace=NAMESPACE, image=IMAGE, replicas=50, owner="bench"
        )
        for name in map(component, range(deployments))
    }
    environment = Environment.model_construct(name="bench", components=parts)
    async with await connect(kubeconfig, None) as reader:
        measured.start()
        await reader.version()
        measured.first_use()
        snapshot = await take(reader, environment, RELEASE)
        claims = ClusterClaims(snapshot, environment, RELEASE)
        wrong = [each for part in parts.values() for each in claims.of_component(part) if not each.holds]
        measured.stop()
    assert not wrong, wrong[0].why
    return len(snapshot.pods)


async def official(kubeconfig: Path, deployments: int) -> int:
    """Read into the generated models, as the client's documentation shows; nothing is judged."""
    from kubernetes.aio import client, config

    configuration = client.Configuration()
    await config.load_kube_config(str(kubeconfig), client_configuration=configuration, persist_config=False)
    async with client.ApiClient(configuration) as api:
        apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
        measured.start()
        await core.list_namespaced_pod("empty")
        measured.first_use()
        found = {}
        for name, call in (
            ("deployments", apps.list_namespaced_deployment),
            ("replicasets", apps.list_namespaced_replica_set),
            ("pods", core.list_namespaced_pod),
        ):
            items, token = [], None
            while token != "":
                page = await call(NAMESPACE, limit=500, **({"_continue": token} if token else {}))
                items += page.items
                token = (
                    page.metadata.var_continue if hasattr(page.metadata, "var_continue") else page.metadata._continue
                )
                token = token or ""
            found[name] = items
        measured.stop()
    return len(found["pods"])


class Measured:
    """CPU, wall clock and memory between start and stop."""

    def start(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def first_use(self) -> None:
        """What was spent so far is the client's warming up, and counted apart."""
        self.first_s = time.process_time() - self._cpu
        self.start()

    def stop(self) -> None:
        self.cpu_s = time.process_time() - self._cpu
        self.wall_s = time.perf_counter() - self._wall
        self.rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


measured = Measured()

if __name__ == "__main__":
    side: Read = {"ours": ours, "official": official}[sys.argv[1]]
    pods = asyncio.run(side(Path(sys.argv[2]), int(sys.argv[3])))
    print(
        json.dumps(
            {
                "pods": pods,
                "cpu_s": measured.cpu_s,
                "wall_s": measured.wall_s,
                "rss_mb": measured.rss_mb,
                "first_s": measured.first_s,
            }
        )
    )
