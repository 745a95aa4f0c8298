"""The saved observations of a run folder: which file holds what, and how it is read back."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from postdeploy.verdict import Unverified

FILES = {
    "cluster": "observation/cluster.json.gz",
    "logs": "observation/logs.json.gz",
    "web": "observation/web.json.gz",
    "exchanges": "observation/exchanges.json.gz",
    "change": "observation/change.json.gz",
}
_ROOMS = {
    "cluster": "postdeploy.cluster.snapshot",
    "logs": "postdeploy.cluster.logs.seen",
    "web": "postdeploy.web.replies",
    "exchanges": "postdeploy.broker.recording",
    "change": "postdeploy.change.objects",
}


def save(what: str, seen: Any) -> bytes:
    """An observation as it goes into the run folder; the same one always gives the same bytes."""
    return bytes(_room(what).save(seen))


def load(what: str, folder: Path) -> Any:
    """An observation as it was saved. Raises Unverified when the run did not make it, or it cannot be read."""
    path = folder / FILES[what]
    try:
        return _room(what).load(path.read_bytes())
    except FileNotFoundError as error:
        raise Unverified(f"the replayed run holds no observation of the {what} ({FILES[what]})") from error
    except (OSError, ValueError, EOFError) as error:
        raise Unverified(f"{path} cannot be read: {error}") from error


def _room(what: str) -> ModuleType:
    """Imported when first used: a run that needs no cluster does not pay for its client."""
    return importlib.import_module(_ROOMS[what])
