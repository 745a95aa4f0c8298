"""Traces and page sources before they may be archived: what carries the session is cut out, and what is left is read.

A trace holds every request with its cookies, so that the session's would keep each trace from being archived. These
headers are cut out by name. Whatever secret is found after that withholds the file: where it came from nobody knows.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from postdeploy.evidence.leaks import BROKEN, LARGEST, ZIP, members
from postdeploy.redact import MASK, Redactor

PAGE, NO_ADDRESS = "page@", "page-"
"""Pictures of the film strip are called `page@….jpeg`, which a scan for e-mail addresses would find."""
CREDENTIALS = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization"})


def without_credentials(trace: bytes) -> bytes:
    """A trace whose requests no longer have cookies and authorisations."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(trace)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            with old.open(each) as file:
                data = file.read(LARGEST)
            told = each.filename.endswith((".network", ".trace"))
            new.writestr(each.filename.replace(PAGE, NO_ADDRESS), _lines(data) if told else data)
    return buffer.getvalue()


def leaks(data: bytes, redactor: Redactor) -> str:
    """What secrets these bytes hold, in any usual encoding and in any member of an archive; empty when none."""
    try:
        parts = list(members(data)) if data.startswith(ZIP) else [data]
    except BROKEN:
        return "members that cannot be read"
    count = sum(redactor.strike(each.decode("utf-8", errors="surrogateescape"))[1] for each in parts)
    return f"{count} {'secret' if count == 1 else 'secrets'} of this run" if count else ""


def _lines(data: bytes) -> bytes:
    """JSON lines, each without its credentials; what is no JSON stays as it is and is read afterwards."""
    data = data.replace(PAGE.encode(), NO_ADDRESS.encode())
    return b"\n".join(_line(each) for each in data.split(b"\n"))


def _line(line: bytes) -> bytes:
    if not any(each.encode() in line.lower() for each in (*CREDENTIALS, "cookies")):
        return line
    try:
        value = json.loads(line)
    except ValueError:
        return line
    return json.dumps(_cut(value), ensure_ascii=False, separators=(",", ":")).encode()


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        if str(value.get("name", "")).lower() in CREDENTIALS and "value" in value:
            return {**value, "value": MASK}
        return {
            key: []
            if key == "cookies"
            else MASK
            if key.lower() in CREDENTIALS and isinstance(each, str)
            else _cut(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_cut(each) for each in value]
    return value
