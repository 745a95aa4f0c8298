"""keys.json: whose signatures count, for which environments, and from when until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from postdeploy.evidence.signing import public_of_pem
from postdeploy.evidence.statements import moment

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from securesystemslib.signer import SSlibKey

EVERYWHERE = "*"


class BadTrustFile(Exception):
    """The trust file cannot be used; the message names the place and what to write there."""


class Trusted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One key of the trust file."""

    public_key: str
    """PEM of the public key."""
    environments: tuple[str, ...]
    """Environments it may sign for; "*" is every one."""
    not_before: datetime
    not_after: datetime
    name: str = ""
    """Whose it is, for people."""
    revoked_at: datetime | None = None
    revoked_because: str = ""

    @cached_property
    def public(self) -> SSlibKey:
        """The key, with the key id that follows from it."""
        return public_of_pem(self.public_key.encode())


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A timestamp authority."""

    name: str
    """Whose it is, for people."""
    certificates: str
    """PEM of its root, and of what lies between the root and its timestamps where these do not bring it along."""

    @cached_property
    def chain(self) -> tuple[tuple[Certificate, ...], tuple[Certificate, ...]]:
        """Roots, and the others. Raises ValueError."""
        from cryptography.x509 import load_pem_x509_certificates

        found = load_pem_x509_certificates(self.certificates.encode())
        roots = tuple(each for each in found if each.issuer == each.subject)
        return roots, tuple(each for each in found if each not in roots)


class TrustFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    keys: tuple[Trusted, ...]
    timestamp_authorities: tuple[Authority, ...] = ()


class Trust(tuple[Trusted, ...]):
    """The keys of a trust file, and the authorities whose timestamps count."""

    authorities: tuple[Authority, ...] = ()


@dataclass(frozen=True)
class Objection:
    """Why a signature does not count."""

    reason: str
    is_final: bool = True
    """False where it might yet be good, but nothing proves it."""


def read_trust(path: Path) -> Trust:
    """Whom to trust. Raises BadTrustFile."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=TrustFile)
    except OSError as error:
        raise BadTrustFile(f"--keys {path} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise BadTrustFile(f"--keys {path} is not a trust file: {error}. docs/auditors.md shows one.") from error
    for number, each in enumerate(file.keys):
        _expect_usable(path, number, each)
    for number, authority in enumerate(file.timestamp_authorities):
        _expect_root(path, number, authority)
    trust = Trust(file.keys)
    trust.authorities = file.timestamp_authorities
    return trust


def _expect_root(path: Path, number: int, authority: Authority) -> None:
    try:
        roots, _ = authority.chain
    except ValueError:
        roots = ()
    if not roots:
        raise BadTrustFile(
            f"--keys {path}: timestamp_authorities[{number}].certificates holds no root: "
            "expected certificates in PEM, one of them issued by itself."
        )


def _expect_usable(path: Path, number: int, key: Trusted) -> None:
    for name in ("not_before", "not_after", "revoked_at"):
        when = getattr(key, name)
        if when is not None and when.tzinfo is None:
            raise BadTrustFile(f"--keys {path}: keys[{number}].{name} has no time zone: write 2026-11-25T00:00:00Z.")
    try:
        _ = key.public
    except Exception as error:
        raise BadTrustFile(
            f"--keys {path}: keys[{number}].public_key is not the PEM of a public key "
            "(openssl pkey -in key.pem -pubout)."
        ) from error


def objection(key: Trusted, environment: str, signed: datetime, *, is_proven: bool = False) -> Objection | None:
    """Why a signature of this key does not count for this environment at this time, or None.

    The time is the run's own word unless a timestamp authority gave it (`is_proven`). A revoked key may have been
    stolen, and a thief can write any time: what it signed is at best unproven without one.
    """
    if environment not in key.environments and EVERYWHERE not in key.environments:
        return Objection(f"the key signs for {', '.join(key.environments) or 'no environment'}, not for {environment}")
    if not key.not_before <= signed <= key.not_after:
        return Objection(
            f"signed at {moment(signed)}, outside the key's validity "
            f"({moment(key.not_before)} to {moment(key.not_after)})"
        )
    if key.revoked_at is None or (is_proven and signed < key.revoked_at):
        return None
    because = f" ({key.revoked_because})" if key.revoked_because else ""
    if signed >= key.revoked_at:
        return Objection(f"signed at {moment(signed)}, after the key was revoked at {moment(key.revoked_at)}{because}")
    return Objection(
        f"the key was revoked at {moment(key.revoked_at)}{because}; the run says that it was signed before, "
        "at {moment}, but no timestamp authority confirms it".replace("{moment}", moment(signed)),
        is_final=False,
    )


def find(keys: Iterable[Trusted], keyid: str) -> Trusted | None:
    """The key of that id."""
    return next((each for each in keys if each.public.keyid == keyid), None)
