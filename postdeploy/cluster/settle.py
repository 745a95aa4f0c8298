"""Settle: look at the cluster until the release is live, until it is clear that it never will be, or time is up.

What is judged is always a whole look; watches only tell when the next one is worth its while.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Literal

import anyio
import msgspec

from postdeploy.cluster import excerpts, restarts
from postdeploy.cluster.changes import Changes, changes
from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.client import Call, Reader, Sleep
from postdeploy.cluster.flux_claims import FluxClaims
from postdeploy.cluster.objects import Settled, Snapshot
from postdeploy.cluster.progressive_claims import ProgressiveClaims
from postdeploy.cluster.snapshot import take
from postdeploy.deadline import Deadline
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State

Outcome = Literal["converged", "doomed", "budget", "already-live"]
SETTLED_STATES = frozenset({State.PASSED, State.DEGRADED, State.NOT_APPLICABLE})
FINAL_REFUSALS = ("403 ", "not served by this cluster")
REASONS = 5
"""How many reasons a settled record names; the claims themselves name all."""
QUIET = 4
"""Pauses without a change after which there is another look all the same: not everything is watched."""
SHOWN = 2
"""How many reasons a progress line names."""
LONGEST = 60
FIELDS = re.compile(r" \([\w.,\[\] ]+\)$")


class Progress(msgspec.Struct, frozen=True):
    """How far one look found the release to be live."""

    components: int
    open: Mapping[str, Judgement]
    """Per object of Flux and per component that is not live, the first thing that is missing."""
    doomed: Mapping[str, Judgement]
    """Components that cannot become live any more."""
    delivery: int = 0
    """How many of those that are open are no components but objects of Flux."""
    blind: bool = False
    """Nothing is left to wait for: what is not live was refused to us for good, and waiting will not show it."""

    def outcome(self, *, first: bool) -> Outcome | None:
        """How the settle ends here, if it does."""
        if not self.open:
            return "already-live" if first else "converged"
        if self.doomed:
            return "doomed"
        return "budget" if self.blind and not first else None

    @property
    def why(self) -> tuple[str, ...]:
        """The reasons against being live, the hopeless ones first."""
        reasons = [f"{name}: {_first_line(each)}" for name, each in (self.doomed or self.open).items()]
        more = len(reasons) - REASONS
        return (*reasons[:REASONS], *([f"and {more} more"] if more > 0 else []))

    def line(self, label: str, seconds: float) -> str:
        """'settling uk-prod v2026.47.1: 21 of 24 components live (crm-web: 4 of 6 updated), 3.2 s'."""
        missing = len(self.open) - self.delivery
        live = f"{self.components - missing} of {self.components} components live"
        shown = [f"{name}: {_brief(each)}" for name, each in (self.doomed or self.open).items()]
        shown[SHOWN:] = [f"{len(shown) - SHOWN} more"] if len(shown) > SHOWN else []
        reasons = f" ({'; '.join(shown)})" if shown else ""
        return f"settling {label}: {live}{reasons}, {seconds:.1f} s"


async def observe(
    reader: Reader,
    environment: Environment,
    release: str,
    *,
    deadline: Deadline,
    every_s: float,
    say: Callable[[str], None],
    digests: Mapping[str, frozenset[str]] | None = None,
    commit: str = "",
    clock: Callable[[], float] = time.monotonic,
    sleep: Sleep = anyio.sleep,
) -> Snapshot:
    """The snapshot in which the release settled, or the last one, with how it ended and the logs worth reading."""
    reader.deadline = deadline
    try:
        async with changes(reader, sleep) as stirred:
            seen, settled = await _settle(
                lambda: _look(reader, environment, release, commit),
                lambda snapshot: progress_of(snapshot, environment, release, digests),
                lambda progress, seconds: say(progress.line(f"{environment.name} {release}", seconds)),
                Pace(deadline, every_s, clock, sleep, stirred),
            )
        return await excerpts.enrich(reader, msgspec.structs.replace(seen, settled=settled), environment)
    finally:
        reader.deadline = None


async def _look(reader: Reader, environment: Environment, release: str, commit: str) -> Snapshot:
    return msgspec.structs.replace(await take(reader, environment, release), commit=commit)


class Pace(msgspec.Struct, frozen=True):
    """When to look again, and until when."""

    deadline: Deadline
    every_s: float
    clock: Callable[[], float]
    sleep: Sleep
    changes: Changes

    @property
    def is_over(self) -> bool:
        """Whether there is no time for another look after this one."""
        return self.deadline.left() <= self.every_s

    async def wait(self) -> None:
        """A pause, for a rollout changes many things at once; then until something changes, or has not for long."""
        await self.sleep(self.every_s)
        await self.changes.wait(min(QUIET * self.every_s, self.deadline.left() - self.every_s))


async def _settle(
    look: Call[Snapshot],
    judge: Callable[[Snapshot], Progress],
    tell: Callable[[Progress, float], None],
    pace: Pace,
) -> tuple[Snapshot, Settled]:
    """Look, judge and wait, in turns, until the judgement or the deadline ends it."""
    began, looks = pace.clock(), 0
    first: Snapshot | None = None
    while True:
        pace.changes.forget()
        seen = await look()
        first = first or seen
        looks += 1
        progress = judge(seen)
        seconds = round(pace.clock() - began, 3)
        tell(progress, seconds)
        outcome = progress.outcome(first=looks == 1) or ("budget" if pace.is_over else None)
        if outcome is not None:
            seen = msgspec.structs.replace(seen, baseline=restarts.changed(first.pods, seen.pods))
            return seen, Settled(outcome=outcome, seconds=seconds, looks=looks, why=progress.why)
        await pace.wait()


def progress_of(
    snapshot: Snapshot, environment: Environment, release: str, digests: Mapping[str, frozenset[str]] | None
) -> Progress:
    """Judge the delivery and every component of the environment over one snapshot."""
    refused = all(gap.reason.startswith(FINAL_REFUSALS) for gap in snapshot.gaps)
    delivered = _delivery(snapshot, environment, release, refused=refused)
    waiting: dict[str, Judgement] = {}
    doomed: dict[str, Judgement] = {}
    undecided = False
    for name, judged in (delivered | _components(snapshot, environment, release, digests)).items():
        missing = [each for each in judged if each.state not in SETTLED_STATES]
        hopeless = [each for each in missing if each.doomed]
        undecided = undecided or any(each.state is not State.UNVERIFIED for each in missing)
        if missing:
            waiting[name] = (hopeless or missing)[0]
        if hopeless:
            doomed[name] = hopeless[0]
    late = len(waiting.keys() & delivered.keys())
    blind = bool(waiting) and not undecided and refused
    return Progress(len(environment.components), waiting, doomed, late, blind)


def _components(
    snapshot: Snapshot, environment: Environment, release: str, digests: Mapping[str, frozenset[str]] | None
) -> dict[str, tuple[Judgement, ...]]:
    claims, steps = ClusterClaims(snapshot, environment, release, digests), ProgressiveClaims(snapshot)
    return {
        name: (*([steps.promoted(each)] if each.progressive else []), *claims.of_component(each))
        for name, each in environment.components.items()
    }


def _delivery(
    snapshot: Snapshot, environment: Environment, release: str, *, refused: bool
) -> dict[str, tuple[Judgement, ...]]:
    """What Flux has yet to apply; what we shall never see of it is judged in the end, and not waited for."""
    if snapshot.flux is None:
        return {}
    judged = FluxClaims(snapshot, environment, release).of_delivery()
    return {name: (each,) for name, each in judged.items() if each.state is not State.UNVERIFIED or not refused}


def _first_line(judgement: Judgement) -> str:
    return (judgement.seen or judgement.claim).splitlines()[0]


def _brief(judgement: Judgement) -> str:
    """What was seen, as short as a progress line needs it: without the fields it was read from."""
    text = FIELDS.sub("", _first_line(judgement))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
