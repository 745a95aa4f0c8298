"""Kills of the deposit flow, and what the product's books say after the next run's sweep."""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kills.clerk import Clerk, Ended, Job, clerk
from benchmarks.kills.house import Audit, House, house
from postdeploy.environment import Environment
from rehearsal.moods import Trouble

Troubles = tuple[Trouble, Trouble]
"""What befalls deposits, and what befalls refunds."""
WEATHER: dict[str, Troubles] = {
    "all well": ("", ""),
    "500 before the deposit": ("500 before", ""),
    "500 after the deposit": ("500 after", ""),
    "silence before the deposit": ("silence before", ""),
    "silence after the deposit": ("silence after", ""),
    "deposit that arrives when nobody waits": ("late", ""),
    "500 before the refund": ("", "500 before"),
    "500 after the refund": ("", "500 after"),
    "silence before the refund": ("", "silence before"),
    "silence after the refund": ("", "silence after"),
    "refund that arrives when nobody waits": ("", "late"),
}
LATE_S = 0.5
IN_FLIGHT_S = 0.8
"""What is declared of a product whose requests may arrive so late."""
RESIDUE = 12
TRIES = 5


@dataclass
class Tally:
    """What came of a campaign."""

    kills: int = 0
    deposits: int = 0
    left_by_kills: int = 0
    """Deposits that stood when the harness was dead: what a harness without journal and tag would have lost."""
    left_after_sweep: int = 0
    double_spends: int = 0
    refunded_twice: int = 0
    unbalanced: int = 0
    coins_left: int = 0
    residue: int = 0
    failed_logins: int = 0
    wrong: list[str] = field(default_factory=list)

    def settle(self, audit: Audit, what: str) -> None:
        """Take down what the books say after a sweep."""
        self.deposits, self.failed_logins = audit.deposits, audit.failed_logins
        self.left_after_sweep, self.double_spends = len(audit.standing), len(audit.doubles)
        self.refunded_twice, self.unbalanced = len(audit.refunded_twice), audit.unbalanced
        self.coins_left = audit.coins_left
        if not audit.is_clean:
            self.wrong.append(f"{what}: {audit}")

    def __add__(self, other: Tally) -> Tally:
        names = [name for name in vars(self) if name != "wrong"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Tally(**sums, wrong=self.wrong + other.wrong)

    @property
    def line(self) -> str:
        """The figures on a line."""
        return (
            f"{self.kills} kills, {self.deposits} deposits, {self.left_by_kills} of them left by the kills, "
            f"{self.left_after_sweep} after the next sweep, {self.residue} reported as residue, "
            f"{self.double_spends} keys spent twice, {self.refunded_twice} refunded twice, "
            f"{self.unbalanced} unbalanced transactions, {self.coins_left} coins off, "
            f"{self.failed_logins} failed logins"
        )


@contextmanager
def scene(environment: Environment, folder: Path, weather: str) -> Iterator[tuple[House, Clerk]]:
    """A house in that weather, and a clerk at it."""
    with house(environment, folder / "books") as at, clerk(at, folder / "state") as worker:
        money = at.api.money
        money.settles_s, money.refunds_s = 0.03, 0.01
        money.deposit, money.refund = WEATHER[weather]
        # A refund that never gets through would be residue, whoever was killed.
        money.late_s, money.first_only = LATE_S, money.refund.endswith("before")
        worker.in_flight_s = IN_FLIGHT_S if "late" in WEATHER[weather] else worker.in_flight_s
        yield at, worker


def at_boundaries(
    environment: Environment, folder: Path, weather: str, wanted: Callable[[int], bool] = lambda number: True
) -> Tally:
    """Kill at every step boundary in turn, and sweep after each; the sweep is killed half-way once, too."""
    tally = Tally()
    with scene(environment, folder, weather) as (at, worker):
        for number in itertools.count(1):
            if not wanted(number):
                continue
            ended = _undisturbed(worker, number)
            if not ended.was_killed:
                break
            tally.kills += 1
            tally.left_by_kills += len(at.audit().standing)
            _sweep(at, worker, tally, f"{weather}, boundary {number}", str(number))
    return tally


def at_random(environment: Environment, folder: Path, weather: str, kills: int, seed: int) -> Tally:
    """Kill flows and sweeps at random moments; a run after a killed one may be killed as well."""
    tally, draw = Tally(), random.Random(seed)
    with scene(environment, folder, weather) as (at, worker):
        whole = worker.do(Job("first", "first", methods=tuple(environment.deposits)))
        for number in itertools.count():
            moment = draw.uniform(0.002, whole.seconds)
            act = draw.choice(("flow", "flow", "flow", "sweep"))
            # Half of them are a retry of the job before, in the same pipeline.
            pipeline = f"pipeline-{number // 2}"
            job = Job(f"run-{number}", pipeline, act, tuple(environment.deposits), kill_after_s=moment)
            tally.kills += worker.do(job).was_killed
            is_last = tally.kills >= kills
            if draw.random() < 0.5 or is_last:
                tally.left_by_kills += len(at.audit().standing)
                _sweep(at, worker, tally, f"{weather}, random kill {number} (seed {seed})", str(number))
            if is_last:
                break
    return tally


def _undisturbed(worker: Clerk, number: int) -> Ended:
    """A flow that was killed or came to its end: one that a busy machine kept from its beginning is begun again."""
    for attempt in range(TRIES):
        ended = worker.do(Job(f"run-{number}-{attempt}", f"pipeline-{number}-{attempt}", kill_at=number))
        if ended.code in (-signal.SIGKILL, 0, RESIDUE):
            break
    return ended


def _sweep(at: House, worker: Clerk, tally: Tally, what: str, name: str) -> None:
    """The next run: it may have to wait for what is still in flight, and then all is settled."""
    ended = worker.do(Job(f"sweep-{name}", f"sweep-{name}", "sweep", answer_s=1.0))
    tally.residue += ended.code == RESIDUE
    if ended.code != 0:
        tally.wrong.append(f"{what}: the sweep ended with {ended.code}")
    tally.settle(at.audit(), what)
