import pytest


@pytest.mark.check("endpoints.contract.schema", over="host", owner="api")
def test_documents_keep_their_contract(web, host):
    """Each document fits its strict model; a field that is new is reported."""
    claim = web.schema(host)
    assert claim.holds, claim.why


@pytest.mark.check("endpoints.contract.openapi", owner="api")
def test_api_answers_as_it_describes_itself(web, environment):
    """The API's own description is of this release, and its answers fit it."""
    claim = web.openapi(environment.name)
    assert claim.holds, claim.why
