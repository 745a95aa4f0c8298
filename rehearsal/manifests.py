"""Images as a registry has them: index, manifest and configuration of each platform, the same for every seed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache

from rehearsal.kinds import Obj

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
PLATFORMS = ("amd64", "arm64")


@dataclass
class RegistrySettings:
    """How the registry behaves; the default is well."""

    unreachable: bool = False
    """Whether every connection is dropped."""
    refuses: bool = False
    """Whether it lets nobody read, whatever token they bring."""
    pushed_again: set[str] = field(default_factory=set)
    """Image repositories whose tags name another build by now than the one that was delivered."""


def again(tag: str) -> str:
    """What stands for a second build that was pushed under the same tag."""
    return f"{tag}+again"


def digest_of(body: bytes) -> str:
    """The digest of some content."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@cache
def index(image: str, tag: str) -> bytes:
    """What a tag of an image names: its platforms, and what the builder attests about them."""
    listed = [
        _pointer(MANIFEST, manifest(image, tag, each)) | {"platform": {"architecture": each, "os": "linux"}}
        for each in PLATFORMS
    ]
    attested = _pointer(MANIFEST, manifest(image, f"{tag}+attestation", "unknown"))
    attested |= {"platform": {"architecture": "unknown", "os": "unknown"}}
    attested["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    return _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [*listed, attested]})


@cache
def manifest(image: str, tag: str, platform: str) -> bytes:
    """The manifest of one platform."""
    layer = _pointer("application/vnd.oci.image.layer.v1.tar+gzip", f"{image}:{tag} {platform}".encode())
    found: Obj = {"schemaVersion": 2, "mediaType": MANIFEST, "config": _pointer(CONFIG, config(image, tag, platform))}
    return _json(found | {"layers": [layer]})


@cache
def config(image: str, tag: str, platform: str) -> bytes:
    """The configuration of one platform: older runtimes report its digest as the image's id."""
    labels = {"org.opencontainers.image.source": image, "org.opencontainers.image.version": tag}
    return _json({"architecture": platform, "os": "linux", "config": {"Labels": labels}})


def _pointer(kind: str, body: bytes) -> Obj:
    return {"mediaType": kind, "digest": digest_of(body), "size": len(body)}


def _json(value: Obj) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
