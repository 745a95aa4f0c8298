"""What the environment accepts for a while is still within its term."""

import pytest


@pytest.mark.check("infra.tolerances.current", owner="platform", controls=["RTS-17.1"])
def test_no_tolerance_has_expired(declared):
    """Every tolerance and suppression of the environment is within its term."""
    terms = declared.tolerances()
    assert terms.holds, terms.why
