"""A budget of time that everything in one run shares."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """Runs out `budget_s` seconds after it was made; infinity never does."""

    def __init__(self, budget_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not budget_s >= 0:
            raise ValueError(f"a budget is at least 0 seconds, not {budget_s}")
        self.budget_s = budget_s
        self._clock = clock
        self._started = clock()

    def spent(self) -> float:
        """Seconds since it was made."""
        return self._clock() - self._started

    def left(self) -> float:
        """Seconds until it runs out, never below zero."""
        return max(0.0, self.budget_s - self.spent())

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.left() <= 0

    def __repr__(self) -> str:
        return f"<deadline of {self.budget_s:g} s, {self.left():.1f} s left>"
