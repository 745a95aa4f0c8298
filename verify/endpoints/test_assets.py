import pytest


@pytest.mark.check("endpoints.assets.current", over="brand", owner="crm")
def test_pages_find_their_files(web, brand):
    """Every script and style that the pages load exists, with the right type and content."""
    claim = web.assets(brand)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.assets.previous", over="brand", owner="crm")
def test_open_tabs_find_their_files(web, brand):
    """The files of the build before are still served, for the tabs that clients have open."""
    claim = web.old_assets(brand)
    assert claim.holds, claim.why
