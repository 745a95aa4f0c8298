"""The list of a front end's files, as its build publishes it: its own, and those of the builds before."""

from __future__ import annotations

from typing import Any

import msgspec

from postdeploy.web.replies import Reply

MOST_FILES = 200


def builds(reply: Reply) -> dict[str, Any]:
    """The manifest: `build`, `files`, and `previous`, a list of the same; empty where it is none."""
    try:
        said = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def earlier_files(reply: Reply) -> tuple[str, ...]:
    """Paths of the files that pages opened before the release still load."""
    before = builds(reply).get("previous")
    found: dict[str, None] = {}
    for each in before if isinstance(before, list) else ():
        files = each.get("files") if isinstance(each, dict) else None
        found |= dict.fromkeys(str(path) for path in files or () if str(path).startswith("/"))
    return tuple(found)[:MOST_FILES]
