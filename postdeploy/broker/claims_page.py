"""Judges a deposit that was made in a page: whether the product's books say what the page said. Pure."""

from __future__ import annotations

from postdeploy.broker.claims_money import LEDGER_CAUSE, asked, moved, posted, sum_of
from postdeploy.broker.judging import DOWN_CAUSE, answered, failed, passed
from postdeploy.broker.looks import Seen
from postdeploy.broker.models_money import Balances, Deposits, Ledger
from postdeploy.environment import Deposit
from postdeploy.verdict import Held, Judgement, State

SHOWN = "journeys.deposit.shown"
BOOKED = "journeys.deposit.booked"
LOST_CAUSE = (
    "the page answers before the payment service does, or shows what it was asked for instead of what came of it"
)


def is_booked(host: str, declared: Deposit, wanted: str, seen: Seen) -> Judgement:
    """What the page took is one deposit under our key, as it was asked for, and credited as its state says."""
    claim = f"the {asked(declared)} by {declared.method} that the page took are booked once"
    if silent := seen.facts.get("silent"):
        return Judgement(
            State.FAILED, claim, f"the product does not say: {silent}", f"GET https://{host}/…", DOWN_CAUSE
        )
    if "found" not in seen.facts:
        raise Held(SHOWN)
    listed, judged = answered(claim, host, seen.last("by key"), Deposits)
    if listed is None:
        return judged
    if len(listed.deposits) != 1:
        said = f"the product knows {len(listed.deposits)} deposits under its key"
        return failed(claim, said, host, seen.last("by key"), LOST_CAUSE)
    paid = listed.deposits[0]
    wrong = [
        f"{name} {got} instead of {due}"
        for name, got, due in (
            ("method", paid.method, declared.method),
            ("amount", paid.money.amount, declared.amount),
            ("currency", paid.currency, declared.currency),
            ("state", paid.state, paid.state if paid.state == "settled" else wanted),
        )
        if got != due
    ]
    ledger, first = answered(claim, host, seen.last("ledger"), Ledger)
    before, second = answered(claim, host, seen.first("balances"), Balances)
    after, third = answered(claim, host, seen.last("balances"), Balances)
    if ledger is None or before is None or after is None:
        return first if ledger is None else second if before is None else third
    due = {declared.currency: declared.amount - declared.fee} if paid.state == "settled" else {}
    wrong += posted(ledger.entries, declared, due) + moved(before, after, due)
    if wrong:
        return failed(claim, "; ".join(wrong), host, seen.last("ledger"), LEDGER_CAUSE)
    return passed(claim, f"{paid.id}, {paid.state}, {sum_of(due) or 'nothing'} in the ledger and in the balance")
