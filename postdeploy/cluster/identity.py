"""The right cluster: who the cluster says it is, held against what the environment declares, before any other look."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from postdeploy.cluster.client import Reader
from postdeploy.cluster.objects import Gap
from postdeploy.environment import Cluster
from postdeploy.verdict import Unverified

REHEARSAL_LABEL = "postdeploy/rehearsal"
REHEARSAL_SUFFIX = "-rehearsal"


class WrongCluster(Exception):
    """The cluster reached is not the one the environment declares; nothing else was looked at."""


class Identity(msgspec.Struct, frozen=True):
    """Who the cluster is, as far as it could be read."""

    server: str
    version: str
    """gitVersion of the API server, empty where it may not be read."""
    kube_system_uid: str
    """uid of the namespace kube-system, empty where it may not be read."""
    rehearsal: bool
    """Whether the cluster says of itself that it is a stand-in."""


class NamespaceMeta(msgspec.Struct):
    """The part of a namespace's metadata that identifies a cluster."""

    uid: str = ""
    labels: dict[str, str] | None = None


class Namespace(msgspec.Struct):
    """A namespace, as narrow as identity needs it."""

    metadata: NamespaceMeta


async def identify(reader: Reader, declared: Cluster) -> Identity:
    """The cluster's identity: WrongCluster where it is another one, Unverified where nothing tells which one it is."""
    version, unread_version = await reader.version()
    if unread_version and unread_version.reason.startswith(("time-out", "connection cut", "no trusted TLS")):
        raise Unverified(
            f"cannot reach the Kubernetes API at {reader.server} ({reader.source}, context "
            f"{reader.context or 'none'}): {unread_version.reason}. Check the network, the VPN and the kubeconfig."
        )
    kube_system, unread = await reader.get("/api/v1/namespaces/kube-system", Namespace)
    meta = kube_system.metadata if kube_system else NamespaceMeta()
    rehearsal = REHEARSAL_LABEL in (meta.labels or {}) or version.endswith(REHEARSAL_SUFFIX)
    found = Identity(reader.server, version, meta.uid, rehearsal)
    _compare(reader, declared, found, unread)
    return found


def _compare(reader: Reader, declared: Cluster, found: Identity, unread: Gap | None) -> None:
    """Every declared part that could be read agrees, and at least one beyond the context's name could be."""
    parts = {
        "kubeconfig context": (declared.context, reader.context),
        "kube-system uid": (declared.kube_system_uid, found.kube_system_uid),
    }
    if not found.rehearsal:  # a stand-in lives at another address with a CA of its own, and every report says so
        parts["server"] = (_address(declared.server), _address(reader.server))
        parts["CA SHA-256"] = (_hex(declared.ca_sha256), _nearest(declared.ca_sha256, reader.ca_sha256))
    stated = {name: pair for name, pair in parts.items() if pair[0]}
    known = {name: pair for name, pair in stated.items() if pair[1]}
    wrong = [f"{name}: declared {want}, found {got}" for name, (want, got) in known.items() if want != got]
    if wrong:
        raise WrongCluster(
            f"this is not the cluster the environment declares: {'; '.join(wrong)} ({reader.source}). Nothing was "
            "looked at. Switch the kubeconfig or correct the environment file."
        )
    if not known or (known.keys() == {"kubeconfig context"} and len(stated) > 1):
        raise Unverified(
            f"cannot tell which cluster this is: none of {', '.join(stated)} could be read from {reader.server}"
            + (f" (namespace kube-system: {unread.reason})" if unread else "")
            + ". Allow `get` on the namespace kube-system, or declare the server or its CA."
        )


def _address(server: str | None) -> str:
    """A server URL in one spelling: lower case, with its port, without a slash at the end."""
    if not server:
        return ""
    parts = urlsplit(server if "://" in server else f"https://{server}")
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 443)
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path.rstrip('/')}"


def _hex(digest: str | None) -> str:
    return (digest or "").lower().replace(":", "").removeprefix("sha256")


def _nearest(declared: str | None, found: frozenset[str]) -> str:
    """The declared one where the bundle holds it, else what the bundle holds instead."""
    return _hex(declared) if _hex(declared) in found else ", ".join(sorted(found))
