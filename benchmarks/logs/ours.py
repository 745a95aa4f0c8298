"""Our side, in a process of its own: every log read, scanned and judged; imports and the snapshot are not counted."""

from __future__ import annotations

import asyncio
import json
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        took
        | read
        | {"states": sorted(states), "gaps": gaps[:3], "rss_mb": peak, "base_mb": base, "scanner": logs.scanner}
    )


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ours(Path(sys.argv[1]), int(sys.argv[2])))))
