"""The release stays well: in the hold after it converged, and in what its containers remember since the rollout."""

import pytest


@pytest.mark.check("infra.stability.held", over="workload", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_workload_stays_well_while_it_is_held(workload, stability):
    """Nothing of the workload restarts, gets unready, is doomed or is replaced while the release is held."""
    held = stability.held(workload)
    assert held.holds, held.why


@pytest.mark.check("infra.stability.restarts", over="workload", owner="platform", controls=["DORA-9.4e"])
def test_workload_has_not_restarted(workload, stability):
    """No container of the workload restarted since the rollout beyond one failed start and its budget."""
    restarts = stability.restarts(workload)
    assert restarts.holds, restarts.why


@pytest.mark.check("infra.stability.oom", over="workload", owner="platform", controls=["DORA-9.4e"])
def test_workload_has_not_run_out_of_memory(workload, stability):
    """No container of the workload was killed for want of memory since the rollout."""
    oom = stability.oom(workload)
    assert oom.holds, oom.why
