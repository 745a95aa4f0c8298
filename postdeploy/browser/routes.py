"""How a browser reaches hosts by declaration: a stand-in's names and its authority, without touching the machine."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping


def arguments(hosts: Mapping[str, str], ca_pem: str) -> list[str]:
    """Chromium's arguments for hosts at given places; every other name leads nowhere, so that nothing gets out.

    The authority is trusted by its key's hash: the endpoints tier proves TLS, and not this one.
    """
    if not hosts:
        return []
    rules = [f"MAP {host} {place}" for host, place in hosts.items()]
    return [
        f"--host-resolver-rules={','.join([*rules, 'MAP * ~NOTFOUND'])}",
        f"--ignore-certificate-errors-spki-list={key_hash(ca_pem)}",
    ]


def key_hash(ca_pem: str) -> str:
    """SHA-256 of a certificate's public key, as Chromium wants it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_pem_x509_certificate

    key = load_pem_x509_certificate(ca_pem.encode()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
