"""Which image a container was asked to run, and which bits it runs: the tag is read from specs, the digest from status.

`status.containerStatuses[].image` is never read: the kubelet reports any tag it knows for the same image
(kubernetes#51017), and on containerd `imageID` may name another repository than the one pulled from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

import msgspec

from postdeploy.cluster.objects import Container, Pod, PodTemplate

SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
REMEMBERED = 4096
"""References and imageIDs whose parts are kept: thousands of pods name a few dozen."""


class ImageRef(msgspec.Struct, frozen=True):
    """An image reference in its parts."""

    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return self.repository + tag + (f"@{self.digest}" if self.digest else "")

    @property
    def version(self) -> str:
        """The tag, or the digest where there is no tag; nothing at all means `latest`."""
        return self.tag or self.digest or "latest"


@lru_cache(maxsize=REMEMBERED)
def parse(image: str) -> ImageRef:
    """The parts of `registry:5000/path/name:tag@sha256:…`; a colon before the last slash is a port."""
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return ImageRef(canonical(head + slash + last), tag, digest)


@lru_cache(maxsize=REMEMBERED)
def canonical(repository: str) -> str:
    """The repository with Docker Hub's defaults written out, so that `nginx` equals `docker.io/library/nginx`."""
    first, _, rest = repository.partition("/")
    is_host = bool(rest) and ("." in first or ":" in first or first == "localhost")
    if not is_host:
        return f"docker.io/{repository}" if rest else f"docker.io/library/{repository}"
    if first in ("index.docker.io", "registry-1.docker.io"):
        first = "docker.io"
    if first == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    return f"{first}/{rest}"


class Digest(msgspec.Struct, frozen=True, order=True):
    """What a node says it runs: the digest of a manifest (or index), or of the image's configuration."""

    value: str
    is_config: bool = False
    """A bare sha256 names the configuration, which cannot be compared with a manifest's digest (containerd#8408)."""

    def __str__(self) -> str:
        return self.value[:19] + ("… (image id)" if self.is_config else "…")


@lru_cache(maxsize=REMEMBERED)
def digest_of(image_id: str) -> Digest | None:
    """The digest in an imageID of any runtime: `repo@sha256:…`, `docker-pullable://…`, `docker://sha256:…`, bare."""
    bare = image_id.rpartition("://")[2]
    _, at, digest = bare.rpartition("@")
    found = SHA256.fullmatch(digest)
    return Digest(f"sha256:{found[1]}", is_config=not at) if found else None


def of_repository(containers: Iterable[Container], repository: str) -> Iterator[tuple[Container, ImageRef]]:
    """The containers that run an image of this repository."""
    wanted = canonical(repository)
    for each in containers:
        reference = parse(each.image)
        if reference.repository == wanted:
            yield each, reference


def declared(template: PodTemplate, repository: str) -> dict[str, ImageRef]:
    """Container name to image, of the containers (init ones too) of a template that run this repository.

    What is in a pod and not in its owner's template was injected (a mesh's proxy, a secret agent): it is no part of
    the release, whatever its name.
    """
    return {each.name: reference for each, reference in of_repository(template.spec.all_containers, repository)}


def requested(pods: Iterable[Pod], names: Collection[str]) -> dict[tuple[str, ImageRef], list[Pod]]:
    """Of the containers of these names: each image that is asked for, with the pods that ask for it."""
    found: dict[tuple[str, str], list[Pod]] = defaultdict(list)
    for pod in pods:
        for each in pod.spec.all_containers:
            if each.name in names:
                found[each.name, each.image].append(pod)
    return {(name, parse(image)): asking for (name, image), asking in found.items()}


def _image_id(pod: Pod, name: str) -> str:
    """What the node reports for a container, last of all where it reports more than once."""
    for each in reversed(pod.status.all_statuses):
        if each.name == name:
            return each.image_id
    return ""


def running(pods: Iterable[Pod], names: Collection[str]) -> dict[tuple[str, ImageRef, Digest | None], list[Pod]]:
    """Of the containers of these names: each image asked for and digest its node reports, with the pods of both."""
    found: dict[tuple[str, str, str], list[Pod]] = defaultdict(list)
    for pod in pods:
        for each in pod.spec.all_containers:
            if (name := each.name) in names:
                found[name, each.image, _image_id(pod, name)].append(pod)
    parsed: dict[tuple[str, ImageRef, Digest | None], list[Pod]] = defaultdict(list)
    for (name, image, reported), running_it in found.items():
        parsed[name, parse(image), digest_of(reported)] += running_it
    return parsed
