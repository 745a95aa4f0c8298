"""manifest.json and SHA256SUMS: size and hash of everything in a closed run folder, which a signature can bind."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from postdeploy.evidence.folder import RunFolder

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
RECEIPT = "receipt.json"
OUTSIDE = frozenset({MANIFEST, SUMS, RECEIPT})
"""Made after the manifest, or from it; so is everything in attestations/."""
ATTESTATIONS = "attestations"


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


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    paths = sorted((each.relative_to(root).as_posix(), each) for each in root.rglob("*"))
    for name, path in paths:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise NotEvidence(f"{name} is a symbolic link: what it points to is not in the run folder")
        if stat.S_ISDIR(mode) or name in OUTSIDE or name.startswith(f"{ATTESTATIONS}/"):
            continue
        if not stat.S_ISREG(mode):
            raise NotEvidence(f"{name} is not a regular file")
        if not name.isprintable() or "\\" in name:
            raise NotEvidence(f"{name!r} has a name that sha256sum would write differently")
        yield name, path


def _entry(path: Path, name: str) -> Entry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Entry(name, path.stat().st_size, digest)
