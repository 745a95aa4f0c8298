"""What one rule says of one object: a state, the values it saw, and what usually causes that."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from postdeploy.verdict import State

GRAVEST_FIRST = (
    State.FAILED,
    State.UNVERIFIED,
    State.PENDING,
    State.DEGRADED,
    State.PASSED,
    State.NOT_APPLICABLE,
)


class Ruling(msgspec.Struct, frozen=True):
    """A rule's answer about one object."""

    state: State
    seen: str
    cause: str = ""
    doomed: bool = False
    """Failed for good: waiting longer cannot mend it."""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.state in (State.PASSED, State.DEGRADED, State.NOT_APPLICABLE)


def passed(seen: str) -> Ruling:
    """What was expected was seen."""
    return Ruling(State.PASSED, seen)


def degraded(seen: str, cause: str = "") -> Ruling:
    """The hard expectation is met, something beside it is not."""
    return Ruling(State.DEGRADED, seen, cause)


def pending(seen: str, cause: str = "") -> Ruling:
    """Not yet, but it may still come."""
    return Ruling(State.PENDING, seen, cause)


def failed(seen: str, cause: str = "", *, doomed: bool = False) -> Ruling:
    """The expectation is contradicted."""
    return Ruling(State.FAILED, seen, cause, doomed)


def doomed(seen: str, cause: str = "") -> Ruling:
    """Contradicted, and waiting cannot mend it."""
    return Ruling(State.FAILED, seen, cause, doomed=True)


def unverified(seen: str, cause: str = "") -> Ruling:
    """What was seen says nothing about the product."""
    return Ruling(State.UNVERIFIED, seen, cause)


def not_applicable(seen: str) -> Ruling:
    """No part of what is live."""
    return Ruling(State.NOT_APPLICABLE, seen)


def gravity(ruling: Ruling) -> tuple[int, bool]:
    """Sorts the gravest ruling first."""
    return GRAVEST_FIRST.index(ruling.state), not ruling.doomed


def gravest(rulings: Iterable[Ruling], otherwise: Ruling) -> Ruling:
    """The gravest of several rulings; the first of equals."""
    return min(rulings, key=gravity, default=otherwise)
