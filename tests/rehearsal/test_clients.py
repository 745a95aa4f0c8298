"""The stand-in is a Kubernetes API to the official Python clients."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """A proxy in the environment must not stand between a test and loopback."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_the_client_lists_pods_in_pages(stand, environment):
    from kubernetes import client, config

    with config.new_client_from_config(config_file=str(stand.kubeconfig)) as api:
        core = client.CoreV1Api(api)
        page = core.list_pod_for_all_namespaces(limit=10)
        rest = core.list_pod_for_all_namespaces(limit=500, _continue=page.metadata._continue)
    names = {each.metadata.name for each in [*page.items, *rest.items]}
    assert {f"redis-{number}" for number in range(environment.components["redis"].replicas)} <= names


def test_the_asynchronous_client_lists_pods_raw(stand):
    from kubernetes.aio import client, config

    async def read() -> bytes:
        configuration = client.Configuration()
        await config.load_kube_config(config_file=str(stand.kubeconfig), client_configuration=configuration)
        async with client.ApiClient(configuration) as api:
            token = await configuration.get_api_key_with_prefix("BearerToken")
            headers = {"Authorization": token, "Accept": "application/json"}
            response = await api.call_api("GET", f"{configuration.host}/api/v1/pods", headers)
            return await response.read()

    assert asyncio.run(read()).startswith(b'{"kind":"PodList"')
