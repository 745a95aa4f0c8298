"""What a tag is, read out of a registry's answers: the index, the manifest and the configuration of each platform."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable

import msgspec
from msgspec.structs import replace

from postdeploy.cluster.answers import undecodable
from postdeploy.cluster.client import together
from postdeploy.cluster.images import canonical
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.environment import Environment

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
ACCEPT = ", ".join((*INDEXES, *MANIFESTS))


class Reply(msgspec.Struct, frozen=True):
    """What a registry answered for one manifest: its bytes, or the reason why there are none."""

    body: bytes = b""
    digest: str = ""
    """The header Docker-Content-Digest, where there was one."""
    reason: str = ""


Ask = Callable[[str, str], Awaitable[Reply]]
"""Repository, and tag or digest, to the manifest."""


class Platform(msgspec.Struct, frozen=True):
    """The machine a manifest is for."""

    architecture: str = ""
    os: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """A pointer at other content by its digest."""

    digest: str
    platform: Platform = Platform()


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """An index, which has manifests, or the manifest of one platform, which has a configuration."""

    manifests: tuple[Descriptor, ...] | None = None
    config: Descriptor | None = None


def wanted(environment: Environment, release: str) -> tuple[tuple[str, str], ...]:
    """Every image and tag of an environment whose registry is declared as one that may be read."""
    hosts = environment.registry.hosts if environment.registry else ()
    pairs = {(each.image, each.tag or release) for each in environment.components.values()}
    return tuple(sorted(each for each in pairs if host_of(each[0]) in hosts))


def host_of(image: str) -> str:
    """The registry of an image repository."""
    return canonical(image).partition("/")[0]


def accepted(sets: Iterable[DigestSet]) -> dict[str, frozenset[str]]:
    """Image and tag to the digests that mean it, of all that could be read."""
    return {f"{each.image}:{each.tag}": each.accepted for each in sets if each.index}


async def resolve(ask: Ask, pairs: Iterable[tuple[str, str]]) -> tuple[DigestSet, ...]:
    """What each image and tag is; what could not be read says why, and nothing is raised."""
    return tuple(await together(*(lambda pair=pair: _digests(ask, *pair) for pair in pairs)))


async def _digests(ask: Ask, image: str, tag: str) -> DigestSet:
    found, digest, reason = await _read(ask, image, tag)
    if found is None:
        return DigestSet(image, tag, reason=reason)
    if found.manifests is None:
        configs = (found.config.digest,) if found.config else ()
        return DigestSet(image, tag, digest, configs=configs)
    # What a builder attests about an image lies in the same index; no node can run it.
    runnable = [each.digest for each in found.manifests if each.platform.os != "unknown"]
    below = await together(*(lambda each=each: _read(ask, image, each) for each in runnable))
    whole = DigestSet(image, tag, digest, tuple(runnable))
    configs = tuple(each.config.digest for each, _, _ in below if each and each.config)
    return replace(whole, configs=configs, reason=next((why for _, _, why in below if why), ""))


async def _read(ask: Ask, image: str, reference: str) -> tuple[Manifest | None, str, str]:
    """One manifest with its own digest, computed and not believed; or the reason why there is none."""
    reply = await ask(image, reference)
    if reply.reason:
        return None, "", f"{image}, {reference}: {reply.reason}"
    digest = f"sha256:{hashlib.sha256(reply.body).hexdigest()}"
    promised = reference if reference.startswith("sha256:") else reply.digest
    if promised.startswith("sha256:") and promised != digest:
        return None, "", f"{image}, {reference}: the body is not what its digest {promised[:19]}… promises"
    try:
        return msgspec.json.decode(reply.body, type=Manifest), digest, ""
    except msgspec.MsgspecError as error:
        return None, "", f"{image}, {reference}: {undecodable(error)}"
