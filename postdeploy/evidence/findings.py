"""What can be wrong with archived evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """The state of a run folder, which is also the exit code of `postdeploy verify-evidence`."""

    WHOLE = 0
    INCOMPLETE = 2
    """Something was never made, or cannot be proved."""
    TAMPERED = 3
    """Something is not what it was when the folder was closed."""


@dataclass(frozen=True)
class Finding:
    """One file, and what is wrong with it."""

    path: str
    state: State
    what: str

    def __str__(self) -> str:
        return f"{self.state.name} {self.path}: {self.what}"
