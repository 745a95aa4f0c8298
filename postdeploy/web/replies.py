"""What a sweep over the endpoints saw: narrow, immutable, and saved as it will be judged."""

from __future__ import annotations

import gzip
import zlib
from datetime import datetime
from enum import StrEnum

import msgspec

from postdeploy.evidence.results import Attempt


class Fault(StrEnum):
    """Why a request has no answer."""

    RESOLVE = "does not resolve"
    CONNECT = "does not accept connections"
    CERTIFICATE = "fails the TLS handshake"
    TIME_OUT = "does not answer in time"
    CUT_OFF = "breaks off its answer"
    NOT_LOOKED = "was not looked at"
    """Nothing was sent: the time was spent, or we could not send at all. It says nothing about the product."""


NO_CONTACT = frozenset({Fault.RESOLVE, Fault.CONNECT})
"""What an offline runner looks like, and also what a host looks like that is gone: nothing ever answered."""
NOT_REACHED = NO_CONTACT | {Fault.CERTIFICATE}
"""No request has left, so that asking for another path of the same host would end the same way."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One request's answer, or why there is none."""

    host: str
    path: str
    status: int = 0
    headers: dict[str, str] = {}
    """Those worth keeping, names in lower case."""
    body: str = ""
    """The first 64 KiB, redacted."""
    cut: bool = False
    """Whether the body was longer than that."""
    elapsed_s: float = 0.0
    fault: Fault | None = None
    error: str = ""
    attempts: tuple[Attempt, ...] = ()
    trace: str = ""
    """The request's `traceparent`, to find it in the product's own traces."""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """Every reply of one sweep over an environment's hosts."""

    environment: str
    run_id: str
    taken: datetime
    replies: tuple[Reply, ...]

    def reply(self, host: str, path: str) -> Reply | None:
        """The answer of a host to a path; None when it was never asked."""
        return next((each for each in self.replies if (each.host, each.path) == (host, path)), None)

    @property
    def is_offline(self) -> bool:
        """Whether no host at all could be contacted: then it is our own network that is in doubt."""
        looked = [each.fault for each in self.replies if each.fault is not Fault.NOT_LOOKED]
        return bool(looked) and all(fault in NO_CONTACT for fault in looked)


def save(sweep: Sweep) -> bytes:
    """The sweep as gzipped JSON; the same sweep gives the same bytes."""
    return gzip.compress(msgspec.json.encode(sweep), mtime=0)


def load(data: bytes) -> Sweep:
    """The sweep that `save` wrote. Raises ValueError for anything else."""
    try:
        return msgspec.json.decode(gzip.decompress(data), type=Sweep)
    except (msgspec.DecodeError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not a sweep: {error}") from error
