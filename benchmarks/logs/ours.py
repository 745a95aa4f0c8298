"""Our side, in a process of its own: every log read, scanned and judged; imports and the snapshot are not counted.

Copies of the process count: their CPU, and the memory of the largest, most of which it shares with its original.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path

from benchmarks.logs import estate
from postdeploy.cluster.client import connect
from postdeploy.cluster.logs.claims import LogClaims
from postdeploy.cluster.logs.observe import observe
from postdeploy.cluster.logs.scanner import scanner
from postdeploy.redact import Redactor

RULES = ("critical", "tracebacks", "errors", "new", "silence", "coverage")


async def ours(kubeconfig: Path, pods: int) -> dict[str, object]:
    """Look and judge once."""
    environment = estate.environment(pods)
    seen = estate.snapshot(environment)
    async with await connect(kubeconfig, None) as reader:
        await reader.version()
        scanner().grave_hits(b"", 0)
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        cpu, wall = time.process_time(), time.perf_counter()
        logs = await observe(reader, seen, environment, redact=Redactor().text)
        claims = LogClaims(logs, environment, estate.RELEASE)
        states = {str(getattr(claims, rule)(each).state) for rule in RULES for each in environment.components.values()}
        took = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    errors = sum(finding.count for each in logs.readings for finding in each.findings)
    read = {"logs": len(logs.readings), "bytes": sum(each.size for each in logs.readings), "errors": errors}
    gaps = [gap for each in logs.readings for gap in each.gaps]
    for each in multiprocessing.active_children():
        each.join()
    peak, copy = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    copies = resource.getrusage(resource.RUSAGE_CHILDREN)
    took["cpu_s"] += copies.ru_utime + copies.ru_stime
    memory = {"rss_mb": max(peak, copy), "base_mb": base}
    return took | read | memory | {"states": sorted(states), "gaps": gaps[:3], "scanner": logs.scanner}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ours(Path(sys.argv[1]), int(sys.argv[2])))))
