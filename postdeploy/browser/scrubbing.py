"""Traces and page sources before they may be archived: what carries the session is cut out, and what is left is read.

A trace holds every request with its cookies, so that the session's would keep each trace from being archived. These
headers are cut out by name. Whatever secret is found after that withholds the file: where it came from nobody knows.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

from postdeploy.evidence.packed import BROKEN, LARGEST, ZIP, members
from postdeploy.redact import MASK, Redactor

PAGE, NO_ADDRESS = "page@", "page-"
"""Pictures of the film strip are called `page@….jpeg`, which a scan for e-mail addresses would find."""
HIDDEN = re.compile(rb"<input\b[^>]*\btype=[\"']?hidden\b[^>]*>", re.I)
VALUE = re.compile(rb"(\bvalue=)(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", re.I)
SHOWN = frozenset({"value", "VALUE", "__playwright_value_"})
"""Attributes by which a snapshot of a page says what a field holds."""
CREDENTIALS = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization"})


def without_credentials(trace: bytes) -> bytes:
    """A trace whose requests no longer have cookies and authorisations."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(trace)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            with old.open(each) as file:
                data = file.read(LARGEST)
            told = each.filename.endswith((".network", ".trace"))
            clean = _lines(data) if told else without_hidden_values(data) if _is_page(each.filename) else data
            new.writestr(each.filename.replace(PAGE, NO_ADDRESS), clean)
    return buffer.getvalue()


def without_hidden_values(page: bytes) -> bytes:
    """A page's source without the values of its hidden fields, which hold what nobody is meant to read."""
    return HIDDEN.sub(lambda field: VALUE.sub(rb"\1" + MASK.encode(), field[0]), page)


def _is_page(name: str) -> bool:
    return name.endswith((".html", ".dat"))


def leaks(data: bytes, redactor: Redactor) -> str:
    """What secrets these bytes hold, in any usual encoding and in any member of an archive; empty when none."""
    try:
        parts = list(members(data)) if data.startswith(ZIP) else [data]
    except BROKEN:
        return "members that cannot be read"
    count = sum(redactor.strike(each.decode("utf-8", errors="surrogateescape"))[1] for each in parts)
    return f"{count} {'secret' if count == 1 else 'secrets'} of this run" if count else ""


def _is_hidden(field: dict[str, Any]) -> bool:
    """Whether this is a hidden field of a page, as a snapshot of it has its attributes."""
    return str(field.get("type", field.get("TYPE", ""))).lower() == "hidden"


def _lines(data: bytes) -> bytes:
    """JSON lines, each without its credentials; what is no JSON stays as it is and is read afterwards."""
    data = data.replace(PAGE.encode(), NO_ADDRESS.encode())
    return b"\n".join(_line(each) for each in data.split(b"\n"))


def _line(line: bytes) -> bytes:
    if not any(each.encode() in line.lower() for each in (*CREDENTIALS, "cookies", "hidden")):
        return line
    try:
        value = json.loads(line)
    except ValueError:
        return line
    return json.dumps(_cut(value), ensure_ascii=False, separators=(",", ":")).encode()


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        if _is_hidden(value):
            return value | dict.fromkeys(value.keys() & SHOWN, MASK)
        if "value" in value and str(value.get("name", "")).lower() in CREDENTIALS:
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
    if isinstance(value, str) and "<input" in value.lower():
        return without_hidden_values(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    return value
