"""The gate before a run folder is hashed: everything in it is masked again, and what still leaks is taken out."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.leaks import BROKEN, GZIP, MASK, ZIP, gunzip, mask_json, mask_text, scan
from postdeploy.redact import Redactor

REDACTIONS = "redactions.json"


class Count(msgspec.Struct, frozen=True, order=True):
    """How much a rule masked, or still found, in one file; never what."""

    path: str
    rule: str
    count: int


class Redactions(msgspec.Struct, frozen=True):
    """redactions.json."""

    masked: tuple[Count, ...]
    """Masked in the closed folder: the source that wrote it should have done so."""
    at_the_source: tuple[Count, ...]
    """Masks that were there already, written by what made the file."""
    withdrawn: tuple[Count, ...]
    """Files that still held something and were taken out of the folder, with the rule that found it."""


def mask_folder(folder: RunFolder, redactor: Redactor, names: Iterable[str] | None = None) -> list[Count]:
    """Mask what the rules name in every file (or these), members of archives too; the counts by file and rule."""
    counts = []
    for name, path in _files(folder.path):
        if names is not None and name not in names:
            continue
        data = path.read_bytes()
        try:
            masked, found = _masked(name, data, redactor)
        except BROKEN:  # not an archive after all; the scan looks at its bytes
            continue
        if found:
            folder.write_bytes(name, masked)
            counts += [Count(name, rule, count) for rule, count in sorted(found.items())]
    return counts


def withdraw_leaks(folder: RunFolder, redactor: Redactor) -> list[Count]:
    """Take out every file that still leaks, and say by which rule: losing a file is better than leaking a secret."""
    withdrawn = []
    for name, path in _files(folder.path):
        data = path.read_bytes()
        try:
            found = scan(data, redactor)
        except BROKEN:
            found = scan(b"\xff" + data, redactor)
        if found:
            path.unlink()
            withdrawn += [Count(name, rule, count) for rule, count in sorted(found.items())]
    return withdrawn


def masks(folder: RunFolder) -> list[Count]:
    """How many masks each file holds."""
    counts = []
    for name, path in _files(folder.path):
        data = path.read_bytes()
        try:
            text = gunzip(data) if data.startswith(GZIP) else data
        except BROKEN:
            continue
        if count := text.count(MASK.encode()):
            counts.append(Count(name, "at the source", count))
    return counts


def said(withdrawn: Iterable[Count]) -> Iterator[str]:
    """A line for each file that was taken out."""
    by_file: dict[str, list[str]] = {}
    for each in withdrawn:
        by_file.setdefault(each.path, []).append(f"{each.rule} ({each.count})")
    for name, rules in by_file.items():
        yield f"leak scan: {name} still held {', '.join(rules)} and was taken out of the run folder"


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(root).as_posix(), path


def _masked(name: str, data: bytes, redactor: Redactor) -> tuple[bytes, Counter[str]]:
    if data.startswith(GZIP):
        inner, found = _masked(name.removesuffix(".gz"), gunzip(data), redactor)
        return (gzip.compress(inner, mtime=0) if found else data), found
    if data.startswith(ZIP):
        return _masked_zip(data, redactor)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data, Counter()
    masked, found = mask_json(text, redactor) if name.endswith(".json") else mask_text(text, redactor)
    return masked.encode(), found


def _masked_zip(data: bytes, redactor: Redactor) -> tuple[bytes, Counter[str]]:
    """A zip with every member masked; the same bytes where nothing was found."""
    found: Counter[str] = Counter()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            masked, seen = _masked(each.filename, old.read(each), redactor)
            found.update(seen)
            new.writestr(each, masked)
    return (buffer.getvalue() if found else data), found
