"""Every fault, every trap and many healthy seeds as runs of the program: `python -m rehearsal.matrix`.

The promise it keeps: each fault turns the run red through the check id it names, and nothing healthy turns it red.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from postdeploy.environment import PRODUCTION
from rehearsal.cases import SEEDS, SOAK_SEEDS, Case, cases, replays, soak
from rehearsal.catalogue import TIERS, UnknownFault, find
from rehearsal.whole_runs import RUN_TAKES_AT_MOST_S, Ran, Suite

EXIT_CODES = {"failed": 1, "unverified": 10, "degraded": 11, "flaky": 11, "passed": 0, "residue": 12}
"""What a run ends with, which says so of a degraded check only when it is asked to."""
GREEN = {"passed", "not-applicable"}
MATRIX_SEEDS = 30
BAD_USAGE = 4
LAST_LINES = 12


Run = Callable[[Case], Ran]


@dataclass(frozen=True)
class Finding:
    """One case after its run: why it is not as it must be, empty when it is."""

    case: Case
    seconds: float
    wrong: str
    output: str

    @property
    def line(self) -> str:
        """One line per run, for a log."""
        word = "FAILED" if self.wrong else "ok"
        head = f"{word:<6} {self.seconds:5.1f} s  {self.case.environment:<8} seed {self.case.seed:<6} {self.case.name}"
        if not self.wrong:
            return head
        last = "\n".join(f"    | {each}" for each in self.output.splitlines()[-LAST_LINES:])
        return f"{head}: {self.wrong}\n    pytest {' '.join(self.case.options)}\n{last}"


def wrong_with(case: Case, ran: Ran) -> str:
    """Why a run is not what its case must come to, empty when it is."""
    if case.again:
        return ran.evidence if ran.results else "the run left no results"
    fault = case.fault
    expected = (fault.ends if fault else 0) or EXIT_CODES[fault.verdict if fault else "passed"]
    if ran.exit_code != expected:
        return f"exit code {ran.exit_code} instead of {expected}"
    if not ran.results:
        return "the run left no results"
    if ran.evidence:
        return ran.evidence
    if fault is None:
        # What was left out is in the results too: as not verified, which it must be.
        chosen = [each for each in ran.results if case.chooses(each["id"])]
        return _not_green(chosen, case.softens)
    verdicts = {each["verdict"] for each in ran.results if each["id"] == fault.catches}
    if fault.verdict not in verdicts:
        return f"{fault.catches} says {', '.join(sorted(verdicts)) or 'nothing'} instead of {fault.verdict}"
    return ""


def _not_green(results: list[dict[str, str]], softens: Sequence[str]) -> str:
    """What a healthy run, or one with a trap, must not say: anything but what the trap declares, or less than that."""
    soft = {each["id"] for each in results if each["verdict"] == "degraded"}
    if missing := sorted(set(softens) - soft):
        return f"not reported as degraded: {', '.join(missing)}"
    expected = {(each, "degraded") for each in softens}
    found = {(each["id"], each["verdict"]) for each in results if each["verdict"] not in GREEN} - expected
    return f"not green: {', '.join(f'{check} {verdict}' for check, verdict in sorted(found))}" if found else ""


def look(case: Case, run: Run) -> Finding:
    """Run one case and compare; of traps that are not green together, the first that is not so by itself."""
    finding = _look(case, run)
    if not finding.wrong or len(case.entries) < 2:
        return finding
    alone = [_look(each, run) for each in case.alone]
    return next((each for each in alone if each.wrong), Finding(case, finding.seconds, "", finding.output))


def _look(case: Case, run: Run) -> Finding:
    began = time.monotonic()
    try:
        ran = run(case)
    except subprocess.TimeoutExpired as error:
        said = error.output.decode(errors="replace") if isinstance(error.output, bytes) else str(error.output or "")
        return Finding(case, time.monotonic() - began, f"no end after {RUN_TAKES_AT_MOST_S:g} s", said)
    except ValueError as error:
        return Finding(case, time.monotonic() - began, f"results.json cannot be read: {error}", "")
    return Finding(case, time.monotonic() - began, wrong_with(case, ran), ran.output)


def run_all(wanted: Iterable[Case], jobs: int, say: Callable[[str], None], run: Run) -> tuple[int, int]:
    """Run all cases, so many at a time, and say each as it ends; how many passed, how many failed."""
    waiting, turn, findings = iter(wanted), threading.Lock(), list[Finding]()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            with turn:
                case = next(waiting, None)
            if case is None:
                return
            finding = look(case, run)
            with turn:
                findings.append(finding)
                say(finding.line)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for each in [pool.submit(work) for _ in range(jobs)]:
                each.result()
        finally:
            stop.set()  # after a Ctrl-C no run is begun any more
    failed = sum(bool(each.wrong) for each in findings)
    return len(findings) - failed, failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix and end with one plain closing line."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.matrix", description=__doc__)
    counts = f"healthy rehearsals (default {MATRIX_SEEDS}, of a soak {SOAK_SEEDS})"
    parser.add_argument("--seeds", type=int, metavar="N", help=counts)
    # A run that cannot converge waits most of its time.
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), metavar="N", help="runs at a time")
    parser.add_argument("--env", choices=PRODUCTION, help="only this environment (default: the seven in turn)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=f"a fault, a trap or {SEEDS!r}")
    parser.add_argument("--soak", action="store_true", help="only healthy rehearsals, with seeds drawn anew")
    parser.add_argument("--tier", choices=TIERS, default="", help="soak this tier alone")
    parser.add_argument("--minutes", type=float, help="soak for so long, however many rehearsals that is")
    parser.add_argument("--replays", action="store_true", help="every fault, judged again by a clock a year ahead")
    options = parser.parse_args(arguments)
    try:
        for name in options.only:
            find(name) if name != SEEDS else None
    except UnknownFault as error:
        sys.stderr.write(f"{error}\n")
        return BAD_USAGE
    environments = (options.env,) if options.env else PRODUCTION
    if options.replays:
        wanted: Iterable[Case] = replays(environments, options.only)
    elif options.soak:
        wanted = soak(environments, options.seeds, options.minutes, tier=options.tier)
    else:
        wanted = cases(environments, MATRIX_SEEDS if options.seeds is None else options.seeds, options.only)
    with tempfile.TemporaryDirectory(prefix="matrix-cache-") as cache:
        suite = Suite(Path(cache), replays=options.replays)
        passed, failed = run_all(wanted, max(options.jobs, 1), _say, lambda case: suite(case.options))
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return 1 if failed or not passed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
