"""RFC 3161: an authority's word for when the envelopes existed, which outlives the key that signed them."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.evidence.attestation import FILES
from postdeploy.evidence.folder import RunFolder

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

    from postdeploy.evidence.trust import Authority

SUFFIX = ".tsr"
STAMPS = tuple(f"{name}{SUFFIX}" for name in FILES)
"""A timestamp of each envelope, beside it."""
TIMEOUT_S = 10.0
LARGEST = 1024 * 1024
LATER = "postdeploy timestamp RUN_FOLDER --url=URL asks again"
Post = Callable[[str, bytes], bytes]


class NoTimestamp(Exception):
    """The authority gave none, or one that is not about what was asked; the evidence is as good as before."""


class NotATimestamp(Exception):
    """The file is no timestamp of the envelope beside it by an authority that is trusted."""


@dataclass(frozen=True)
class Stamp:
    """When an authority saw an envelope."""

    at: datetime
    by: str
    """The authority's name in the trust file."""


def post(url: str, request: bytes) -> bytes:
    """An authority's answer. Raises NoTimestamp."""
    if not url.startswith(("https://", "http://")):
        raise NoTimestamp(f"{url} is no http address")
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    asked = urllib.request.Request(url, request, headers)  # noqa: S310  looked at above
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return bytes(answer.read(LARGEST))
    except (OSError, ValueError) as error:
        raise NoTimestamp(f"{url}: {error or type(error).__name__}") from error


def stamp(folder: RunFolder, url: str, post: Post = post) -> None:
    """Ask for a timestamp of each envelope and keep both, or none. Raises NoTimestamp, OSError."""
    made = {}
    for name in FILES:
        data = (folder.path / name).read_bytes()
        made[f"{name}{SUFFIX}"] = _asked(url, data, post)
    for name, answer in made.items():
        folder.write_bytes(name, answer)


def _asked(url: str, data: bytes, post: Post) -> bytes:
    from rfc3161_client import HashAlgorithm, PKIStatus, TimestampRequestBuilder, decode_timestamp_response

    asked = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    request = asked.nonce(nonce=True).cert_request(cert_request=True).build()
    answer = post(url, request.as_bytes())
    try:
        response = decode_timestamp_response(answer)
        if response.status != PKIStatus.GRANTED:
            raise NoTimestamp(f"{url} refused: {' '.join(response.status_string) or PKIStatus(response.status).name}")
        about, nonce = response.tst_info.message_imprint.message, response.tst_info.nonce
    except ValueError as error:
        raise NoTimestamp(f"{url} answered with no timestamp ({error})") from error
    if about != hashlib.sha256(data).digest() or nonce != request.nonce:
        raise NoTimestamp(f"{url} answered with the timestamp of something else")
    return answer


def read_stamp(path: Path, envelope: bytes, authorities: Iterable[Authority]) -> Stamp:
    """When the envelope existed, by an authority that is trusted. Raises NotATimestamp, OSError."""
    response = _decoded(path.read_bytes(), envelope)
    for each in authorities:
        if _is_of(each, response, envelope):
            return Stamp(response.tst_info.gen_time, each.name)
    raise NotATimestamp("is a timestamp by no authority of the trust file, or was altered")


def expect_about(path: Path, envelope: bytes) -> None:
    """Nothing, if a timestamp is about this envelope, whoever gave it. Raises NotATimestamp, OSError."""
    _decoded(path.read_bytes(), envelope)


def _decoded(data: bytes, envelope: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response

    try:
        response = decode_timestamp_response(data)
        about = response.tst_info.message_imprint.message
    except ValueError as error:
        raise NotATimestamp(f"is no RFC 3161 timestamp ({error})") from error
    if about != hashlib.sha256(envelope).digest():
        raise NotATimestamp("is the timestamp of something else")
    return response


def _is_of(authority: Authority, response: TimeStampResponse, envelope: bytes) -> bool:
    from rfc3161_client import VerificationError, VerifierBuilder

    roots, others = authority.chain
    try:
        verifier = VerifierBuilder(roots=list(roots), intermediates=list(others)).build()
        return verifier.verify_message(response, envelope)
    except (VerificationError, ValueError):
        return False
