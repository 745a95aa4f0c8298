from __future__ import annotations

import pytest

from postdeploy.deadline import Deadline


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_deadline_counts_from_when_it_was_made():
    clock = Clock()
    deadline = Deadline(10, clock)
    clock.now += 4
    assert (deadline.spent(), deadline.left(), deadline.over) == (4, 6, False)
    assert repr(deadline) == "<deadline of 10 s, 6.0 s left>"


def test_what_is_left_never_falls_below_zero():
    clock = Clock()
    deadline = Deadline(10, clock)
    clock.now += 11
    assert (deadline.left(), deadline.over) == (0, True)


def test_an_endless_budget_is_never_over():
    assert not Deadline(float("inf")).over


def test_nothing_is_left_of_an_empty_budget():
    assert Deadline(0, Clock()).over


@pytest.mark.parametrize("budget", [-1, float("nan")])
def test_a_budget_must_be_one(budget):
    with pytest.raises(ValueError, match="at least 0 seconds"):
        Deadline(budget)
