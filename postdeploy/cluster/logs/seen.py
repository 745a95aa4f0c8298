"""What was seen of the logs: counts and templates of every container, redacted, exact through JSON. No log bodies."""

from __future__ import annotations

import gzip
import zlib
from typing import Literal

import msgspec

from postdeploy.cluster.objects_base import Record, Time
from postdeploy.verdict import Unverified

Bucket = Literal["release", "old", "before"]
"""Of the release; of pods of an old revision, where only their shutdown is of interest; from before the rollout."""
SourceName = Literal["api", "loki", "cloud-logging", "file"]

PREVIOUS = " (previous instance)"
"""How the name of an instance that is gone ends."""


class Example(Record, frozen=True):
    """One record as it was written, with the lines around it; redacted."""

    source: str
    """Pod and container, or the file."""
    at: Time | None
    lines: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class Finding(Record, frozen=True):
    """Records of one container that say the same."""

    id: str
    """The same for the same template, exception and frame in every run."""
    level: Literal["critical", "error", "below"]
    """What the records say of themselves; a traceback that no record carries is critical."""
    template: str
    count: int
    logger: str = ""
    fatal: str = ""
    """Why it is fatal whatever its level, where it is."""
    exception: str = ""
    frame: str = ""
    app: str = ""
    root: str = ""
    unhandled: bool = False
    """Whether no record carries the traceback."""
    sampled: bool = False
    """Whether these records were counted by the scanner and not read one by one."""
    first: Time | None = None
    last: Time | None = None

    @property
    def is_critical(self) -> bool:
        """Whether it is critical, fatal or always fatal."""
        return self.level == "critical" or bool(self.fatal)

    @property
    def is_grave(self) -> bool:
        """Whether it counts as an error at all."""
        return self.level != "below" or bool(self.fatal)

    @property
    def title(self) -> str:
        """What it is, in one line: an exception by its type and frame, anything else by its template."""
        if not self.exception:
            return self.template
        where = f" at {self.frame}" if self.frame else ""
        return f"{self.exception}{where}: {self.template}" if self.template else f"{self.exception}{where}"


class Evidence(Record, frozen=True):
    """The first and the last few records of one finding, over all containers of a component."""

    component: str
    id: str
    examples: tuple[Example, ...]


class Reading(Record, frozen=True):
    """What one instance of one container wrote in the window."""

    component: str
    namespace: str
    pod: str
    container: str
    bucket: Bucket = "release"
    source: SourceName = "api"
    previous: bool = False
    container_id: str = ""
    born: Time | None = None
    """When the instance started, if that is within the window."""
    size: int = 0
    """Bytes, with the stamps of the API."""
    first: Time | None = None
    last: Time | None = None
    findings: tuple[Finding, ...] = ()
    ready: bool | None = None
    """Whether its declared ready line appeared; None: none is declared for it."""
    gaps: tuple[str, ...] = ()
    """What could not be read of it."""
    notes: tuple[str, ...] = ()
    """What a reader of the counts should know, though nothing is missing."""

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.pod}/{self.container}{PREVIOUS if self.previous else ''}"


class Known(Record, frozen=True):
    """A finding that is not new: it was there before, and how often."""

    id: str
    component: str
    count: int
    template: str = ""
    exception: str = ""
    logger: str = ""
    container: str = ""


class Earlier(Record, frozen=True):
    """What an earlier run that ended green had found."""

    run_id: str
    minutes: float
    known: tuple[Known, ...] = ()


class Blind(Record, frozen=True):
    """A component whose containers are not known."""

    component: str
    reason: str


class Logs(Record, frozen=True):
    """The logs of one environment since the rollout began, and what they are compared with."""

    release: str
    began: Time
    """Start of the window, by the server's clock."""
    taken: Time
    anchor: str
    """What said when the rollout began."""
    readings: tuple[Reading, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    before: tuple[Known, ...] = ()
    """Errors of the equally long window before the rollout."""
    covered_before: tuple[str, ...] = ()
    """Components of which that window could be read."""
    before_from: str = ""
    """Where it was read: `api`, `loki`, `cloud-logging`; empty: nowhere."""
    earlier: tuple[Earlier, ...] = ()
    """Earlier green runs, the latest first."""
    unread: tuple[str, ...] = ()
    """Sources that were declared and did not answer."""
    blind: tuple[Blind, ...] = ()
    """Components of which it could not be seen what runs."""
    scanner: str = ""

    @property
    def minutes(self) -> float:
        """Length of the window."""
        return max((self.taken - self.began).total_seconds() / 60, 1 / 60)


def save(logs: Logs) -> bytes:
    """The logs as compressed JSON; the same always gives the same bytes."""
    return gzip.compress(msgspec.json.encode(logs), mtime=0)


def load(saved: bytes) -> Logs:
    """Exactly what was saved, or Unverified where the file was damaged."""
    try:
        return msgspec.json.decode(gzip.decompress(saved), type=Logs)
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise Unverified(f"the saved observation of the logs cannot be read: {error}") from error
