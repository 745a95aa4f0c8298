"""Which whole runs a matrix, its replays and a soak are made of."""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rehearsal.catalogue import FAULTS, TRAPS
from rehearsal.entry import Entry
from rehearsal.whole_runs import ROOT

SEEDS = "seeds"
SOAK_SEEDS = 100
SEEDS_BELOW = 10**6
BROWSER = "journeys"
WATCHING, VISITS = "journeys/test_watching.py", "journeys/test_language.py"
"""What judges what other journeys saw, and a journey that goes where these faults are."""
BROWSER_EVERY = 10
"""Of so many healthy seeds of the matrix one goes through the browser too; in a soak each does."""
BUNDLE = 6
"""Traps in one run."""
BROWSER_BUNDLE = 12
"""Traps of the browser's in one run, which takes longer than all other tiers."""
REPLAYED = 9
"""Faults in one run that is judged again: how they disturb one another does not matter to a replay."""


@dataclass(frozen=True)
class Case:
    """One whole run, and what it must come to."""

    environment: str
    seed: int
    entries: tuple[Entry, ...] = ()
    """One fault, or some traps, which share a run because none may show; none is a healthy rehearsal."""
    browser: bool = True
    """Whether a healthy rehearsal makes the browser journeys too, which take longer than all other tiers."""
    again: bool = False
    """Whether it is judged again by a clock a year ahead, and must come to the same, whatever that is."""
    tier: str = ""
    """The only tier of a healthy rehearsal that is run; empty: all."""

    @property
    def fault(self) -> Entry | None:
        """The fault, where there is one."""
        return next((each for each in self.entries if each.kind == "fault"), None)

    @property
    def name(self) -> str:
        """What is rehearsed, for a log."""
        kinds = {each.kind for each in self.entries}
        rehearsed = " ".join((*kinds, ", ".join(each.name for each in self.entries))) or "healthy"
        return f"replay of {rehearsed}" if self.again else rehearsed

    @property
    def softens(self) -> tuple[str, ...]:
        """The check ids that must come out degraded."""
        return tuple(check for each in self.entries for check in each.softens)

    @property
    def options(self) -> list[str]:
        """The options of the run, as one would type them to see it again."""
        faults = [part for each in self.entries for part in ("--fault", each.name)]
        soft = ["--fail-on-soft"] if self.fault and self.fault.verdict in ("degraded", "flaky") else []
        held = ["--hold", f"{max((each.hold_s for each in self.entries), default=0):g}"]
        return [
            "-m",
            self._marks,
            *self._modules,
            f"--env={self.environment}",
            "--rehearsal",
            "--seed",
            str(self.seed),
            *faults,
            *held,
            *soft,
        ]

    @property
    def _marks(self) -> str:
        """What is red is told by its own tier; that nothing else is, only a run of the others tells.

        Traps of other tiers leave the browser out, for nothing that they bend is seen through it; a replay has none.
        """
        if self.fault and not self.again:
            return self.fault.tier
        if self.tier:
            return self.tier
        return "verify" if self.visits else f"verify and not {BROWSER}"

    @property
    def visits(self) -> bool:
        """Whether a run of all tiers has the browser's among them."""
        journeys = any(each.tier == BROWSER for each in self.entries) if self.entries else self.browser
        return journeys and not self.again

    def chooses(self, check: str) -> bool:
        """Whether a rehearsal without a fault judges a check."""
        tier = check.partition(".")[0]
        return tier == self.tier if self.tier else self.visits or tier != BROWSER

    @property
    def _modules(self) -> list[str]:
        """A browser is slow: a fault of its tier is told by the module that claims it, and what that looks at."""
        if self.fault is None or self.again or self.fault.tier != BROWSER:
            return []
        listed = json.loads((ROOT / "postdeploy" / "catalogue.json").read_bytes())
        module = next(each["module"] for each in listed if each["id"] == self.fault.catches)
        return [VISITS, module] if module == WATCHING else [module]

    @property
    def alone(self) -> tuple[Case, ...]:
        """Each of several traps by itself."""
        return tuple(Case(self.environment, self.seed, (each,), again=self.again) for each in self.entries)


def cases(environments: Sequence[str], seeds: int, only: Sequence[str] = ()) -> list[Case]:
    """Every fault, all traps in bundles, and so many healthy seeds, the environments in turn."""
    turns, numbers = itertools.cycle(environments), itertools.count(1)
    wanted: list[tuple[Entry, ...]] = [(each,) for each in FAULTS.values() if not only or each.name in only]
    odd = [each for each in TRAPS.values() if not only or each.name in only]
    wanted += bundles([each for each in odd if each.tier != BROWSER])
    wanted += bundles([each for each in odd if each.tier == BROWSER], BROWSER_BUNDLE)
    healthy = range(1, seeds + 1) if not only or SEEDS in only else ()
    struck = [Case(entries[0].only_in or next(turns), next(numbers), entries) for entries in wanted]
    return struck + [Case(next(turns), seed, browser=seed % BROWSER_EVERY == 1) for seed in healthy]


def replays(environments: Sequence[str], only: Sequence[str] = ()) -> list[Case]:
    """Every fault in as few runs as it takes, each to be judged again."""
    turns, numbers = itertools.cycle(environments), itertools.count(1)
    judged = [each for each in FAULTS.values() if each.tier != BROWSER]  # a replay carries the journeys over
    wanted = bundles([each for each in judged if not only or each.name in only], REPLAYED)
    return [Case(entries[0].only_in or next(turns), next(numbers), entries, again=True) for entries in wanted]


def bundles(entries: Sequence[Entry], most: int = BUNDLE) -> list[tuple[Entry, ...]]:
    """Entries that share a run: of the same environment and the same hold, from topics as different as can be."""
    found: list[tuple[Entry, ...]] = []

    def kind(entry: Entry) -> tuple[str, float]:
        return entry.only_in, entry.hold_s

    for _, group in itertools.groupby(sorted(entries, key=kind), key=kind):
        members = list(group)
        runs = math.ceil(len(members) / most)
        found += [tuple(members[start::runs]) for start in range(runs)]
    return found


def soak(
    environments: Sequence[str],
    seeds: int | None = None,
    minutes: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    tier: str = "",
) -> Iterator[Case]:
    """Healthy rehearsals with seeds nobody chose, no two alike: so many of them, or until the time is up."""
    end = math.inf if minutes is None else clock() + minutes * 60
    most = seeds or (SOAK_SEEDS if minutes is None else SEEDS_BELOW)
    for environment, seed in zip(itertools.cycle(environments), random.sample(range(SEEDS_BELOW), most), strict=False):
        if clock() >= end:
            return
        yield Case(environment, seed, tier=tier)
