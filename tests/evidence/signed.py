"""Closed run folders, signed with a key made for the test, and the trust file that goes with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from postdeploy.evidence.signing import SigningKey, open_key
from postdeploy.evidence.statements import Image

IMAGES = (Image("registry.example/crm", "d" * 64),)


@dataclass(frozen=True)
class Keys:
    """A key pair on disk."""

    private: Path
    public: Path

    def open(self) -> SigningKey:
        return open_key(str(self.private))

    def trust(self, **change: Any) -> Path:
        """A trust file of this one key."""
        entry = {
            "name": "verify of uk-prod",
            "public_key": self.public.read_text(),
            "environments": ["uk-prod"],
            "not_before": "2020-01-01T00:00:00Z",
            "not_after": "2099-01-01T00:00:00Z",
        }
        path = self.private.with_name("keys.json")
        path.write_text(json.dumps({"keys": [entry | change]}))
        return path


def make_keys(folder: Path) -> Keys:
    key = Ed25519PrivateKey.generate()
    keys = Keys(folder / "key.pem", folder / "public.pem")
    keys.private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    keys.public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return keys
