"""The run folder: one new folder per run, every file in it whole or absent."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec


class ArchiveUnwritable(Exception):
    """No run folder can be made where the archive should be, so the run could not be proven."""


def new_run_id(now: datetime, release: str, token: str | None = None) -> str:
    """`YYYYMMDDTHHMMSSZ-RELEASE-xxxxxx`: sorts by time, safe as a file name, never twice the same."""
    tag = re.sub(r"[^A-Za-z0-9._+-]+", "-", release).strip(".-")[:60] or "no-release"
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{tag}-{token or secrets.token_hex(3)}"


def below(place: Path | str, prefix: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below a folder, by its path there; no object and no question for each of thousands of files."""
    with os.scandir(place) as found:
        for each in found:
            yield prefix + each.name, each
            if each.is_dir(follow_symlinks=False):
                yield from below(each.path, f"{prefix}{each.name}/")


class RunFolder:
    """`ARCHIVE/ENV/RUN_ID`: written once, file by file, and never reused."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"<run folder {self.path}>"

    @property
    def run_id(self) -> str:
        """The run's name, which is the folder's."""
        return self.path.name

    @classmethod
    def create(cls, archive: Path, environment: str, run_id: str) -> RunFolder:
        """A folder that did not exist before; ArchiveUnwritable says why there is none."""
        path = archive.absolute() / environment / run_id
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
            folder = cls(path)
            folder._sync(path.parent)
        except FileExistsError as error:
            raise ArchiveUnwritable(_already_there(path, error)) from error
        except OSError as error:
            raise ArchiveUnwritable(_unwritable(archive, error)) from error
        return folder

    def write_json(self, name: str, value: Any) -> Path:
        """Write a value as readable JSON, fields in the order of their declaration."""
        encoded = msgspec.json.encode(value, enc_hook=_plain)
        return self.write_bytes(name, msgspec.json.format(encoded, indent=2) + b"\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write UTF-8 text."""
        return self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Write a file so that a reader, or a power cut, sees the old content or the new, never a part."""
        target = self._inside(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(target)
        finally:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()
        self._sync(target.parent)
        return target

    def _inside(self, name: str) -> Path:
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts:
            raise ValueError(f"{name!r} is not the name of a file inside a run folder")
        return self.path / parts

    @staticmethod
    def _sync(folder: Path) -> None:
        """A renamed file survives a power cut only when its folder was written too."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise NotImplementedError(f"{type(value).__name__} cannot be written as JSON")
    return dump(mode="json")


def _unwritable(archive: Path, error: OSError) -> str:
    return (
        f"The archive {archive.absolute()} cannot be written: {error.strerror or error} ({error.filename}). "
        "A verification that leaves no record proves nothing, so nothing was looked at. "
        "Give a writable folder with --archive, or mend the permissions or the free space of this one."
    )


def _already_there(path: Path, error: OSError) -> str:
    return (
        f"The run folder {path} cannot be made: {error.filename} is already there. "
        "A run never writes into the folder of another run. Run again, or give another folder with --archive."
    )
