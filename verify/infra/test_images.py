"""The release, and nothing else, is what runs: tag in every layer, one digest per image, groups in lockstep."""

import pytest


@pytest.mark.check("infra.images.tag", over="component", owner="release", controls=["DORA-9.4e", "SOX-ITGC-CM"])
def test_component_carries_the_release(component, cluster):
    """Template, pods and init containers of the component carry the expected tag of the declared image."""
    tag = cluster.image_tag(component)
    assert tag.holds, tag.why


@pytest.mark.check("infra.images.digest", over="image", owner="release", controls=["DORA-9.4e", "SOX-ITGC-CM"])
def test_image_has_one_digest(image, cluster):
    """All pods of an image run one and the same digest, an accepted one where the build named them."""
    digest = cluster.image_digest(image)
    assert digest.holds, digest.why


@pytest.mark.check("infra.images.lockstep", owner="release", controls=["DORA-9.4e"])
def test_release_groups_are_in_lockstep(cluster):
    """crm and crm-script carry one and the same tag."""
    lockstep = cluster.lockstep()
    assert lockstep.holds, lockstep.why


@pytest.mark.check("infra.images.debug", over="workload", owner="platform", controls=["DORA-9.4e", "SOX-ITGC-CM"])
def test_workload_has_no_debug_container(workload, guests):
    """No debug container is attached to a pod of the release."""
    debug = guests.debug(workload)
    assert debug.holds, debug.why


@pytest.mark.check("infra.images.proxies", owner="platform", controls=["DORA-9.4e"])
def test_injected_containers_are_of_one_version(guests):
    """What a mesh or an agent injects into the pods is of one version in each namespace."""
    proxies = guests.proxies()
    assert proxies.holds, proxies.why
