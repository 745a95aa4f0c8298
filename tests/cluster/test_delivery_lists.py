"""What is read of the delivery: only what the environment declares, at whatever version the cluster serves."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from postdeploy.cluster.answers import UNSERVED
from postdeploy.cluster.delivery import delivery, flux_kinds
from postdeploy.cluster.objects import FluxObject, Gap
from tests.cluster.build import component, environment, seen
from tests.cluster.flux_build import flux_environment, source

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Lists:
    """A reader of canned lists by path; anything else is not served."""

    def __init__(self, **served: tuple[Any, ...]) -> None:
        self.served = {path.replace("__", "/"): items for path, items in served.items()}
        self.asked: list[str] = []

    async def list(self, path: str, kind: type[Any]) -> tuple[tuple[Any, ...], Gap | None]:
        self.asked.append(path)
        for end, items in self.served.items():
            if path.endswith(end):
                return items, None
        return (), Gap(path.rpartition("/")[2], "flux-system", UNSERVED)


async def test_nothing_is_asked_for_that_nobody_declares() -> None:
    reader = Lists(gitrepositories=())
    bare = environment(
        component(), flux={"namespace": "f", "source": "s", "revision": "a@sha1:{commit}", "controllers": ()}
    )
    found = await delivery(reader, bare)  # type: ignore[arg-type]
    assert reader.asked == ["/apis/source.toolkit.fluxcd.io/v1/namespaces/f/gitrepositories"]
    assert found.gaps == ()
    assert found.fields == {"flux": (), "flux_controllers": (), "rollouts": (), "canaries": ()}


async def test_a_kind_that_is_declared_and_not_served_is_a_gap() -> None:
    found = await delivery(Lists(), flux_environment(component(progressive="rollout")))  # type: ignore[arg-type]
    named = {each.resource for each in found.gaps}
    assert named == {"gitrepositories", "kustomizations", "helmreleases", "imagepolicies", "rollouts"}


async def test_an_older_version_is_read_where_the_newer_is_not_served() -> None:
    reader = Lists(**{"v2beta2/namespaces/flux-system/helmreleases": (FluxObject(),)})
    found = await delivery(reader, flux_environment(image_policies=(), kustomizations=()))  # type: ignore[arg-type]
    assert [each.kind for each in found.fields["flux"]] == ["HelmRelease"]
    assert "helmreleases" not in {each.resource for each in found.gaps}


async def test_a_refusal_is_not_asked_again_at_another_version() -> None:
    class Refusing(Lists):
        async def list(self, path: str, kind: type[Any]) -> tuple[tuple[Any, ...], Gap | None]:
            self.asked.append(path)
            return (), Gap("gitrepositories", "flux-system", "403 Forbidden: no")

    reader = Refusing()
    await delivery(reader, flux_environment(image_policies=(), kustomizations=(), helm_releases=()))  # type: ignore[arg-type]
    assert len(reader.asked) == 1


async def test_a_credential_in_a_condition_is_not_kept() -> None:
    said = "unable to clone 'https://bot:s3cr3t-p4ss@git.example/fleet.git': authentication required"
    failing = seen(source(status={"conditions": [{"type": "Ready", "status": "False", "message": said}]}))
    reader = Lists(gitrepositories=(replace(failing, kind=""),))
    found = await delivery(reader, flux_environment())  # type: ignore[arg-type]
    [kept] = found.fields["flux"]
    assert kept.kind == "GitRepository"
    assert "s3cr3t-p4ss" not in kept.status.conditions[0].message


def test_an_oci_source_is_listed_in_place_of_a_git_one() -> None:
    kinds = flux_kinds(flux_environment(source_kind="OCIRepository", revision="{tag}@sha256:{commit}"))
    assert kinds == ("OCIRepository", "Kustomization", "HelmRelease", "ImagePolicy")
