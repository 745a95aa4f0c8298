"""Which browser there is: a remote one that was named, Playwright's own, or the machine's Chromium or Chrome."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from postdeploy.verdict import Unverified

REMOTE = "BROWSER_WS_URL"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ON_MACOS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
NONE_FOUND = (
    "there is no browser here, so no journey was made. Install one: `python -m playwright install chromium` "
    "(Playwright's own), or `apt-get install chromium` (Debian); or name a remote one with --browser-ws=URL or "
    f"${REMOTE}."
)


@dataclass(frozen=True)
class Found:
    """A browser that can be used."""

    kind: str
    """`own` (Playwright's), `system` or `remote`."""
    place: str
    """Path of the program, or URL of the server."""

    def __str__(self) -> str:
        return f"{'remote browser' if self.kind == 'remote' else 'browser'} {self.place}"


def find(
    own: Path | None,
    asked: str | None = None,
    variables: Mapping[str, str] = os.environ,
    which: Callable[[str], str | None] = shutil.which,
) -> Found:
    """The browser to use; `own` is where Playwright would keep its own. Raises Unverified, which says how to get one.

    A remote one is only used when it was named, and then before any other: whoever names one means it.
    """
    remote = asked or variables.get(REMOTE)
    if remote:
        return Found("remote", remote)
    if own is not None and own.is_file():
        return Found("own", str(own))
    for name in PROGRAMS:
        if path := which(name):
            return Found("system", path)
    for each in ON_MACOS if sys.platform == "darwin" else ():
        if each.is_file():
            return Found("system", str(each))
    raise Unverified(NONE_FOUND)
