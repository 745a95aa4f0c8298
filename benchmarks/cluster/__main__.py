"""`python -m benchmarks.cluster`: observing and judging 2,000 pods against reading them into the official models."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cluster.bodies import PODS_EACH

PODS = 2_000
ROUNDS = 5
FLOOR = 10.0
"""How many times less CPU we promise to use than the official models."""


def run(side: str, kubeconfig: Path) -> dict[str, Any]:
    """One measurement in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.cluster.sides", side, str(kubeconfig), str(PODS // PODS_EACH)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def main() -> int:
    """Print both sides and their ratio; 1 where the promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.cluster.server", folder, str(PODS // PODS_EACH)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            assert server.stdin
            size = json.loads(server.stdout.readline())["bytes"]
            kubeconfig = Path(folder) / "kubeconfig"
            rounds = [{side: run(side, kubeconfig) for side in ("ours", "official")} for _ in range(ROUNDS)]
            server.stdin.close()
    print(f"{PODS} pods, {size / 1e6:.1f} MB of lists over loopback TLS, median of {ROUNDS} alternating rounds")
    middle = {
        side: {key: median(each[side][key] for each in rounds) for key in ("cpu_s", "first_s", "wall_s", "rss_mb")}
        for side in ("ours", "official")
    }
    for side, what in (("ours", "observe and judge"), ("official", "generated models, no judging")):
        seen = middle[side]
        cpu = f"CPU {seen['cpu_s']:6.3f} s (first use before that {seen['first_s']:.3f} s)"
        print(f"{side:>9}: {cpu}  wall {seen['wall_s']:6.3f} s  peak {seen['rss_mb']:4.0f} MB  ({what})")
    ratio = middle["official"]["cpu_s"] / middle["ours"]["cpu_s"]
    memory = middle["official"]["rss_mb"] / middle["ours"]["rss_mb"]
    print(f"    ratio: {ratio:.1f} times less CPU, {memory:.1f} times less memory")
    return 0 if ratio >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
