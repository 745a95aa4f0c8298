"""How a release maps to the revisions Flux reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from postdeploy.environment.forms import Model, Name, form


@dataclass(frozen=True, slots=True)
class ExpectedRevision:
    """The Flux revision a release maps to; printed in failure messages as it would be seen."""

    ref: str | None
    algorithm: str
    commit: str | None
    names_release: bool
    """Whether a match says which release it is: the reference carries the tag, or the commit is known."""

    def matches(self, revision: str) -> bool:
        """Whether a revision that Flux reports (`<ref>@sha1:<hash>`) is this one; a short commit is compared as one.

        A source that follows `ref.name` reports the full name of its reference, `refs/tags/<tag>@sha1:<hash>`.
        """
        form = r"(?:(?P<ref>.+)@)?(?P<algorithm>sha1|sha256):(?P<hash>[0-9a-f]{40,64})"
        seen = re.fullmatch(form, revision)
        if seen is None or _short(seen["ref"]) != _short(self.ref) or seen["algorithm"] != self.algorithm:
            return False
        return self.commit is None or seen["hash"].startswith(self.commit)

    def __str__(self) -> str:
        return f"{self.ref + '@' if self.ref else ''}{self.algorithm}:{self.commit or '…'}"


def _short(ref: str | None) -> str:
    return re.sub("^refs/(tags|heads)/", "", ref or "")


OCI_DIGITS = 64
CONTROLLERS = ("helm-controller", "kustomize-controller", "notification-controller", "source-controller")
"""What `flux install` brings."""


class Flux(Model):
    """The Flux objects that bring a release into the cluster."""

    namespace: Name
    """Namespace of the Flux objects."""
    source: Name
    """Name of the source: the GitRepository or OCIRepository that carries the release."""
    source_kind: Literal["GitRepository", "OCIRepository"] = "GitRepository"
    """Kind of the source."""
    revision: Annotated[str, form("revision")]
    """Form of the artifact's revision, `{tag}@sha1:{commit}` or `main@sha1:{commit}`."""
    kustomizations: tuple[Name, ...] = ()
    """Kustomizations that must have applied the revision."""
    helm_releases: tuple[Name, ...] = ()
    """HelmReleases that must be ready."""
    image_policies: tuple[Name, ...] = ()
    """ImagePolicies whose latest image must carry the release, where Flux chooses the tag itself."""
    controllers: tuple[Name, ...] = CONTROLLERS
    """Deployments of Flux in its namespace that must be alive; none where it is run from another cluster."""

    def expected_revision(self, tag: str, commit: str | None = None) -> ExpectedRevision:
        """The revision Flux must report once the release is applied; without the commit any hash fits."""
        if commit is not None and not re.fullmatch(r"[0-9a-f]{7,64}", commit):
            raise ValueError(f"not a commit: {commit!r}; expected 7 to 64 lower-case hex digits")
        if self.source_kind == "OCIRepository" and commit is not None and len(commit) < OCI_DIGITS:
            commit = None  # the hash of an OCI artifact's revision is its own, and no commit of Git's
        head, _, algorithm = self.revision.removesuffix(":{commit}").rpartition("@")
        ref = head.replace("{tag}", tag) or None
        return ExpectedRevision(ref, algorithm, commit, "{tag}" in head or commit is not None)
