"""Idempotency keys: derived, so that a pipeline's job run again repeats its requests instead of paying twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

LENGTH = 40


@dataclass(frozen=True)
class Origin:
    """What a run's money is spent for."""

    pipeline: str
    """The pipeline's id, the same for every retry of its jobs; of a run without one the run's own id."""
    environment: str
    release: str
    run_id: str
    options: str = ""
    """Of the command that settles by hand what it leaves, so that it finds the same journal."""

    @property
    def command(self) -> str:
        """What settles by hand whatever is open."""
        return f"postdeploy sweep --env {self.environment}{self.options}"

    @property
    def tag(self) -> str:
        """What marks our deposits in the product, whatever becomes of our own journal."""
        return tag_of(self.environment)


def tag_of(environment: str) -> str:
    """The product-side tag of an environment's verification."""
    return f"postdeploy:{environment}"


def operation_key(origin: Origin, check: str, step: str, epoch: int) -> str:
    """The key of one step of one check; `epoch` counts how often it was done and undone before."""
    parts = (origin.pipeline, origin.environment, origin.release, check, step, str(epoch))
    return _digest(parts)


def undo_key(key: str, payment: str, refusals: int) -> str:
    """The key of the request that takes a deposit back; a refusal is an answer, so the next request is another one."""
    return _digest((key, payment, "undo", str(refusals)))


def _digest(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:LENGTH]
