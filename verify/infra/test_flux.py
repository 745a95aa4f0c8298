"""What Flux says it delivered is this release, and Flux goes on delivering."""

import pytest


@pytest.mark.check("infra.flux.source", owner="platform", controls=["DORA-9.4e"])
def test_source_has_fetched_the_release(flux):
    """The source that Flux follows is at the release's revision, verified and not suspended."""
    source = flux.source()
    assert source.holds, source.why


@pytest.mark.check("infra.flux.kustomization", over="kustomization", owner="platform", controls=["DORA-9.4e"])
def test_kustomization_has_applied_the_release(kustomization, flux):
    """The Kustomization has applied the release, as its last attempt, and goes on reconciling."""
    applied = flux.kustomization(kustomization)
    assert applied.holds, applied.why


@pytest.mark.check("infra.flux.helmrelease", over="helmrelease", owner="platform", controls=["DORA-9.4e"])
def test_helm_release_is_deployed(helmrelease, flux):
    """The HelmRelease has deployed what it attempted for this release, and was not rolled back."""
    deployed = flux.helm_release(helmrelease)
    assert deployed.holds, deployed.why


@pytest.mark.check("infra.flux.imagepolicy", over="imagepolicy", owner="platform", controls=["DORA-9.4e"])
def test_image_policy_has_chosen_the_release(imagepolicy, flux):
    """The image that Flux chose by itself carries the release's tag."""
    chosen = flux.image_policy(imagepolicy)
    assert chosen.holds, chosen.why


@pytest.mark.check("infra.flux.controllers", owner="platform", controls=["DORA-9.4e"])
def test_controllers_of_flux_are_alive(flux):
    """The controllers of Flux run: otherwise all that its objects say is old."""
    controllers = flux.controllers()
    assert controllers.holds, controllers.why


@pytest.mark.check("infra.progressive.rollout", over="progressive", owner="platform", controls=["DORA-9.4e"])
def test_progressive_delivery_went_all_the_way(progressive, progression):
    """The Argo Rollout or Flagger Canary promoted the new revision: not aborted, not paused, not on the way."""
    promoted = progression.promoted(progressive)
    assert promoted.holds, promoted.why
