"""The pods of the current revision serve, and none is beyond recovery."""

import pytest


@pytest.mark.check("infra.pods.ready", over="workload", owner="platform", controls=["DORA-9.4e"])
def test_pods_are_ready(workload, cluster):
    """Every pod of the current revision is Ready, its init containers done and its native sidecars started."""
    ready = cluster.pods_ready(workload)
    assert ready.holds, ready.why


@pytest.mark.check("infra.pods.doomed", over="workload", owner="platform", controls=["DORA-9.4e"])
def test_no_pod_is_beyond_recovery(workload, cluster):
    """No container is crash-looping, unable to pull its image or unable to start."""
    doom = cluster.pods_doomed(workload)
    assert doom.holds, doom.why
