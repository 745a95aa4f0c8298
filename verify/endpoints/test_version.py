import pytest


@pytest.mark.check("endpoints.version.release", over="host", owner="release", controls=["DORA-9.4e"])
def test_host_runs_the_release(web, host):
    """The host names the release that was deployed: every one of its addresses, several times in a row."""
    claim = web.version(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.version.build", over="brand", owner="release", controls=["DORA-9.4e"])
def test_pages_are_of_the_release(web, brand):
    """The brand's pages and its list of files are of the build that the release names."""
    claim = web.build(brand)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.version.identity", owner="release", controls=["DORA-9.4e"])
def test_hosts_and_cluster_are_one_release(identity):
    """The tag, every version, the build of every page and the images in the cluster are one release."""
    claim = identity.one_release()
    assert claim.holds, claim.why
