import pytest


@pytest.mark.check("smoke.documents.loaded", owner="crm", controls=["DORA-9.4e"])
def test_documents_load(trader):
    """Every kind of document that a client must have is listed, and opens."""
    documents = trader.documents_load()
    assert documents.holds, documents.why


@pytest.mark.check("smoke.documents.statements", owner="reporting", controls=["DORA-9.4e"])
def test_statements_load(trader):
    """The account has statements, and each has pages."""
    statements = trader.statements_load()
    assert statements.holds, statements.why
