"""`python -m benchmarks.cluster`: what observing and judging a large environment costs, held against its promises.

The other sides read the same lists from the same loopback server: the official client into its models, and kubectl
into /dev/null. Every measurement is a process of its own, and a verification is one too: what a side pays when it
uses its code for the first time is part of the price, and is shown apart. Imports and credentials are not counted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cluster.estate import NAME
from benchmarks.cluster.stopwatch import OUT

ROOT = Path(__file__).parents[2]
PODS, MANY = 2_000, 20_000
ROUNDS, ROUNDS_OF_MANY = 15, 3
"""Two runs of the same code differ by a tenth on a busy machine; the median of fifteen pairs does not."""
NOTHING = """
import pytest

@pytest.mark.parametrize("subject", range(752))
@pytest.mark.infra
def test_nothing(subject):
    assert subject is not None
"""
"""A peer of the recording: about as many tests as a run has, each of which costs what pytest and Allure cost."""
PLAIN = frozenset({"events", "gateways", "httproutes"})
"""Lists kubectl is spared: events would need a call of their own."""


@dataclass(frozen=True)
class Bound:
    """One promise and what was measured."""

    what: str
    measured: float
    most: float
    unit: str

    def __str__(self) -> str:
        word = "kept  " if self.is_kept else "BROKEN"
        return f"{word}  {self.what}: {self.measured:.4g} {self.unit} (at most {self.most:.4g})"

    @property
    def is_kept(self) -> bool:
        return self.measured <= self.most


@dataclass(frozen=True)
class Bench:
    """A running server of canned lists."""

    folder: Path
    pods: int

    @property
    def kubeconfig(self) -> Path:
        """The way to it."""
        return self.folder / "kubeconfig"

    def side(self, name: str, paths: Sequence[str] = ()) -> dict[str, Any]:
        """One measurement of one side."""
        command = [sys.executable, "-m", "benchmarks.cluster.sides", name, str(self.kubeconfig), str(self.pods)]
        return dict(json.loads(_output(command, json.dumps(paths))))

    def kubectl(self, paths: Sequence[str]) -> float:
        """Seconds that kubectl takes for the same kinds, in all namespaces at once."""
        kinds = ",".join(sorted({each.partition("?")[0].rpartition("/")[2] for each in paths} - PLAIN))
        program = str(Path(sys.executable).parent / "kubectl")
        place = ["--kubeconfig", str(self.kubeconfig), "--cache-dir", str(self.folder / "cache")]
        began = time.perf_counter()
        subprocess.run([program, *place, "get", kinds, "-A", "-o", "json"], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


@contextmanager
def bench(pods: int) -> Iterator[Bench]:
    """A server with lists of so many pods, for as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    command = [sys.executable, "-m", "benchmarks.cluster.server", str(folder), str(pods)]
    try:
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin
            assert server.stdout
            server.stdout.readline()
            yield Bench(folder, pods)
            server.stdin.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _output(command: Sequence[str], text: str = "", **variables: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, input=text, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | variables
    )
    return done.stdout


