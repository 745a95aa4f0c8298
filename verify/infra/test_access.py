"""The verifier itself: it may see all it needs, and could not have changed what it verified."""

import pytest


@pytest.mark.check("infra.access.read", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_identity_may_read_all_that_is_looked_at(access):
    """Our identity holds every right that looking at this environment takes."""
    read = access.read()
    assert read.holds, read.why


@pytest.mark.check("infra.access.readonly", owner="platform", controls=["SOX-ITGC-AC", "DORA-9.4e"])
def test_identity_can_change_nothing(access):
    """Our identity can change nothing that runs, enter no pod and read no secret."""
    readonly = access.readonly()
    assert readonly.holds, readonly.why
