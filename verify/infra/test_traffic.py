"""Traffic reaches the release and nothing else, and what stands around it keeps it up."""

import pytest


@pytest.mark.check("infra.traffic.endpoints", over="service", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_traffic_goes_to_the_release_alone(service, traffic):
    """The Service sends traffic to ready pods of the current revision, at least one, and to nobody else."""
    endpoints = traffic.endpoints(service)
    assert endpoints.holds, endpoints.why


@pytest.mark.check("infra.traffic.autoscaler", over="autoscaled", owner="platform", controls=["DORA-9.4e"])
def test_autoscaler_can_scale(autoscaled, traffic):
    """The component's autoscaler reads its metric, may change the scale, and is not at its limit."""
    autoscaler = traffic.autoscaler(autoscaled)
    assert autoscaler.holds, autoscaler.why


@pytest.mark.check("infra.traffic.disruption", owner="platform", controls=["DORA-9.4e"])
def test_disruption_budgets_guard_and_give_way(traffic):
    """Every disruption budget guards pods, and lets a node be drained."""
    disruption = traffic.disruption()
    assert disruption.holds, disruption.why


@pytest.mark.check("infra.traffic.volumes", owner="databases", controls=["DORA-9.4e"])
def test_volume_claims_have_their_volumes(traffic):
    """Every volume claim is bound, or waits for a pod as its storage class says."""
    volumes = traffic.volumes()
    assert volumes.holds, volumes.why


@pytest.mark.check("infra.traffic.entry", over="entry", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_way_in_from_outside_is_open(entry, traffic):
    """The Ingress or the Gateway's route has an address, is accepted, and leads to Services and ports that exist."""
    way_in = traffic.entry(entry)
    assert way_in.holds, way_in.why
