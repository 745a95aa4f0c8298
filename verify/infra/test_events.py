"""What the cluster complained of since the rollout began."""

import pytest


@pytest.mark.check("infra.events.warnings", owner="platform", controls=["DORA-9.4e"])
def test_no_warning_tells_of_trouble_that_lasts(events):
    """No warning since the rollout tells of trouble that lasts; noise of a rollout is listed and told apart."""
    warnings = events.warnings()
    assert warnings.holds, warnings.why
