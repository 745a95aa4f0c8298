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
HERE = "\nwhere to look: "
CHANGED = (
    "this release changed the page, and what is declared of it (environments/, its labels) was not changed with it"
)
SILENT = "the page, or a request that it waits for, is slow or failed; see journeys.watch.* of the same run"
GONE = "the machine that runs this has too little memory for a browser, or somebody ended it"
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
    text = str(error).strip()
    if isinstance(error, AssertionError) and HERE in text:  # a judgement's, which has all its parts
        own, _, _ = text.partition("\nassert ")
        return AssertionError(own.replace(HERE, f"{HERE}{where}\n  ", 1) if where else own)
    seen, log = _seen(text)
    kind: type[Exception] = ProductDown
    cause = SILENT
    if isinstance(error, AssertionError):
        kind, cause = AssertionError, CHANGED
    elif any(each.lower() in seen.lower() for each in OURS):
        kind, cause = Unverified, GONE
    told = f"{claim.rstrip('.')}: {'unverified' if kind is Unverified else 'failed'}: {seen}" if claim else seen
    told += f"{HERE}{where}" if where else ""
    told += f"\n  what the browser did: {log}" if log else ""
    return kind(f"{told}\nusual cause: {cause}")


def _seen(said: str) -> tuple[str, str]:
    """What was said, on one line with what was looked for; and the log of the call."""
    head, _, log = said.partition("Call log:")
    own, _, _ = head.partition("\nassert ")
    text, log = " ".join(own.split()), " ".join(log.split())
    sought = SOUGHT.search(log)
    return (f"{text} (looked for {sought[1]})" if sought else text), log
