"""`python -m benchmarks.kills`: the harness is killed at every step boundary, at random moments and in whole runs.

Prints what was lost (nothing, or it ends with 1) beside what would have been lost without journal and tag.
"""

from __future__ import annotations

import argparse
import itertools
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.kills.campaign import WEATHER, Tally, at_boundaries, at_random
from benchmarks.kills.house import audit_of
from postdeploy.environment import load

ROOT = Path(__file__).parents[2]
RANDOM = 210
RUNS = 10
FAULTS = (
    *("", "deposit-500-after-the-money-moved", "deposit-times-out-after-the-money-moved"),
    *("deposit-500-before-the-money-moved", "refund-500-after-the-money-moved"),
)
"""What befalls the run that is killed; the one after it meets a healthy product."""


def main() -> int:
    """Run the campaigns and print one line for each, and one for all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--env", default="uk-prod", metavar="NAME")
    parser.add_argument("--random", type=int, default=RANDOM, metavar="N", help="kills at random moments")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="kills of whole runs")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    environment, total = load(options.env), Tally()
    with tempfile.TemporaryDirectory(prefix="kills-") as scratch:
        folder = Path(scratch)
        each = -(-options.random // len(WEATHER))
        for number, weather in enumerate(WEATHER):
            here = folder / str(number)
            total += _told(f"every boundary, {weather}", partial(at_boundaries, environment, here / "b", weather))
            act = partial(at_random, environment, here / "r", weather, each, options.seed * 1000 + number)
            total += _told(f"random moments, {weather}", act)
        total += _told("whole runs", partial(whole_runs, options.env, folder / "runs", options.runs, options.seed))
    print(f"all: {total.line}")
    lost, kept = total.left_by_kills, total.left_after_sweep
    print(f"left without the journal : left with it = {lost} : {kept}")
    for line in total.wrong:
        print(f"WRONG {line}")
    return 1 if total.wrong or total.double_spends or total.left_after_sweep else 0


def whole_runs(environment: str, folder: Path, kills: int, seed: int) -> Tally:
    """Kill `pytest -m smoke` while it has money out, and let the next whole run find it."""
    tally, draw = Tally(), random.Random(seed)
    state = folder / "state"
    journal = state / "rehearsal" / environment / "journal.sqlite"
    for number, fault in enumerate(itertools.cycle(FAULTS)):
        if tally.kills >= kills:
            break
        process = _run(environment, folder / "archive", state, fault)
        before = _written(journal)
        # The moment lies between the first entry of its journal and the end of its flow.
        while process.poll() is None and _written(journal) == before:
            time.sleep(0.005)
        time.sleep(draw.uniform(0.0, 0.9))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        tally.kills += process.returncode == -signal.SIGKILL
        tally.left_by_kills += len(audit_of(journal.with_name("brokerage.sqlite")).standing)
        after = _run(environment, folder / "archive", state)
        said, _ = after.communicate()
        if after.returncode != 0:
            tally.wrong.append(f"whole run after kill {number} ({fault}) ended with {after.returncode}: {said[-2000:]}")
        tally.residue += after.returncode == 12
        tally.settle(audit_of(journal.with_name("brokerage.sqlite")), f"whole run {number}")
    return tally


def _run(environment: str, archive: Path, state: Path, fault: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "-m", "smoke", f"--env={environment}", "--rehearsal", "--hold=0"]
    command += ["-p", "no:cacheprovider", f"--archive={archive}", f"--state={state}"]
    command += [f"--fault={fault}"] if fault else []
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _written(journal: Path) -> int:
    log = journal.with_name(journal.name + "-wal")
    return max((each.stat().st_mtime_ns for each in (journal, log) if each.exists()), default=0)


def _told(what: str, act: Callable[[], Tally]) -> Tally:
    began = time.monotonic()
    tally = act()
    print(f"{what}: {tally.line} ({time.monotonic() - began:.0f} s)", flush=True)
    return tally


if __name__ == "__main__":
    raise SystemExit(main())
