"""Places that are written to once: a folder, or a bucket with versioning and Object Lock."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

S3 = re.compile(r"^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?$")


class CannotArchive(Exception):
    """The place cannot be written to or read; the message is one paragraph and says what to do."""


@dataclass(frozen=True)
class Keep:
    """How long something has to stay."""

    until: datetime
    legal_hold: bool = False


class Target(Protocol):
    """Somewhere that what is there is never written over."""

    shown: str

    def put(self, name: str, data: bytes, keep: Keep) -> bool:
        """Write it, unless it is there; False when it is there already, of whatever content. Raises CannotArchive."""

    def sha256(self, name: str) -> str | None:
        """The hash of what is there; None where there is nothing. Raises CannotArchive."""

    def read(self, name: str) -> bytes:
        """What is there. Raises CannotArchive."""

    def names(self, prefix: str) -> Iterator[str]:
        """What is there under a prefix, sorted. Raises CannotArchive."""


def open_target(place: str) -> Target:
    """A folder, or `s3://BUCKET/PREFIX` with the credentials of the usual variables. Raises CannotArchive."""
    if place.startswith("s3://"):
        found = S3.match(place)
        if found is None:
            raise CannotArchive(f"{place} names no bucket: write s3://BUCKET/PREFIX.")
        return Bucket(found[1], (found[2] or "").strip("/"))
    if "://" in place:
        raise CannotArchive(f"{place} is neither a folder nor an object store: write s3://BUCKET/PREFIX.")
    return Folder(Path(place))


class Folder:
    """A folder, whose files are made once and then only read; what the disk itself allows is not ours to hold."""

    def __init__(self, path: Path) -> None:
        self.path, self.shown = path, str(path)

    def put(self, name: str, data: bytes, keep: Keep) -> bool:
        """As `Target.put`; a file is whole or not there."""
        target = self.path / name
        with self._guarded():
            target.parent.mkdir(parents=True, exist_ok=True)
            made = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            with made.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            made.chmod(0o444)
            try:
                os.link(made, target)  # fails where a rename would replace
            except FileExistsError:
                return False
            finally:
                made.unlink()
        return True

    def sha256(self, name: str) -> str | None:
        """As `Target.sha256`."""
        with self._guarded():
            path = self.path / name
            return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    def read(self, name: str) -> bytes:
        """As `Target.read`."""
        with self._guarded():
            return (self.path / name).read_bytes()

    def names(self, prefix: str) -> Iterator[str]:
        """As `Target.names`."""
        with self._guarded():
            found = sorted((self.path / prefix).rglob("*")) if (self.path / prefix).is_dir() else []
        yield from (each.relative_to(self.path).as_posix() for each in found if each.is_file())

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotArchive(f"{self.path} cannot be used: {error.strerror or error} ({error.filename}).") from error


class Bucket:
    """A bucket, which has to have versioning and Object Lock: without them an object is only a file elsewhere."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.shown = f"s3://{bucket}/{prefix}"
        with self._guarded():
            import boto3

            self._client: Any = boto3.client("s3")
            self._expect_lock()

    def put(self, name: str, data: bytes, keep: Keep) -> bool:
        """As `Target.put`, under COMPLIANCE: nobody, root included, removes or shortens it before its day."""
        from botocore.exceptions import ClientError

        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        how: dict[str, Any] = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": keep.until}
        how |= {"ObjectLockLegalHoldStatus": "ON"} if keep.legal_hold else {}
        how |= {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}
        with self._guarded():
            try:
                self._client.put_object(
                    Bucket=self.bucket,
                    Key=self.prefix + name,
                    Body=data,
                    IfNoneMatch="*",
                    **how,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
                    return False
                raise
        return True

    def sha256(self, name: str) -> str | None:
        """As `Target.sha256`: over the bytes themselves, not by what the object says of itself."""
        from botocore.exceptions import ClientError

        try:
            return hashlib.sha256(self._get(name)).hexdigest()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise CannotArchive(self._said(error)) from error

    def read(self, name: str) -> bytes:
        """As `Target.read`."""
        with self._guarded():
            return self._get(name)

    def names(self, prefix: str) -> Iterator[str]:
        """As `Target.names`."""
        with self._guarded():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{self.prefix}{prefix}/"
            )
            for page in pages:
                yield from (each["Key"].removeprefix(self.prefix) for each in page.get("Contents", ()))

    def _get(self, name: str) -> bytes:
        found: bytes = self._client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"].read()
        return found

    def _expect_lock(self) -> None:
        from botocore.exceptions import ClientError

        try:
            said = self._client.get_object_lock_configuration(Bucket=self.bucket)["ObjectLockConfiguration"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError":
                raise
            said = {}
        if said.get("ObjectLockEnabled") != "Enabled":
            raise CannotArchive(
                f"The bucket {self.bucket} has no Object Lock, so what is put there could be removed. Make one with "
                "aws s3api create-bucket --object-lock-enabled-for-bucket."
            )

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise CannotArchive(f"{self.shown} needs boto3: install the extra, postdeploy[s3].") from None
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise CannotArchive(self._said(error)) from error

    def _said(self, error: Exception) -> str:
        return f"{self.shown} cannot be used: {error}."
