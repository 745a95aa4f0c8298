"""The gate before a run folder is hashed: everything in it is masked again, and what still leaks is taken out."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from postdeploy.evidence.folder import RunFolder, below
from postdeploy.evidence.leaks import mask_json, mask_text, scan, scan_masked
from postdeploy.evidence.packed import BROKEN, GZIP, ZIP, TooLarge, gunzip, is_tar
from postdeploy.redact import MASK, Redactor

REDACTIONS = "redactions.json"
UNKNOWN = "more than can be looked through"


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


def sift(folder: RunFolder, redactor: Redactor, names: Iterable[str] | None = None) -> Redactions:
    """Mask every file (or these), members of archives too, and take out what still leaks: each is read once."""
    masked, before, withdrawn = list[Count](), list[Count](), list[Count]()
    wanted = _names(folder.path) if names is None else [*names]
    doubtful = bool(scan("\n".join(wanted).encode(), redactor))  # all the names at once, for none of them ever leaks
    for name in wanted:
        if doubtful and (leaks := scan(name.encode(), redactor)):
            withdrawn += _take_out(folder, name, leaks, redactor)
            continue
        data = (folder.path / name).read_bytes()
        if count := _marks(data):
            before.append(Count(name, "at the source", count))
        try:
            clean, found = _masked(name, data, redactor)
            leaks = scan(clean, redactor) if found else scan_masked(clean, redactor)
        except BROKEN:  # not an archive after all: its bytes are looked at
            clean, found, leaks = data, Counter(), scan(b"\xff" + data, redactor)
        except TooLarge:
            clean, found, leaks = data, Counter(), Counter({UNKNOWN: 1})
        if found:
            folder.write_bytes(name, clean)
            masked += _counts(name, found)
        withdrawn += _take_out(folder, name, leaks, redactor)
    return Redactions(tuple(masked), tuple(before), tuple(withdrawn))


def withdraw(folder: RunFolder, redactor: Redactor, names: Iterable[str] | None = None) -> list[Count]:
    """Take every file out (or these) that leaks, masking nothing: what was rendered cannot be masked."""
    found = list[Count]()
    for name in _names(folder.path) if names is None else names:
        data = (folder.path / name).read_bytes()
        try:
            leaks = scan(data, redactor)
        except BROKEN:
            leaks = scan(b"\xff" + data, redactor)
        except TooLarge:
            leaks = Counter({UNKNOWN: 1})
        found += _take_out(folder, name, leaks, redactor)
    return found


def _take_out(folder: RunFolder, name: str, leaks: Counter[str], redactor: Redactor) -> Iterator[Count]:
    """Losing a file is better than leaking a secret."""
    if leaks:
        (folder.path / name).unlink()
    return _counts(mask_text(name, redactor)[0], leaks)


def files(folder: RunFolder, *, but: Iterable[str] = ()) -> list[str]:
    """Every file of the folder but these, in one order."""
    left_out = {*but}
    return [each for each in _names(folder.path) if each not in left_out]


def _counts(name: str, found: Counter[str]) -> Iterator[Count]:
    return (Count(name, rule, count) for rule, count in sorted(found.items()))


def _marks(data: bytes) -> int:
    """How many masks a file holds already."""
    try:
        return (gunzip(data) if data.startswith(GZIP) else data).count(MASK.encode())
    except (*BROKEN, TooLarge):
        return 0


def said(withdrawn: Iterable[Count]) -> Iterator[str]:
    """A line for each file that was taken out."""
    by_file: dict[str, list[str]] = {}
    for each in withdrawn:
        by_file.setdefault(each.path, []).append(f"{each.rule} ({each.count})")
    for name, rules in by_file.items():
        yield f"leak scan: {name} still held {', '.join(rules)} and was taken out of the run folder"


def _names(root: Path) -> list[str]:
    """Files by their paths below the root, no links."""
    return sorted(name for name, each in below(root) if each.is_file(follow_symlinks=False))


def _masked(name: str, data: bytes, redactor: Redactor) -> tuple[bytes, Counter[str]]:
    if data.startswith(GZIP):
        inner, found = _masked(name.removesuffix(".gz"), gunzip(data), redactor)
        return (gzip.compress(inner, mtime=0) if found else data), found
    if data.startswith(ZIP):
        return _masked_zip(data, redactor)
    if is_tar(data):
        return data, Counter()  # no archive of ours; what leaks in it takes it out
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
