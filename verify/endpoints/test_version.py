import pytest


@pytest.mark.check("endpoints.version.release", over="host", owner="release", controls=["DORA-9.4e"])
def test_host_runs_the_release(web, host):
    """The host itself says that it runs the release that was deployed."""
    version = web.version(host)
    assert version.holds, version.why
