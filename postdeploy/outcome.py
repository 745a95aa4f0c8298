"""From pytest's phases to one result a check: the verdict, the message and the attempts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from postdeploy.evidence.results import Attempt, worst
from postdeploy.verdict import Carried, Held, NotApplicable, ProductDown, Residue, Unverified, Verdict, verdict_of

EXPECTED = (AssertionError, ProductDown, Unverified, NotApplicable, Residue, Carried)
PLAYWRIGHT = "playwright."


@dataclass
class Outcome:
    """What became of one selected check so far; the worst phase decides."""

    check_id: str
    subject: str
    nodeid: str
    verdict: Verdict = Verdict.PASSED
    messages: list[str] = field(default_factory=list)
    """What was found against it."""
    seen: list[str] = field(default_factory=list)
    """What was seen in its favour, for whoever asks a year later what a pass was based on."""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    duration_s: float = 0.0
    finished: bool = False
    attempts: tuple[Attempt, ...] = ()
    """Looks before the one that was judged."""
    endings: list[Callable[[], None]] = field(default_factory=list)
    """What is to be done once the last phase has been judged."""

    def note(self, verdict: Verdict, message: str) -> None:
        """Remember a soft finding, or a phase's failure; the graver verdict stays."""
        never_judged = verdict is Verdict.NOT_APPLICABLE and self.verdict is Verdict.PASSED
        # Passed is where every check begins: what turns out not to apply was not passed by anything.
        self.verdict = verdict if never_judged else worst((self.verdict, verdict))
        self.messages.append(message)

    @property
    def message(self) -> str:
        """Everything that was found, the first finding first; of a pass, what was seen."""
        return "\n".join(self.messages or self.seen)


def judge_phase(error: BaseException) -> tuple[Verdict, str]:
    """The verdict and the message of a phase that raised."""
    if type(error).__module__.startswith(PLAYWRIGHT):
        from postdeploy.browser.troubles import translated

        error = translated(error)
    verdict = verdict_of(error)
    if isinstance(error, Held):
        return verdict, str(error)
    if isinstance(error, EXPECTED):
        return verdict, claim_of(str(error)) or f"{type(error).__name__} without a message"
    if isinstance(error, pytest.skip.Exception):
        return Verdict.UNVERIFIED, f"did not look: {error}"
    return verdict, f"harness error: {type(error).__name__}: {error}"


def claim_of(text: str) -> str:
    """An assertion's own words, without the introspection that pytest appends below them."""
    own, _, _ = text.partition("\nassert ")
    return own.removeprefix("assert ").strip()


def tolerated(outcome: Outcome, tolerances: Any, today: date) -> None:
    """Turn a failure that the environment accepts for now into a degraded verdict that says who accepts it."""
    if outcome.verdict is not Verdict.FAILED:
        return
    for each in tolerances:
        if (each.check, each.subject) == (outcome.check_id, outcome.subject) and not each.is_expired(today):
            outcome.verdict = Verdict.DEGRADED
            outcome.messages.insert(0, f"tolerated until {each.expires} by {each.owner}: {each.reason}")
