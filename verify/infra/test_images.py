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
