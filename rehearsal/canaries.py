"""Canaries: a mark in every secret that a rehearsal hands out or lets be seen, and the search for it in a run folder.

The search is written anew and not taken from what it tests: it reads archives to their members, base64 at any offset,
and hex, and knows nothing of how a secret is masked.
"""

from __future__ import annotations

import base64
import gzip
import io
import re
import secrets
import zipfile
from collections.abc import Iterator
from pathlib import Path

MARK = "canary-Zw4"
"""In no text that is harmless."""
BLOB = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
DEEPEST = 5


def secret(name: str = "", size: int = 12) -> str:
    """A secret nobody can guess, and everybody can recognise."""
    return "-".join(filter(None, (MARK, name, secrets.token_urlsafe(size))))


def found(folder: Path) -> list[str]:
    """Where in a run folder a canary sings: each file once, with the place in it."""
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if MARK in name:
            lines.append("a file's name")
        if path.is_file() and (place := next(_songs(path.read_bytes()), None)):
            lines.append(f"{name} ({place})")
    return lines


def _songs(data: bytes, depth: int = 0) -> Iterator[str]:
    """Each way in which the mark can be read in these bytes."""
    for form, needle in FORMS.items():
        if needle in data:
            yield form
    if depth < DEEPEST:
        for form, inner in _inside(data):
            yield from (f"{song} in {form}" for song in _songs(inner, depth + 1))


def _inside(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is packed into these bytes."""
    if data.startswith(b"\x1f\x8b"):
        yield "gzip", gzip.decompress(data)
    elif data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield "a zip's name", name.encode()
                yield f"zip member {name}", archive.read(name)
    else:
        for blob in {each[0] for each in BLOB.finditer(data) if len(each[0]) > 200}:
            plain = blob.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
            yield "base64", base64.b64decode(plain + b"=" * (-len(plain) % 4))


def _forms() -> Iterator[tuple[str, bytes]]:
    raw = MARK.encode()
    yield "plain", raw
    yield "hex", raw.hex().encode()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw)
        yield f"base64 after {offset}", whole[(0, 2, 3)[offset] : len(whole) // 4 * 4 - 4]


FORMS = dict(_forms())
