"""Every declared workload has rolled out, and nothing of the previous revision is left."""

import pytest


@pytest.mark.check("infra.rollout.complete", over="workload", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_rollout_is_complete(workload, cluster):
    """Every replica of the workload runs the current revision and is available."""
    rollout = cluster.rollout(workload)
    assert rollout.holds, rollout.why


@pytest.mark.check("infra.rollout.scale", over="workload", owner="platform", controls=["DORA-9.4e"])
def test_workload_is_not_scaled_to_zero(workload, cluster):
    """The workload is not scaled to zero unless the environment says that it may be."""
    scale = cluster.scale(workload)
    assert scale.holds, scale.why


@pytest.mark.check("infra.rollout.old-pods", over="workload", owner="platform", controls=["DORA-9.4e"])
def test_no_pod_of_the_previous_revision_is_left(workload, cluster):
    """No pod of a previous revision is running or still terminating."""
    old_pods = cluster.old_pods(workload)
    assert old_pods.holds, old_pods.why
