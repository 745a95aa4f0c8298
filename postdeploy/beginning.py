"""What a run begins with, or why it cannot: the release that must be live, the build's digests, the key that signs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from postdeploy.environment import Environment
from postdeploy.evidence.signing import CannotSign, SigningKey, key_asked_for, key_is_named
from postdeploy.options import Options, expected_release
from postdeploy.standin import read_standin

NO_RELEASE = (
    "Which release must be live? Add --release=TAG, or set RELEASE_TAG or CI_COMMIT_TAG. Without it nothing can be "
    "verified: healthy is not the same as yours."
)


class CannotBegin(Exception):
    """The run cannot start as asked; the message says what to do (exit code 4)."""


def expected(options: Options, environment: Environment, kubeconfig: Path | None) -> str:
    """The tag that must be live: as asked for, else a rehearsal's own. Raises CannotBegin where nobody said."""
    standin = read_standin(kubeconfig, environment.cluster.context) if kubeconfig else None
    release = expected_release(options) or (standin.release if standin else None)
    if release is None:
        raise CannotBegin(NO_RELEASE)
    return release


def signing_key(options: Options, *, proves: bool) -> SigningKey | None:
    """The key, tried before the first look. What proves nothing new, a rehearsal or a replay, may go without.

    Raises CannotBegin where one is needed and missing, or does not work.
    """
    unsigned = options.unsigned or (not proves and not key_is_named(options.sign_key))
    try:
        return key_asked_for(options.sign_key, options.sign_public_key, unsigned=unsigned)
    except CannotSign as error:
        raise CannotBegin(str(error)) from error


def read_digests(path: Path) -> Mapping[str, frozenset[str]]:
    """Accepted digests per image repository, from the build. Raises CannotBegin for anything else."""
    try:
        named = msgspec.json.decode(path.read_bytes(), type=dict[str, list[str]])
    except (OSError, msgspec.MsgspecError) as error:
        raise CannotBegin(
            f"--digests {path} cannot be read: {error}. It must be JSON that maps each image repository to the list "
            'of its accepted digests, {"registry/crm": ["sha256:…"]}.'
        ) from error
    return {image: frozenset(digests) for image, digests in named.items()}
