"""`python -m benchmarks.logs`: what reading, scanning and judging many logs costs, held against its promises.

The other sides read the same logs from the same loopback server: `curl` in parallel into /dev/null, which is the wire,
and `xargs -P 8 kubectl logs | grep`, which is what people do. Each measurement is a process of its own, in turns; ours
leaves out imports, credentials and compiling the patterns, which a run pays once (0.1 s).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
PODS, SIZE = 300, 1_000_000
ROUNDS = 5
GREP = "ERROR|CRITICAL|FATAL|Traceback"


@dataclass(frozen=True)
class Bound:
    """One promise and what was measured."""

    what: str
    measured: float
    most: float

    def __str__(self) -> str:
        word = "kept  " if self.measured <= self.most else "BROKEN"
        return f"{word}  {self.what}: {self.measured:.3g} (at most {self.most:.3g})"


@dataclass(frozen=True)
class Bench:
    """A running server of logs."""

    folder: Path
    pods: int
    by: str
    """Who serves."""

    def ours(self) -> dict[str, Any]:
        """Read, scanned and judged."""
        command = [sys.executable, "-m", "benchmarks.logs.ours", str(self.folder / "kubeconfig"), str(self.pods)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        told = dict(json.loads(done.stdout))
        assert not told["gaps"], told
        assert told["logs"] == self.pods, told
        return told

    def curl(self) -> float:
        """Seconds for the bare wire."""
        wire = ["--cacert", str(self.folder / "ca.pem"), "--config", str(self.folder / "urls")]
        return _timed(["curl", "--silent", "--no-progress-meter", "--parallel", "--parallel-max", "16", *wire])

    def kubectl(self) -> float:
        """Seconds for what people do."""
        program = str(Path(sys.executable).parent / "kubectl")
        place = f"{program} --kubeconfig {self.folder / 'kubeconfig'} --cache-dir {self.folder / 'cache'}"
        pipe = f"{place} get pods -o name | xargs -P 8 -n 1 {place} logs | grep -cE '{GREP}' || true"
        return _timed(["sh", "-c", pipe])


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


@contextmanager
def bench(pods: int, size: int = SIZE, share: float = 0.0) -> Iterator[Bench]:
    """A server with the logs of so many pods, for as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    command = [sys.executable, "-m", "benchmarks.logs.server", str(folder), str(pods), str(size), str(share)]
    try:
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin
            assert server.stdout
            yield Bench(folder, pods, server.stdout.readline().strip())
            server.stdin.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare(name: str, share: float, rounds: int = ROUNDS) -> tuple[float, float, dict[str, Any]]:
    """Ours beside curl, in turns: the median of the ratios, our median, and what ours said."""
    with bench(PODS, share=share) as here:
        served = here.by
        here.curl()
        told = here.ours()
        pairs = [(here.ours(), here.curl()) for _ in range(rounds)]
    ratio = median(mine["wall_s"] / wire for mine, wire in pairs)
    ours, wire = median(mine["wall_s"] for mine, _ in pairs), median(each for _, each in pairs)
    peak = max(mine["rss_mb"] for mine, _ in pairs)
    size = told["bytes"] / 1e6
    print(f"{name}: {told['logs']} logs, {size:.0f} MB, {told['errors']} errors; {told['scanner']}, {served}")
    print(f"  ours {ours:.2f} s ({size / ours:.0f} MB/s), peak {peak:.0f} MB ({told['base_mb']:.0f} before)", end="; ")
    print(f"curl {wire:.2f} s; ratio {ratio:.2f}")
    return ratio, ours, told | {"peak": peak, "wire": wire}


def people(ours: float) -> float:
    """Our share of the time that kubectl and grep take."""
    with bench(PODS) as here:
        here.kubectl()
        took = here.kubectl()
    print(f"  kubectl logs, eight at once, into grep: {took:.1f} s; ours is 1/{took / ours:.0f} of it")
    return ours / took


def grow() -> list[Bound]:
    """Twice the bytes cost twice the time, ten times the pods ten times."""
    took = {}
    for pods, size in ((PODS // 10, SIZE), (PODS, SIZE), (PODS, 2 * SIZE)):
        with bench(pods, size) as here:
            here.ours()
            took[pods, size] = median(here.ours()["cpu_s"] for _ in range(3))
            print(f"  {pods} pods of {size / 1e6:.0f} MB: {took[pods, size]:.2f} s CPU")
    return [
        Bound("CPU of twice the bytes", took[PODS, 2 * SIZE] / took[PODS, SIZE], 2.2),
        Bound("CPU of ten times the pods", took[PODS, SIZE] / took[PODS // 10, SIZE], 11.0),
    ]


def main() -> int:
    """Print the figures and the promises; 1 where one is broken."""
    with tempfile.TemporaryDirectory(prefix="bench-compiled-") as compiled:
        os.environ |= {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        ratio, ours, told = compare("quiet logs", 0.0)
        loud, _, much = compare("a tenth of the lines are errors", 0.1)
        bounds = [
            Bound("time beside curl", ratio, 1.5),
            Bound("time beside curl, a tenth of the lines errors", loud, 4.0),
            Bound("time beside kubectl and grep", people(ours), 0.1),
            Bound("peak memory, MB", max(told["peak"], much["peak"]), 150.0),
            *grow(),
        ]
    print("\n".join(map(str, bounds)))
    return 0 if all(each.measured <= each.most for each in bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
