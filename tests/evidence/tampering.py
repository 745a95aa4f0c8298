"""The ways in which somebody may alter a run folder: each returns the names where it has to be noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

Alteration = Callable[[Path, str], set[str]]


SEALS = ("manifest.json", "SHA256SUMS", "attestations/", "receipt.json")
"""Made from the others, or over them; the receipt is held against the ledger."""


def files(folder: Path) -> list[str]:
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())


def snapshot(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files(folder)}


def flip(folder: Path, name: str) -> set[str]:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return {name}


def delete(folder: Path, name: str) -> set[str]:
    (folder / name).unlink()
    return {name}


def add(folder: Path, name: str) -> set[str]:
    (folder / f"{name}.bak").write_bytes((folder / name).read_bytes())
    return {f"{name}.bak"}


def truncate(folder: Path, name: str) -> set[str]:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    return {name}


def swap(folder: Path, name: str) -> set[str]:
    names = [each for each in files(folder) if each.startswith(SEALS) == name.startswith(SEALS)]
    before = names[names.index(name) - 1 :: -1] + names[::-1]
    other = next(each for each in before if not alike(folder, name, each))
    one, two = folder / name, folder / other
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return {name, other}


def alike(folder: Path, one: str, two: str) -> bool:
    """Whether nobody could tell the two from one another: some records are the same to the byte."""
    return (folder / one).read_bytes() == (folder / two).read_bytes()


def rename(folder: Path, name: str) -> set[str]:
    (folder / name).rename(folder / f"{name}.moved")
    return {name}


ALTERATIONS = (flip, delete, add, truncate, swap, rename)


def at_once(folder: Path, names: list[str], alteration: Alteration) -> set[str]:
    """All these files altered; swapped in pairs, or the last would be back where it was."""
    pairs = zip(names[::2], names[1::2], strict=False)
    chosen = [two for one, two in pairs if not alike(folder, one, two)] if alteration is swap else names
    return set().union(*(alteration(folder, name) for name in chosen))
