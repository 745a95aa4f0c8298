"""Deposits, balances and papers, judged from literal answers."""

from __future__ import annotations

import pytest

from postdeploy.broker import claims_money as claims
from postdeploy.broker import claims_papers
from postdeploy.broker.recording import Fault
from postdeploy.environment import Deposit
from postdeploy.verdict import Held, State
from tests.broker.making import AT, HOST, answer, paid, said, seen

CARD = Deposit(method="card", currency="GBP", amount="10.00")
WITH_FEE = Deposit(method="card", currency="GBP", amount="10.00", fee="0.20")
METHODS = {"methods": [{"method": "card", "currency": "GBP", "minimum": "10.00", "fee": "0.00", "beneficiary": "us"}]}


def balances(total: str, **how) -> dict:
    told = {"currency": "GBP", "total": total, "available": total, "reserved": "0.00"} | how
    return {"balances": [told]}


def entry(amount: str, kind: str = "deposit", currency: str = "GBP") -> dict:
    told = {"id": "1", "kind": kind, "payment": "pay_1", "key": "k", "amount": amount, "balance": "0.00"}
    return told | {"currency": currency, "at": AT.isoformat()}


def made(entries=(), before="100.00", after="110.00", states=("pending", "settled"), **how):
    """A deposit that was followed to its end."""
    first = answer(said(paid("k", states[0])), 201, idempotency_key="k")
    steps = {
        "methods": answer(METHODS),
        "deposit": first,
        "repeat": first,
        "by_key": answer({"deposits": [{"id": "pay_1"}]}),
    }
    steps |= {
        "ledger": answer({"entries": list(entries)}),
        "balances": [answer(balances(before)), answer(balances(after))],
    }
    return seen({"states": list(states), "key": "k", "waited_s": 1.0}, **(steps | how))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"methods": []}, "card is not offered (only nothing)"),
        ({"methods": [METHODS["methods"][0] | {"fee": "0.30"}]}, "its fee is 0.30 GBP, and 0 is declared"),
        ({"methods": [METHODS["methods"][0] | {"currency": "EUR"}]}, "offered in EUR"),
        ({"methods": [METHODS["methods"][0] | {"minimum": "25.00"}]}, "its minimum is 25.00 GBP"),
        ({"methods": [{"method": "card"}]}, "not as agreed"),
    ],
)
def test_offer_that_is_not_as_declared_is_told_before_anything_is_spent(changed, why):
    assert why in claims.offer_of(CARD, seen(methods=answer(changed)))


def test_offer_as_declared_is_silent():
    assert claims.offer_of(CARD, seen(methods=answer(METHODS))) == ""


@pytest.mark.parametrize(
    ("deposit", "facts", "words"),
    [
        (
            answer({"error": "boom"}, 500),
            {"found": "pay_1, settled"},
            "status 500 'boom', and the product has it as pay_1",
        ),
        (answer(None, 0, fault=Fault.TIME_OUT, error="x"), {"found": ""}, "the product knows nothing of it so far"),
        (answer({"error": "no"}, 422), {}, "status 422 'no'"),
        (answer(None, 0, fault=Fault.CONNECT, error="refused"), {}, "accepts no connection"),
        (answer(said(paid("k", amount="11.00")), 201, idempotency_key="k"), {}, "amount 11.00 instead of 10.00"),
        (answer(said(paid("other")), 201, idempotency_key="k"), {}, "key other instead of k"),
    ],
)
def test_deposit_that_is_not_accepted_says_what_became_of_it(deposit, facts, words):
    judged = claims.is_accepted(HOST, CARD, seen(facts, methods=answer(METHODS), deposit=deposit))
    assert judged.state is State.FAILED
    assert words in judged.seen


def test_what_depends_on_an_accepted_deposit_is_held_without_one():
    refused = seen({}, methods=answer(METHODS), deposit=answer({"error": "no"}, 422))
    for judge in (claims.reaches_its_end, claims.is_credited):
        with pytest.raises(Held, match=r"smoke\.deposit\.accepted"):
            judge(HOST, CARD, "settled", refused)
    with pytest.raises(Held):
        claims.is_idempotent(HOST, CARD, refused)


@pytest.mark.parametrize(
    ("states", "wanted", "holds"),
    [
        (("pending", "settled"), "settled", True),
        (("pending",), "pending", True),
        (("settled",), "pending", True),
        (("pending",), "settled", False),
        (("pending", "rejected"), "settled", False),
        (("pending", "unreadable"), "settled", False),
    ],
)
def test_every_state_on_the_way_is_told(states, wanted, holds):
    judged = claims.reaches_its_end(HOST, CARD, wanted, made(states=states))
    assert judged.holds is holds
    assert " → ".join(states) in judged.seen


@pytest.mark.parametrize(
    ("entries", "after", "wrong"),
    [
        ([entry("10.00")], "110.00", ""),
        ([entry("10.00"), entry("10.00")], "120.00", "2 credits"),
        ([], "110.00", "0 credits: none"),
        ([entry("10.00", currency="CHF")], "100.00", "10.00 CHF instead of 10.00 GBP"),
        ([entry("9.99")], "109.99", "the ledger has 9.99 GBP instead of 10.00 GBP"),
        ([entry("10.00")], "100.00", "the balance moved by nothing instead of 10.00 GBP"),
        ([entry("10.00")], "120.00", "the balance moved by 20.00 GBP"),
    ],
)
def test_credited_exactly_once_in_its_currency(entries, after, wrong):
    judged = claims.is_credited(HOST, CARD, "settled", made(entries, after=after))
    assert wrong in judged.seen
    assert judged.holds is (not wrong)


