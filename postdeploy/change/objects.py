"""What is known of a deployment and of who allowed it, as it goes into the run folder."""

from __future__ import annotations

import gzip
import zlib
from datetime import datetime

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Part of the observation."""


class Approval(Part, frozen=True, kw_only=True):
    """One person's word on a deployment."""

    by: str
    status: str
    """GitLab's: approved or rejected."""
    at: datetime | None = None
    comment: str = ""


class Deployment(Part, frozen=True, kw_only=True):
    """A deployment as GitLab's API tells it."""

    id: int
    iid: int
    """Its number within the project, over all environments."""
    environment: str
    sha: str = ""
    ref: str = ""
    status: str = ""
    by: str = ""
    created: datetime | None = None
    began: datetime | None = None
    """When its job began to run: an approval has to come before this."""
    finished: datetime | None = None
    pipeline: str = ""
    pipeline_url: str = ""
    approvals: tuple[Approval, ...] | None = None
    """None: not asked for, or this GitLab does not tell."""

    @property
    def is_done(self) -> bool:
        """Whether it has begun: what is created or blocked has deployed nothing yet."""
        return self.status in ("success", "running", "failed", "canceled")


class Identity(Part, frozen=True, kw_only=True):
    """The claims of a verified id_token that are kept; the token itself never is."""

    user_login: str = ""
    project_path: str = ""
    pipeline_id: str = ""
    job_id: str = ""
    sha: str = ""
    ref: str = ""
    ref_protected: str = ""
    environment: str = ""
    environment_protected: str = ""


class Witness(Part, frozen=True, kw_only=True):
    """What time somebody else says it is."""

    name: str
    skew_s: float | None = None
    """How far our clock is ahead of theirs; negative: behind."""
    problem: str = ""


class Said(Part, frozen=True, kw_only=True):
    """What the job's variables say; nobody vouches for them."""

    actor: str = ""
    approver: str = ""
    approved_at: str = ""
    ticket: str = ""
    pipeline: str = ""
    pipeline_url: str = ""


class Change(Part, frozen=True, kw_only=True):
    """Everything that is known of the change that this run is about."""

    taken: datetime
    project: str = ""
    commit: str = ""
    """Which commit the release is; "" where nobody said."""
    said: Said = Said()
    identity: Identity | None = None
    identity_wrong: str = ""
    """Why the token is not to be believed."""
    identity_unknown: str = ""
    """Why there is none that could be checked."""
    deployment: Deployment | None = None
    """The one that this run is about."""
    listed: tuple[Deployment, ...] = ()
    """The newest of this environment."""
    numbers: tuple[int, ...] = ()
    """Numbers of the project's newest deployments, of whatever environment, newest first."""
    gitlab_unknown: str = ""
    """Why GitLab could not be asked."""
    suite_commit: str = ""
    suite_dirty: bool | None = None
    witnesses: tuple[Witness, ...] = ()


def save(change: Change) -> bytes:
    """The observation as gzipped JSON; the same one gives the same bytes."""
    return gzip.compress(msgspec.json.encode(change), mtime=0)


def load(data: bytes) -> Change:
    """What `save` wrote. Raises ValueError for anything else."""
    try:
        return msgspec.json.decode(gzip.decompress(data), type=Change)
    except (msgspec.DecodeError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not an observation of a change: {error}") from error
