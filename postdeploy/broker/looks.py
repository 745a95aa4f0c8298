"""What one claim looks at: collected while it is looked at, kept in the recording, and judged from there alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from postdeploy.broker.line import Reply
from postdeploy.broker.recording import Exchange, Recording, Sight
from postdeploy.evidence.results import Attempt
from postdeploy.verdict import Held, Residue, Unverified, Verdict


@dataclass
class Look:
    """Grows while something is looked at."""

    steps: dict[str, list[int]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    residue: str = ""

    def made(self, name: str, reply: Reply) -> Reply:
        """Keep a reply under a name; returns it."""
        self.steps.setdefault(name, []).append(reply.number)
        return reply

    def sight(self, error: Unverified | None = None) -> Sight:
        """What is kept of it."""
        held_by = error.check_id if isinstance(error, Held) else ""
        unseen = str(error) if error else ""
        return Sight(steps=self.steps, facts=self.facts, residue=self.residue, unseen=unseen, held_by=held_by)


@dataclass(frozen=True)
class Seen:
    """A sight with its exchanges: what the rules judge."""

    recording: Recording
    sight: Sight

    def all(self, name: str) -> tuple[Exchange, ...]:
        """Every exchange made under a name, in order."""
        return tuple(self.recording.exchanges[number] for number in self.sight.steps.get(name, ()))

    def last(self, name: str) -> Exchange:
        """The last of them. Raises Unverified where there is none."""
        found = self.all(name)
        if not found:
            raise Unverified(f"it did not come to that: nothing was asked under {name!r}")
        return found[-1]

    def first(self, name: str) -> Exchange:
        """The first of them. Raises Unverified where there is none."""
        self.last(name)
        return self.all(name)[0]

    def has(self, name: str) -> bool:
        """Whether it came to that."""
        return name in self.sight.steps

    @property
    def facts(self) -> dict[str, Any]:
        """What was seen beside the exchanges."""
        return self.sight.facts

    def expect(self) -> None:
        """Raise what kept the look from being taken, or what it left behind."""
        if self.sight.residue:
            raise Residue(self.sight.residue)
        if self.sight.held_by:
            raise Held(self.sight.held_by)
        if self.sight.unseen:
            raise Unverified(self.sight.unseen)

    def attempts(self) -> tuple[Attempt, ...]:
        """The tries of each request that had to be sent again; none where each was answered at once."""
        numbers = sorted(number for each in self.sight.steps.values() for number in each)
        return tuple(each for number in numbers for each in self._tries(number))

    def _tries(self, number: int) -> list[Attempt]:
        kept = self.recording.exchanges[number]
        tries = self.recording.exchanges[number - kept.look + 1 : number + 1]
        return [_attempt(each) for each in tries] if len(tries) > 1 else []


def _attempt(kept: Exchange) -> Attempt:
    if kept.fault is None:
        return Attempt(kept.at, kept.duration_s, Verdict.PASSED, f"answered {kept.status}")
    return Attempt(kept.at, kept.duration_s, Verdict.FAILED, f"{kept.fault}: {kept.error}")
