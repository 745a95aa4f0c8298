"""The key that signs a run's evidence: a file, or one of securesystemslib's URIs (a KMS, a vault, an HSM)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from securesystemslib.signer import Signer, SSlibKey

UNSIGNED = "unsigned"
KEY, PUBLIC_KEY, WAIVED = "POSTDEPLOY_SIGNING_KEY", "POSTDEPLOY_SIGNING_PUBLIC_KEY", "POSTDEPLOY_UNSIGNED"
NO_KEY = (
    "This run's evidence would not be signed, so a year later nobody could tell who made it. Give the key with "
    f"--sign-key=FILE_OR_URI or ${KEY} (an ed25519 key in a PEM file, or a URI such as awskms:…), or say --unsigned "
    f"(${WAIVED}=1): then the verdict line says UNSIGNED. Nothing was looked at."
)


class CannotSign(Exception):
    """The key that was named cannot sign; the message says what to do."""


@dataclass(frozen=True)
class SigningKey:
    """A key that has proved that it signs."""

    signer: Signer
    public: SSlibKey

    @property
    def keyid(self) -> str:
        """What the trust file and the envelopes call it: derived from the public key alone."""
        return str(self.public.keyid)


def key_asked_for(
    sign_key: str | None, public_key: str | None, *, unsigned: bool, variables: Mapping[str, str] = os.environ
) -> SigningKey | None:
    """The key from the options, then from the variables; None where unsigned was said. CannotSign: neither."""
    if unsigned:
        return None
    uri = sign_key or variables.get(KEY)
    if uri:
        return open_key(uri, public_key or variables.get(PUBLIC_KEY))
    if variables.get(WAIVED) == "1":
        return None
    raise CannotSign(NO_KEY)


def key_is_named(sign_key: str | None, variables: Mapping[str, str] = os.environ) -> bool:
    """Whether an option or a variable names a key."""
    return bool(sign_key or variables.get(KEY))


def open_key(uri: str, public_key: str | None = None) -> SigningKey:
    """The key at a path or URI, tried once: a signature that its public key confirms. Raises CannotSign."""
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, Signer

    scheme, colon, path = uri.partition(":")
    is_file = not colon or scheme == "file2" or scheme not in SIGNER_FOR_URI_SCHEME
    location = path if scheme == "file2" and colon else uri
    try:
        public = load_public(Path(public_key)) if public_key else _public_of(Path(location)) if is_file else None
        if public is None:
            raise CannotSign(f"{uri} signs elsewhere: say with ${PUBLIC_KEY} which PEM file holds its public key.")
        signer = _file_signer(Path(location), public) if is_file else Signer.from_priv_key_uri(uri, public)
        public.verify_signature(signer.sign(b"postdeploy: can this key sign?"), b"postdeploy: can this key sign?")
    except CannotSign:
        raise
    except Exception as error:  # noqa: BLE001  whatever a vault answers, nothing was looked at yet
        raise CannotSign(_unusable(uri, error)) from None
    return SigningKey(signer, public)


def load_public(path: Path) -> SSlibKey:
    """The public key of a PEM file. Raises OSError, ValueError."""
    return public_of_pem(path.read_bytes())


def public_of_pem(pem: bytes) -> SSlibKey:
    """A public key from its PEM, with the key id that follows from it. Raises ValueError."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(load_pem_public_key(pem))


def _public_of(path: Path) -> SSlibKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import SSlibKey

    private = load_pem_private_key(path.expanduser().read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("it is no ed25519 key")
    return SSlibKey.from_crypto(private.public_key())


def _file_signer(path: Path, public: SSlibKey) -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    private = load_pem_private_key(path.expanduser().read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("it is no ed25519 key")
    return CryptoSigner(private, public)


def _unusable(uri: str, error: Exception) -> str:
    """Why, without a byte of the key: libraries quote what they could not parse."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    if isinstance(error, ValueError | TypeError):
        reason = "it is not an unencrypted ed25519 private key in PEM (openssl genpkey -algorithm ed25519)"
    return (
        f"The signing key {uri} cannot be used: {reason}. Nothing was looked at, for it could not be signed. "
        "Mend the key or its URI, or say --unsigned."
    )
