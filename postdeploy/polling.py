"""Retries a failed look, never a verdict: what the product answers, good or bad, comes back at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableSequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.stop import stop_base
from tenacity.wait import wait_random_exponential

from postdeploy.deadline import Deadline

T = TypeVar("T")
Causes = type[Exception] | tuple[type[Exception], ...]

TRIES = 3
LONGEST_PAUSE_S = 4.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look: when, how long it took, and why it has to be repeated."""

    at: datetime
    duration_s: float
    outcome: Literal["answered", "failed"]
    reason: str = ""


class _DeadlineOver(stop_base):
    """Stops when the pause before the next look would outlast the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __call__(self, state: RetryCallState) -> bool:
        return self._deadline.left() <= state.upcoming_sleep


def read(
    send: Callable[[], T],
    *,
    attempts: MutableSequence[Look],
    deadline: Deadline,
    retry_on: Causes,
    tries: int = TRIES,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `send` returns, looking again after the named causes only; every look is added to `attempts`."""
    return Retrying(sleep=sleep, **_rules(attempts, deadline, retry_on, tries))(send)


async def read_async(
    send: Callable[[], Awaitable[T]],
    *,
    attempts: MutableSequence[Look],
    deadline: Deadline,
    retry_on: Causes,
    tries: int = TRIES,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """The same for a coroutine function."""
    return await AsyncRetrying(sleep=sleep, **_rules(attempts, deadline, retry_on, tries))(send)


def _rules(attempts: MutableSequence[Look], deadline: Deadline, retry_on: Causes, tries: int) -> dict[str, Any]:
    started: list[tuple[datetime, float]] = []

    def begin(_: RetryCallState) -> None:
        started.append((datetime.now(UTC), deadline.spent()))

    def end(state: RetryCallState) -> None:
        at, since = started[-1]
        error = state.outcome.exception() if state.outcome else None
        reason = f"{type(error).__name__}: {error}" if error else ""
        attempts.append(Look(at, deadline.spent() - since, "failed" if error else "answered", reason))

    return {
        "retry": _noting(end, retry_on),
        "stop": stop_after_attempt(tries) | _DeadlineOver(deadline),
        "wait": wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE_S),
        "before": begin,
        "reraise": True,
    }


def _noting(end: Callable[[RetryCallState], None], retry_on: Causes) -> Callable[[RetryCallState], bool]:
    """Tenacity asks this after every look, the last one and the good one included."""
    again = retry_if_exception_type(retry_on)

    def ask(state: RetryCallState) -> bool:
        end(state)
        return again(state)

    return ask


def poll(
    look: Callable[[], T],
    *,
    until: Callable[[T], bool],
    deadline: Deadline,
    every_s: float,
    hopeless: Callable[[T], bool] = lambda seen: False,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Look again until the state is as wanted, or cannot become so any more, or time is up; what was seen last."""
    while True:
        seen = look()
        if until(seen) or hopeless(seen) or deadline.left() <= every_s:
            return seen
        sleep(every_s)
