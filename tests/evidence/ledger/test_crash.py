"""Many writers at once, and writers killed at any moment: no committed run is lost, and the chain stays one."""

from __future__ import annotations

import multiprocessing
import os
import random
import select
import signal
from collections.abc import Callable

import pytest

from postdeploy.evidence.ledger.checking import check
from postdeploy.evidence.ledger.ledger import Ledger
from tests.evidence.ledger.runs import facts

RUNNERS, RUNS, KILLS = 7, 50, 100
FORK = multiprocessing.get_context("fork")
"""A writer of its own in a millisecond: what is tested is the database, not the start of Python."""


def run_ids(ledger: Ledger) -> list[str]:
    return [each.event_id for each in ledger.entries() if each.event_type == "verification"]


def write(place: str, runner: int) -> None:
    ledger = Ledger(place)
    for number in range(RUNS):
        facts(f"r{runner}-{number:04d}", f"v{number}").enter(ledger)


def test_seven_runners_of_fifty_runs_share_one_intact_chain(place):
    runners = [FORK.Process(target=write, args=(place, runner)) for runner in range(RUNNERS)]
    for each in runners:
        each.start()
    for each in runners:
        each.join()
    assert [each.exitcode for each in runners] == [0] * RUNNERS
    ledger = Ledger(place)
    assert check(ledger).findings == []
    found = run_ids(ledger)
    assert len(found) == len(set(found)) == RUNNERS * RUNS


def write_until_killed(place: str, name: str, told: int) -> None:
    ledger = Ledger(place)
    for number in range(10_000):
        facts(f"{name}-{number:04d}", f"v{number}").enter(ledger)
        os.write(told, f"verification/uk-prod/{name}-{number:04d}\n".encode())


def kill_one(place: str, name: str, seconds: float, *, at_work: bool) -> list[str]:
    """Start a writer and kill it so many seconds later, or so many after its first commit; what it was told it did."""
    told, say = os.pipe()
    writer = FORK.Process(target=write_until_killed, args=(place, name, say))
    writer.start()
    os.close(say)
    if at_work:
        select.select([told], [], [], 30)
    writer.join(seconds)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    with os.fdopen(told) as lines:
        return lines.read().splitlines()


@pytest.fixture
def killed(place) -> Callable[[int], list[str]]:
    Ledger(place).append([])  # the tables are there
    draw = random.Random(9)

    def all_of(count: int) -> list[str]:
        return [
            line
            for number in range(count)
            for line in kill_one(place, f"k{number}", draw.uniform(0.0, 0.03), at_work=number % 4 > 0)
        ]

    return all_of


def test_a_writer_killed_at_a_hundred_moments_loses_nothing_it_was_told(place, killed):
    committed = killed(KILLS)
    ledger = Ledger(place)
    assert check(ledger).findings == []
    assert len(committed) > KILLS / 2
    assert set(committed) <= set(run_ids(ledger))
