"""What Playwright raises, in the harness's own terms: the product was silent, or we could not look."""

from __future__ import annotations

import re

from postdeploy.verdict import ProductDown, Unverified

OURS = (
    "has been closed",
    "Target crashed",
    "Page crashed",
    "Connection closed",
    "Browser closed",
    "browser has disconnected",
)
"""What Playwright says when the browser, and not the page, is gone."""
PREFIX = "playwright."
SOUGHT = re.compile(r"waiting for ((?:get_by|locator|frame)\S*\(.*?\)(?:\.\w+(?:\(.*?\))?)*)(?: to be \w+)?(?: - |$)")
"""In the log of a call, the element that it waited for."""


def is_playwrights(error: BaseException) -> bool:
    """Whether an exception is one of Playwright's own."""
    return type(error).__module__.startswith(PREFIX)


def translated(error: BaseException, claim: str = "", where: str = "") -> BaseException:
    """The same trouble as the verdict reads it: by what happened, and not by whose exception it is.

    `claim`: what the journey claims; `where`: the step it was at. Both go into the message.
    """
    if not (isinstance(error, AssertionError) or is_playwrights(error)):
        return error
    seen, log = _seen(str(error).strip())
    told = f"{claim}: failed: {seen}" if claim else seen
    told += f"\nwhere to look: {where}" if where else ""
    told += f"\nwhat the browser did: {log}" if log else ""
    if isinstance(error, AssertionError):
        return AssertionError(told)
    is_ours = any(each.lower() in seen.lower() for each in OURS)
    return Unverified(told.replace(": failed: ", ": unverified: ", 1)) if is_ours else ProductDown(told)


def _seen(said: str) -> tuple[str, str]:
    """What was said, on one line with what was looked for; and the log of the call."""
    head, _, log = said.partition("Call log:")
    own, _, _ = head.partition("\nassert ")
    text, log = " ".join(own.split()), " ".join(log.split())
    sought = SOUGHT.search(log)
    return (f"{text} (looked for {sought[1]})" if sought else text), log
