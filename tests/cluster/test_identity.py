"""The right cluster: a mismatch ends the run before any look, and so does not knowing."""

from __future__ import annotations

from typing import Any

import pytest

from postdeploy.cluster.client import Reader
from postdeploy.cluster.identity import Identity, WrongCluster, identify
from postdeploy.cluster.objects import Gap
from postdeploy.environment import Cluster
from postdeploy.verdict import Unverified

pytestmark = pytest.mark.anyio
CONTEXT = "gke_northgate_uk-prod"
UID = "0a1b2c3d-0000-4000-8000-000000000001"
CA = "ab" * 32
KUBE_SYSTEM = {"metadata": {"name": "kube-system", "uid": UID, "labels": {}}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Stub(Reader):
    """A reader of one made-up cluster; a text in place of an object is the reason why it cannot be read."""

    def __init__(
        self, kube_system: Any = KUBE_SYSTEM, version: str = "v1.34.1-gke.100", context: str = CONTEXT
    ) -> None:
        self.context = context
        self.server = "https://10.0.0.2"
        self.ca_sha256 = frozenset({CA})
        self.source = "kubeconfig /k"
        self._found = kube_system
        self._version = version

    async def version(self) -> tuple[str, Gap | None]:
        if self._version.startswith("v"):
            return self._version, None
        return "", Gap(resource="version", namespace="", reason=self._version)

    async def get(self, path: str, kind: type[Any]) -> tuple[Any, Gap | None]:
        import msgspec

        assert path == "/api/v1/namespaces/kube-system"
        if isinstance(self._found, str):
            return None, Gap(resource="namespaces", namespace="", reason=self._found)
        return msgspec.convert(self._found, kind), None


def declared(**parts: str) -> Cluster:
    return Cluster.model_construct(
        **{"context": CONTEXT, "server": None, "ca_sha256": None, "kube_system_uid": None} | parts
    )


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"kube_system_uid": UID},
        {"server": "HTTPS://10.0.0.2:443/"},
        {"server": "10.0.0.2"},
        {"ca_sha256": CA},
        {"ca_sha256": ":".join(["AB"] * 32)},
        {"server": "https://10.0.0.2", "ca_sha256": CA, "kube_system_uid": UID},
    ],
)
async def test_the_declared_cluster_is_recognised(parts: dict[str, str]) -> None:
    found = await identify(Stub(), declared(**parts))
    assert found == Identity("https://10.0.0.2", "v1.34.1-gke.100", UID, rehearsal=False)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"context": "other"}, f"kubeconfig context: declared other, found {CONTEXT}"),
        ({"kube_system_uid": "another"}, f"kube-system uid: declared another, found {UID}"),
        ({"server": "https://10.9.9.9"}, r"server: declared https://10.9.9.9:443, found https://10.0.0.2:443"),
        ({"ca_sha256": "cd" * 32}, f"CA SHA-256: declared {'cd' * 32}, found {CA}"),
        ({"kube_system_uid": UID, "server": "http://10.0.0.2"}, "server: declared http://10.0.0.2:80"),
    ],
)
async def test_one_mismatch_is_the_wrong_cluster_and_says_declared_and_found(parts: dict[str, str], said: str) -> None:
    with pytest.raises(WrongCluster, match=said):
        await identify(Stub(), declared(**parts))


async def test_a_part_that_may_not_be_read_is_fine_while_another_matches() -> None:
    found = await identify(Stub("403 Forbidden"), declared(kube_system_uid=UID, ca_sha256=CA))
    assert found.kube_system_uid == ""


@pytest.mark.parametrize("context", [CONTEXT, ""])
async def test_a_cluster_that_nothing_identifies_is_unverified(context: str) -> None:
    cluster = Stub("403 Forbidden: no", context=context)
    with pytest.raises(Unverified, match=r"cannot tell which cluster.*kube-system: 403 Forbidden: no\).*Allow `get`"):
        await identify(cluster, declared(kube_system_uid=UID))


async def test_inside_a_cluster_there_is_no_context_to_compare() -> None:
    assert (await identify(Stub(context=""), declared(kube_system_uid=UID))).kube_system_uid == UID


async def test_without_context_and_without_anything_declared_nothing_is_known() -> None:
    with pytest.raises(Unverified, match="none of kubeconfig context could be read"):
        await identify(Stub(context=""), declared())


@pytest.mark.parametrize("reason", ["connection cut: refused", "time-out after 15 s", "no trusted TLS connection: x"])
async def test_an_unreachable_cluster_is_unverified(reason: str) -> None:
    with pytest.raises(Unverified, match=f"cannot reach the Kubernetes API at https://10.0.0.2 .*{reason}"):
        await identify(Stub(version=reason), declared(kube_system_uid=UID))


async def test_a_version_that_may_not_be_read_is_no_obstacle() -> None:
    assert (await identify(Stub(version="403 Forbidden"), declared(kube_system_uid=UID))).version == ""


@pytest.mark.parametrize(
    "cluster",
    [
        Stub(version="v1.34.0-rehearsal"),
        Stub({"metadata": {"uid": UID, "labels": {"postdeploy/rehearsal": "true"}}}),
    ],
)
async def test_a_rehearsal_says_so_and_may_live_at_another_address(cluster: Reader) -> None:
    found = await identify(cluster, declared(kube_system_uid=UID, server="https://34.1.2.3", ca_sha256="cd" * 32))
    assert found.rehearsal


async def test_a_rehearsal_of_another_environment_is_the_wrong_cluster() -> None:
    with pytest.raises(WrongCluster, match="kube-system uid"):
        await identify(Stub(version="v1.34.0-rehearsal"), declared(kube_system_uid="another"))


async def test_a_namespace_without_labels_is_read_too() -> None:
    assert not (
        await identify(Stub({"metadata": {"uid": UID, "labels": None}}), declared(kube_system_uid=UID))
    ).rehearsal
