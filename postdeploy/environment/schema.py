"""The JSON schema of an environment file as it is written: overlays are complete, names come from keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from postdeploy.environment import Environment

INJECTED = dict.fromkeys(("Environment", "Component", "Brand", "Site", "Endpoint"), ("name",)) | {
    "Deposit": ("method",)
}
"""Fields that a file must not spell: they are its name, or the key a part is written under."""


def schema() -> dict[str, Any]:
    """The schema editors check against, generated from the models."""
    whole = Environment.model_json_schema()
    for name, part in [("Environment", whole), *whole["$defs"].items()]:
        in_list = name in ("Tolerance", "Suppression")
        if not in_list:
            part.pop("required", None)
        for key in INJECTED.get(name, ()):
            del part["properties"][key]
        part["properties"] = {key: _plain(each, removable=not in_list) for key, each in part["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "title": "Environment file",
        "description": "base.yaml, or an overlay merged over it: maps merge, lists replace, null removes an entry.",
    }


def text() -> str:
    """The committed file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def write_schema(folder: Path) -> Path:
    """Write schema.json into the folder and return its path."""
    path = folder / "schema.json"
    path.write_text(text(), encoding="utf-8")
    return path


def _plain(part: dict[str, Any], *, removable: bool) -> dict[str, Any]:
    """A property without what only matters to Python; null is allowed where an overlay may remove."""
    part = {key: value for key, value in part.items() if key not in ("title", "default")}
    if not removable or {"type": "null"} in part.get("anyOf", ()):
        return part
    if "patternProperties" in part:
        entries = part["patternProperties"].items()
        part["patternProperties"] = {key: {"anyOf": [each, {"type": "null"}]} for key, each in entries}
        part["additionalProperties"] = False
    description = {"description": part.pop("description")} if "description" in part else {}
    return {"anyOf": [part, {"type": "null"}], **description}
