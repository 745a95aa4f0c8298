"""Our clock against others': each answer of a server carries its `Date`, to the second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from postdeploy.change.objects import Witness

HALF_A_SECOND = 0.5
"""`Date` has no fraction: on average half a second has gone."""


def ask(name: str, client: httpx.Client, path: str, now: Callable[[], datetime]) -> Witness:
    """What time a server says it is."""
    before = now()
    try:
        answer = client.head(path)
    except httpx.HTTPError as error:
        return Witness(name=name, problem=f"did not answer: {error or type(error).__name__}")
    return witness(name, dict(answer.headers), before, now())


def witness(name: str, headers: dict[str, str], before: datetime, after: datetime) -> Witness:
    """From an answer that came between two moments of ours; a cache's answer is as old as its `Age` says."""
    try:
        theirs = parsedate_to_datetime(headers["date"]) + timedelta(seconds=int(headers.get("age", "0")))
    except (KeyError, ValueError, TypeError):
        return Witness(name=name, problem="its answer has no Date that can be read")
    ours = before + (after - before) / 2
    skew = (ours - theirs).total_seconds() - HALF_A_SECOND
    return Witness(name=name, skew_s=round(skew, 3))
