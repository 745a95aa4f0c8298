"""What a fault or a trap is, and the register that the topic modules enter theirs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rehearsal.scene import Scene

Act = Callable[[Scene], None]
Wrong = Literal["failed", "unverified", "degraded", "flaky", "residue"]
"""What a fault may come to; degraded and flaky are findings that turn a run red only with `--fail-on-soft`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault (must turn the run red) or one trap (odd but healthy, must stay green)."""

    name: str
    """Kebab-case; what `--fault` takes."""
    kind: Literal["fault", "trap"]
    catches: str
    """Of a fault the check id that must report it; of a trap the check id that a careless judge would turn red."""
    verdict: Wrong | Literal["passed"]
    """The verdict that check comes to."""
    description: str
    """One sentence: what is the matter in the cluster or the brokerage."""
    act: Act
    only_in: str = ""
    """The environment that declares what it is about; empty: every one does."""
    hold_s: float = 0.0
    """How long a run must hold the release for this to show; 0: it shows at the first look."""
    softens: tuple[str, ...] = ()
    """Of a trap the check ids that report it as degraded, and must: a finding beside a healthy release."""

    ends: int = 0
    """The run's exit code where it is another than the verdict's: a failure that leaves residue ends with 12."""

    @property
    def tier(self) -> str:
        """The tier of the check: the first part of its id."""
        return self.catches.split(".")[0]

    @property
    def row(self) -> dict[str, str]:
        """What `--json` lists."""
        return {"name": self.name, "tier": self.tier, "catches": self.catches, "verdict": self.verdict}


REGISTER: dict[str, Entry] = {}


def fault(
    catches: str, verdict: Wrong = "failed", only_in: str = "", hold_s: float = 0.0, ends: int = 0
) -> Callable[[Act], Act]:
    """Enter a function as a fault: its name is the fault's, its docstring says what is the matter."""
    return lambda act: _enter("fault", catches, verdict, act, only_in, hold_s, ends=ends)


def trap(guards: str, only_in: str = "", hold_s: float = 0.0, softens: tuple[str, ...] = ()) -> Callable[[Act], Act]:
    """Enter a function as a trap: its docstring says what is odd, and healthy."""
    return lambda act: _enter("trap", guards, "passed", act, only_in, hold_s, softens)


def _enter(
    kind: Literal["fault", "trap"],
    check: str,
    verdict: Wrong | Literal["passed"],
    act: Act,
    only_in: str,
    hold_s: float,
    softens: tuple[str, ...] = (),
    ends: int = 0,
) -> Act:
    name = act.__name__.replace("_", "-")
    description = (act.__doc__ or "").strip().splitlines()[0]
    if name in REGISTER:
        raise ValueError(f"two faults or traps are called {name!r}")
    REGISTER[name] = Entry(name, kind, check, verdict, description, act, only_in, hold_s, softens, ends)
    return act
