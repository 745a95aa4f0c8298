"""The worked example of docs/smoke.md does what it says, piece by piece as it is printed there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples import checkout_with, pieces
from tests.runs import run


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout with the example's pieces in it."""
    assert len(pieces("docs/smoke.md")) == 3
    return checkout_with("docs/smoke.md", tmp_path / "checkout")


def test_example_is_green_and_its_fault_turns_it_red(checkout: Path, tmp_path: Path) -> None:
    arguments = ("-m", "smoke", "-k", "calendar", "--env=uk-prod", "--rehearsal")
    env = {"PYTHONPATH": str(checkout)}
    green = run(*arguments, archive=tmp_path / "green", cwd=checkout, env=env)
    assert green.code == 0, green.output
    assert green.of("smoke.calendar.ahead") == {"passed"}
    assert "the next one is 2" in green.messages("smoke.calendar.ahead")[0]
    red = run(*arguments, "--fault=calendar-ends", archive=tmp_path / "red", cwd=checkout, env=env)
    assert red.code == 1, red.output
    assert "0 days, all of them past" in red.messages("smoke.calendar.ahead")[0]