def middle(rounds: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The median of each figure."""
    names = ("cpu_s", "first_s", "wall_s", "rss_mb")
    found = {name: median(each[name] for each in rounds) for name in names}
    return found | {"total_s": median(map(total, rounds))}


def total(one: dict[str, Any]) -> float:
    """CPU seconds of one measurement, first use included."""
    return float(one["cpu_s"] + one["first_s"])


def compare() -> tuple[list[Bound], dict[str, float]]:
    """Ours beside the official client and kubectl, in turns."""
    with bench(PODS) as here:
        paths = here.side("ours")["asked"]  # this round also compiles, and lets the server encode its pages
        for each in ("official", "ours"):
            here.side(each, paths)
        here.kubectl(paths)
        rounds = [(here.side("ours"), here.side("official", paths)) for _ in range(ROUNDS)]
        wall = median(here.kubectl(paths) for _ in range(ROUNDS_OF_MANY))
    mine, theirs = ([each[side] for each in rounds] for side in range(2))
    ours, official = middle(mine), middle(theirs)
    told = mine[0]
    judged = sum(told["verdicts"].values())
    print(f"{told['pods']} pods, {len(paths)} lists, {told['bytes'] / 1e6:.1f} MB; {judged} checks")
    _row("ours", ours, "observed and judged")
    _row("official", official, "read into its models, not judged")
    print(f"  kubectl: wall {wall:.3f} s (get … -A -o json, without events)")
    # Of each round its own ratio: what slows the machine down for a while slows both sides.
    share, warm = median(total(a) / total(b) for a, b in rounds), median(a["cpu_s"] / b["cpu_s"] for a, b in rounds)
    print(f"    ratio: 1/{1 / share:.1f} of the CPU, 1/{1 / warm:.1f} once warmed up")
    bounds = [
        Bound("CPU beside the official client", share * 100, 5.0, "%"),
        Bound("wall time beside kubectl", ours["wall_s"] / wall * 100, 100.0, "%"),
        Bound("peak memory", ours["rss_mb"], 200.0, "MB"),
    ]
    return bounds, ours


def grow(small: dict[str, float]) -> list[Bound]:
    """Ten times the pods cost at most eleven times as much."""
    with bench(MANY) as here:
        here.side("ours")
        large = middle([here.side("ours") for _ in range(ROUNDS_OF_MANY)])
    _row("20,000", large, "observed and judged")
    return [
        Bound("CPU of ten times the pods", large["total_s"] / small["total_s"], 11.0, "times"),
        Bound("memory of ten times the pods", large["rss_mb"] / small["rss_mb"], 11.0, "times"),
    ]


def per_check() -> list[Bound]:
    """Judging and recording in a whole rehearsal, Allure's rendering left out, beside tests that do nothing."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        nothing = Path(folder) / "test_nothing.py"
        nothing.write_text(NOTHING, encoding="utf-8")
        ours = ["-m", "verify", f"--env={NAME}", "--rehearsal", "--hold=0", f"--archive={folder}"]
        theirs = ["-c", os.devnull, f"--rootdir={folder}", f"--alluredir={folder}/results", str(nothing)]
        rounds = [(_timed(folder, ours), _timed(folder, theirs)) for _ in range(1 + ROUNDS_OF_MANY)][1:]
    took = median(each["judging_s"] / each["checks"] + each["closing_s"] / each["recorded"] for each, _ in rounds)
    bare = median((each["judging_s"] + each["closing_s"]) / each["checks"] for _, each in rounds)
    peak = median(each["rss_mb"] for each, _ in rounds)
    print(f"whole run: {rounds[0][0]['recorded']} checks recorded, peak {peak:.0f} MB")
    print(f"    ratio: {took / bare:.2f} of pytest with Allure where a test does nothing ({bare * 1e3:.2f} ms)")
    return [Bound("judging and recording one check", took * 1e3, 3.0, "ms")]


def _timed(folder: str, arguments: Sequence[str]) -> dict[str, float]:
    """What the stopwatch says of one run of pytest."""
    told = Path(folder) / "stopwatch.json"
    command = [sys.executable, "-m", "pytest", "-p", "benchmarks.cluster.stopwatch", *arguments]
    _output(
        [*command, "-o", f"cache_dir={folder}/.cache"], POSTDEPLOY_REPORT="0", PYTHONPATH=str(ROOT), **{OUT: str(told)}
    )
    return dict(json.loads(told.read_text(encoding="utf-8")))


def _row(name: str, seen: dict[str, float], what: str) -> None:
    cpu = f"CPU {seen['total_s']:6.3f} s ({seen['first_s']:.3f} of it first use)"
    print(f"{name:>9}: {cpu}  wall {seen['wall_s']:6.3f} s  peak {seen['rss_mb']:4.0f} MB  ({what})")


def main() -> int:
    """Print the figures and the promises; 1 where one is broken."""
    with tempfile.TemporaryDirectory(prefix="bench-compiled-") as compiled:
        # What is compiled once for good on any machine must not be compiled in each round of these.
        os.environ |= {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        bounds, small = compare()
        bounds += grow(small)
        bounds += per_check()
    print("\n".join(map(str, bounds)))
    return 0 if all(each.is_kept for each in bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
