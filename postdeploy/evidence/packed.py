"""What is packed into the bytes of a file: the members of an archive, and the base64 inside a text."""

from __future__ import annotations

import binascii
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
LARGEST = 256 * 1024 * 1024
"""Bytes that one archive member may unpack to: more is not evidence of ours."""
BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
"""What reading an archive raises that is none, or a damaged one."""
SHORTEST_WORD, LONG_WORD = 24, 2000
"""Letters of base64 from which on it is decoded; and from which on it is no longer read as text too."""
LONG = re.compile(rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{{LONG_WORD},}}={{0,2}}")
"""Base64 that is read once it is decoded, and not as text: a token or a key shows by what is before it."""
PROGRAM = re.compile(
    r"data:(?:text/(?:javascript|css)|application/(?:x-)?javascript|font/[\w-]+)[;\w=-]{0,60};base64,([A-Za-z0-9+/_-]+)"
)
"""Base64 that is a page's own program: its drawings are full of digits, and no data of a run is in it."""
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_ONLY_LETTERS = bytes(each if each in _LETTERS else ord(" ") for each in range(256))
_STANDARD = bytes.maketrans(b"-_", b"+/")


class TooLarge(Exception):
    """More is packed into it than can be looked through, so nobody can say that nothing is in it."""


def members(data: bytes) -> Iterator[bytes]:
    """What is inside an archive; nothing where it is none. A damaged one raises one of BROKEN."""
    if data.startswith(GZIP):
        yield gunzip(data)
    elif data.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for each in archive.infolist():
                with archive.open(each) as file:
                    yield each.filename.encode()
                    yield _all_of(file)
    elif is_tar(data):
        with tarfile.open(fileobj=io.BytesIO(data)) as tape:
            for member in tape:
                yield member.name.encode()
                if file_of := tape.extractfile(member):
                    yield _all_of(file_of)


def is_archive(data: bytes) -> bool:
    """Whether `members` has something to open."""
    return data.startswith((GZIP, ZIP)) or is_tar(data)


def is_tar(data: bytes) -> bool:
    """Whether these bytes are a tar file, which may well be UTF-8 and is no text."""
    return data[257:262] == b"ustar"


def gunzip(data: bytes) -> bytes:
    """The content of a gzip file. Raises OSError, EOFError, zlib.error, TooLarge."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return _all_of(file)


def _all_of(file: IO[bytes] | gzip.GzipFile) -> bytes:
    """The rest of a file. Raises TooLarge."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise TooLarge
    return data


def words(data: bytes) -> list[bytes]:
    """Each run of base64 in a text once, in their order: a report holds most of its data twice."""
    long = [each for each in data.translate(_ONLY_LETTERS).split() if len(each) >= SHORTEST_WORD]
    return list(dict.fromkeys(long))


def are_long(found: Iterable[bytes]) -> bool:
    """Whether one of these words is read decoded only, and not as text."""
    return any(len(each) >= LONG_WORD for each in found)


def programs(text: str) -> frozenset[bytes]:
    """The words that are a page's own program."""
    return frozenset(match[1].encode() for match in PROGRAM.finditer(text)) if ";base64," in text else frozenset()


def decoded(word: bytes) -> bytes | None:
    """What a run of base64 holds, if it is text or an archive; a hash or a picture is neither."""
    try:
        data = binascii.a2b_base64(word.translate(_STANDARD) + b"=" * (-len(word) % 4), strict_mode=True)
    except binascii.Error:
        return None
    if is_archive(data):
        return data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return data
