"""manifest.json and SHA256SUMS: size and hash of everything in a closed run folder, which a signature can bind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from postdeploy.evidence.folder import RunFolder, below

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
RECEIPT = "receipt.json"
OUTSIDE = frozenset({MANIFEST, SUMS, RECEIPT})
"""Made after the manifest, or from it; so is everything in attestations/."""
ATTESTATIONS = "attestations"
PIECE = 1 << 20
"""Bytes of a file that are read at once."""


class NotEvidence(Exception):
    """Something in the run folder cannot be hashed in a way that a reader elsewhere could repeat."""


class Entry(msgspec.Struct, frozen=True):
    """One file of the run folder."""

    path: str
    size: int
    sha256: str


def write_manifest(folder: RunFolder) -> tuple[Entry, ...]:
    """Hash every file of the folder; nothing but attestations and the receipt may be written afterwards."""
    entries = tuple(_entry(path, name) for name, path in _files(folder.path))
    folder.write_json(MANIFEST, entries)
    folder.write_text(SUMS, sums(entries))
    return entries


def read_manifest(path: Path) -> tuple[Entry, ...]:
    """The entries of a manifest, which has to be byte for byte what we would write. Raises NotEvidence, OSError."""
    data = path.read_bytes()
    try:
        entries = msgspec.json.decode(data, type=tuple[Entry, ...])
    except msgspec.MsgspecError as error:
        raise NotEvidence(f"it is no manifest: {error}") from error
    if msgspec.json.format(msgspec.json.encode(entries), indent=2) + b"\n" != data:
        raise NotEvidence("it is not in the form in which it was written")
    return entries


def sums(entries: Iterable[Entry]) -> str:
    """The same for `sha256sum -c`."""
    return "".join(f"{each.sha256}  {each.path}\n" for each in entries)


def _files(root: Path) -> Iterator[tuple[str, str]]:
    for name, found in sorted(below(root)):
        if found.is_symlink():
            raise NotEvidence(f"{name} is a symbolic link: what it points to is not in the run folder")
        if found.is_dir() or name in OUTSIDE or name.startswith(f"{ATTESTATIONS}/"):
            continue
        if not found.is_file():
            raise NotEvidence(f"{name} is not a regular file")
        if not name.isprintable() or "\\" in name:
            raise NotEvidence(f"{name!r} has a name that sha256sum would write differently")
        yield name, found.path


def _entry(path: str, name: str) -> Entry:
    with open(path, "rb") as file:  # noqa: PTH123  a thousand times a run
        data = file.read(PIECE)
        whole = hashlib.sha256(data)
        while data:
            data = file.read(PIECE)
            whole.update(data)
        return Entry(name, file.tell(), whole.hexdigest())