def test_declared_fee_may_be_taken_off_or_be_an_entry_of_its_own():
    offer = answer({"methods": [METHODS["methods"][0] | {"fee": "0.20"}]})
    first = answer(said(paid("k", fee="0.20")), 201, idempotency_key="k")
    for entries in ([entry("9.80")], [entry("10.00"), entry("-0.20", "fee")]):
        sight = made(entries, after="109.80", methods=offer, deposit=first)
        assert claims.is_credited(HOST, WITH_FEE, "settled", sight).holds
    assert not claims.is_credited(HOST, WITH_FEE, "settled", made([entry("10.00")], methods=offer, deposit=first)).holds


def test_pending_deposit_is_not_credited():
    assert claims.is_credited(HOST, CARD, "pending", made([], after="100.00", states=("pending",))).holds
    early = claims.is_credited(HOST, CARD, "pending", made([entry("10.00")], states=("pending",)))
    assert "1 entries although it has not settled" in early.seen


def test_credit_is_not_judged_where_the_end_was_not_reached():
    with pytest.raises(Held, match=r"smoke\.deposit\.ends"):
        claims.is_credited(HOST, CARD, "settled", made(states=("pending",)))


def test_same_key_twice_is_one_deposit():
    assert claims.is_idempotent(HOST, CARD, made()).holds
    second = answer(said(paid("k", ident="pay_2")), 201)
    assert "the key made pay_1, pay_2" in claims.is_idempotent(HOST, CARD, made(repeat=second)).seen
    hidden = answer({"deposits": [{"id": "pay_1"}, {"id": "pay_2"}]})
    assert not claims.is_idempotent(HOST, CARD, made(by_key=hidden)).holds, "though both answers name the first"
    refused = claims.is_idempotent(HOST, CARD, made(repeat=answer({"error": "duplicate"}, 409)))
    assert "status 409 'duplicate'" in refused.seen


def test_balance_is_as_before_once_all_is_undone():
    facts = {"state": "undone", "told": "pay_1 undone", "key": "k"}
    start = answer(balances("100.00"))
    assert claims.is_undone(HOST, CARD, seen(facts, start=start, end=answer(balances("100.00")))).holds
    off = claims.is_undone(HOST, CARD, seen(facts, start=start, end=answer(balances("100.01"))))
    assert (off.state, "moved by 0.01 GBP" in off.seen) == (State.FAILED, True)
    assert claims.is_undone(HOST, CARD, seen(facts | {"state": "void"})).holds


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (balances("100.00"), ""),
        (balances("100.01", available="100.00"), "100.00 available + 0.00 reserved are not 100.01 GBP"),
        (balances("99.00"), "the ledger ends at 100.00 and the balance is 99.00 GBP"),
        ({"balances": []}, "no balance in GBP"),
        (balances("100.00") | {"balances": [balances("100.00")["balances"][0] | {"total": 100}]}, "`balances.0.total`"),
    ],
)
def test_balances_add_up_to_the_ledger(told, wrong):
    ledger = answer({"entries": [entry("1.00") | {"balance": "100.00"}]})
    judged = claims_papers.balances_add_up(HOST, "SYN-1", seen(balances=answer(told), ledger=ledger))
    assert wrong in judged.seen
    assert judged.holds is (not wrong)


def test_money_that_no_ledger_entry_stands_behind_does_not_add_up():
    nothing = answer({"entries": []})
    judged = claims_papers.balances_add_up(HOST, "SYN-1", seen(balances=answer(balances("5.00")), ledger=nothing))
    assert judged.seen == "the ledger ends at 0 and the balance is 5.00 GBP"
    assert claims_papers.balances_add_up(HOST, "SYN-1", seen(balances=answer(balances("0.00")), ledger=nothing)).holds


def test_documents_are_listed_and_open():
    listing = {"documents": [{"id": "1", "kind": "terms", "title": "Terms"}]}
    opened = answer({"id": "1", "kind": "terms", "content": "What was agreed between us and you."})
    assert claims_papers.documents_load(HOST, ["terms"], seen(documents=answer(listing), document=opened)).holds
    missing = claims_papers.documents_load(HOST, ["terms", "fees"], seen(documents=answer(listing), document=opened))
    assert missing.seen == "not listed: fees"
    for broken in (answer({"error": "gone"}, 404), answer({"id": "1", "kind": "terms", "content": " "})):
        assert not claims_papers.documents_load(HOST, ["terms"], seen(documents=answer(listing), document=broken)).holds


@pytest.mark.parametrize(("pages", "holds"), [([2], True), ([], False), ([2, 0], False)])
def test_statements_have_pages(pages, holds):
    told = {
        "statements": [{"period": f"2026-{n:02}", "pages": each, "currency": "GBP"} for n, each in enumerate(pages)]
    }
    assert claims_papers.statements_load(HOST, "syn", answer(told)).holds is holds
