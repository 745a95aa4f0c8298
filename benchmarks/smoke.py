"""`python -m benchmarks.smoke`: what the smoke tier costs beyond the time that the product itself takes.

Whole runs of `pytest -m smoke` in a rehearsal, from the start of the process to its end: one environment by itself, and
the seven side by side. What deposits and refunds take of their own accord is read in the brokerage's books and taken
off; it is the product's time, and not ours.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from postdeploy.environment import PRODUCTION

ROOT = Path(__file__).parents[1]
ROUNDS = 3
MOST_S = 5.0
MOST_BESIDE = 1.0
"""Seven runs side by side, as a share of the same seven one after another."""
LONG_S = 60.0
"""A deposit that is due later than this is one that stays pending: nobody waits for it."""


def run(environment: str, folder: Path) -> tuple[float, float]:
    """Seconds of a run, and how many of them were the product's own."""
    state = folder / "state"
    command = [sys.executable, "-m", "pytest", "-m", "smoke", f"--env={environment}", "--rehearsal", "--hold=0"]
    command += ["-p", "no:cacheprovider", f"--archive={folder / 'archive'}", f"--state={state}"]
    before = sum(waited(each) for each in state.rglob("brokerage.sqlite"))
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"the run ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return took, sum(waited(each) for each in state.rglob("brokerage.sqlite")) - before


def waited(books: Path) -> float:
    """Seconds that the deposits and refunds in these books took from their beginning to their end."""
    with closing(sqlite3.connect(books)) as db:
        took = "select coalesce(sum(due - created), 0) from {table} where due - created < ?"
        return sum(
            float(db.execute(took.format(table=each), (LONG_S,)).fetchone()[0]) for each in ("payments", "refunds")
        )


def main() -> int:
    """Print the figures and the promises; 1 where one is broken."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        # What is compiled once for good on any machine must not be compiled in each round of these.
        os.environ |= {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
        run("uk-prod", folder)  # whatever is compiled, is compiled now
        alone = [run("uk-prod", folder) for _ in range(ROUNDS)]
        one = [took - own for took, own in alone]
        seven, own = run("all", folder)
        verdicts = {each.parent.parent.name for each in (folder / "archive").glob("*-prod/*/run.json") if _is_of(each)}
    took = [each[0] for each in alone]
    print(f"one environment: {median(took):.2f} s, at best {min(took):.2f} s; the product's own: {alone[0][1]:.2f} s")
    print(f"seven side by side: {seven:.2f} s, {own:.2f} s of waiting for the product at the same time")
    beyond, beside = min(one), seven / (len(PRODUCTION) * median(took))
    kept = {
        f"one environment beyond the product's own time: {beyond:.2f} s (at most {MOST_S:g})": beyond <= MOST_S,
        f"seven side by side, of seven one after another: {beside:.2f} (at most {MOST_BESIDE:g})": beside
        <= MOST_BESIDE,
        f"{len(verdicts)} environments have a run folder of their own": verdicts == set(PRODUCTION),
    }
    for promise, holds in kept.items():
        print(f"{'kept  ' if holds else 'BROKEN'}  {promise}")
    return 0 if all(kept.values()) else 1


def _is_of(record: Path) -> bool:
    return bool(json.loads(record.read_text(encoding="utf-8"))["verdict"] == "passed")


if __name__ == "__main__":
    sys.exit(main())
