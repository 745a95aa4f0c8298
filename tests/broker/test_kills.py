"""Nothing is lost: the harness is killed at each step of the deposit flow, and the next run's sweep settles all of it.

The whole campaign, with silences and errors before and after each commit and 200 random moments, is
`python -m benchmarks.kills`; these are its first steps.
"""

from __future__ import annotations

import pytest

from benchmarks.kills.campaign import at_boundaries, at_random

BEFORE_MONEY = 20
"""Boundaries of the login and the sweep: nothing is spent there."""


@pytest.mark.parametrize("half", [0, 1])
def test_no_kill_at_a_step_boundary_loses_a_penny(environment, tmp_path, half):
    def wanted(number: int) -> bool:
        return number % 4 == 2 * half and number > BEFORE_MONEY

    tally = at_boundaries(environment, tmp_path, "all well", wanted)
    assert tally.wrong == []
    assert tally.kills >= 7
    assert tally.left_by_kills > 0, "some of the kills did leave a deposit behind"
    assert (tally.left_after_sweep, tally.double_spends, tally.failed_logins) == (0, 0, 0)


@pytest.mark.parametrize("weather", ["500 after the deposit", "silence after the refund"])
def test_no_kill_at_a_random_moment_loses_a_penny(environment, tmp_path, weather):
    tally = at_random(environment, tmp_path, weather, kills=3, seed=6)
    assert tally.wrong == []
    assert (tally.left_after_sweep, tally.double_spends, tally.failed_logins) == (0, 0, 0)
