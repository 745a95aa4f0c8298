"""What a check can conclude, how a claim explains itself, and the exit code that follows: the public contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """The verdict of one planned check."""

    PASSED = "passed"
    DEGRADED = "degraded"
    """Hard limit met, soft one missed."""
    FLAKY = "flaky"
    """Passed after a failed look."""
    FAILED = "failed"
    """The product contradicts the expectation."""
    UNVERIFIED = "unverified"
    """We could not look, so it says nothing about the product."""
    NOT_APPLICABLE = "not-applicable"
    """Declared absent in this environment."""
    RESIDUE = "residue"
    """A clean-up failed: something of ours is left in production."""


class ExitCode(IntEnum):
    """Exit code of the process; 2 and 3 are pytest's own and never the end of a verification."""

    VERIFIED = 0
    FAILED = 1
    USAGE = 4
    NOTHING_SELECTED = 5
    UNVERIFIED = 10
    SOFT = 11
    RESIDUE = 12


class Unverified(Exception):
    """The check could not look, so it says nothing about the product."""


class Held(Unverified):
    """The check was not run because one it depends on did not pass."""

    def __init__(self, check_id: str) -> None:
        super().__init__(f"held because {check_id}")
        self.check_id = check_id


class ProductDown(Exception):
    """Something of the product that we own did not answer."""


class NotApplicable(Exception):
    """The environment declares the subject absent."""


class Carried(Exception):
    """The verdict of a check that only a living environment can give, taken over from the run that is replayed."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict


class Residue(Exception):
    """A clean-up failed: something of ours is left in production."""


def verdict_of(error: BaseException | None) -> Verdict:
    """The verdict follows the exception's type, in whatever phase of the test it was raised."""
    match error:
        case None:
            return Verdict.PASSED
        case Carried():
            return error.verdict
        case Residue():
            return Verdict.RESIDUE
        case NotApplicable():
            return Verdict.NOT_APPLICABLE
        case AssertionError() | ProductDown():
            return Verdict.FAILED
        case _:
            return Verdict.UNVERIFIED


def exit_code(verdicts: Iterable[Verdict], *, fail_on_soft: bool = False) -> ExitCode:
    """The first code of the contract's list that any verdict calls for; no verdict at all is 5."""
    seen = set(verdicts)
    if not seen:
        return ExitCode.NOTHING_SELECTED
    if Verdict.RESIDUE in seen:
        return ExitCode.RESIDUE
    if Verdict.FAILED in seen:
        return ExitCode.FAILED
    if Verdict.UNVERIFIED in seen:
        return ExitCode.UNVERIFIED
    if fail_on_soft and seen & {Verdict.FLAKY, Verdict.DEGRADED}:
        return ExitCode.SOFT
    return ExitCode.VERIFIED


class State(StrEnum):
    """What a rule says of what it saw; pending may still converge, the other states are final for this look."""

    PASSED = "passed"
    DEGRADED = "degraded"
    PENDING = "pending"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule's answer: what was claimed, what was seen, where to look, what usually causes it."""

    state: State
    claim: str
    """What should hold, as a sentence: 'Deployment crm/crm-web has rolled out'."""
    seen: str = ""
    """The values: '3 of 6 replicas updated (status.updatedReplicas)'."""
    where: str = ""
    """Object, field, most useful pod, events, log lines; may have several lines."""
    cause: str = ""
    """What usually causes it, and what to do."""
    doomed: bool = False
    """Failed for good: waiting longer cannot mend it, so a settle stops early."""

    @property
    def holds(self) -> bool:
        """Whether the hard expectation is met."""
        return self.state in (State.PASSED, State.DEGRADED)

    @property
    def why(self) -> str:
        """The four parts of a failure message, the cause of it in the first line."""
        parts = [f"{self.claim}: {self.state}" + (f": {self.seen}" if self.seen else "")]
        if self.where:
            parts.append("where to look: " + self.where.replace("\n", "\n  "))
        if self.cause:
            parts.append("usual cause: " + self.cause)
        return "\n".join(parts)
