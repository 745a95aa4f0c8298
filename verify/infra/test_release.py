"""This release alone is live: every layer from Git to the traffic agrees."""

import pytest


@pytest.mark.check("infra.release.live", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_release_is_live(layers):
    """Git, Flux, templates, revisions, pods, digests and endpoints all agree that this release is live."""
    live = layers.live()
    assert live.holds, live.why
