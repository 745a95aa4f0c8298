"""Judges what an account shows of itself: balances, documents, statements. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from postdeploy.broker.judging import answered, described, failed, passed
from postdeploy.broker.looks import Seen
from postdeploy.broker.models import Content, Documents, Statements
from postdeploy.broker.models_money import Balances, Ledger
from postdeploy.broker.recording import Exchange
from postdeploy.verdict import Judgement

BALANCE_CAUSE = "entries were posted twice or not at all, or the balance is cached; stop before anybody pays out"
LEAST = 20
"""Characters below which a document is none."""


def balances_add_up(host: str, account: str, seen: Seen) -> Judgement:
    """What is available and what is reserved is the total, and the total is what the ledger says."""
    claim = f"the balances of {account} add up, and are its ledger's"
    told = seen.last("balances")
    balances, judged = answered(claim, host, told, Balances)
    ledger, also = answered(claim, host, seen.last("ledger"), Ledger)
    if balances is None or ledger is None:
        return judged if balances is None else also
    last = {each.currency: each.balance for each in ledger.entries}
    wrong = []
    for each in balances.balances:
        if each.available + each.reserved != each.total:
            wrong.append(f"{each.available} available + {each.reserved} reserved are not {each.total} {each.currency}")
        if (end := last.get(each.currency, Decimal(0))) != each.total:
            wrong.append(f"the ledger ends at {end} and the balance is {each.total} {each.currency}")
    missing = sorted(last.keys() - {each.currency for each in balances.balances})
    wrong += [f"no balance in {each}, in which the ledger has entries" for each in missing]
    if wrong:
        return failed(claim, "; ".join(wrong), host, told, BALANCE_CAUSE)
    if not balances.balances:
        return failed(claim, "there is no balance at all", host, told, BALANCE_CAUSE)
    return passed(claim, ", ".join(f"{each.total} {each.currency}" for each in balances.balances))


def documents_load(host: str, kinds: Iterable[str], seen: Seen) -> Judgement:
    """Every kind of document that a client must have is listed, and opens."""
    wanted = tuple(kinds)
    claim = f"the documents {', '.join(wanted)} load at {host}"
    told = seen.last("documents")
    listed, judged = answered(claim, host, told, Documents)
    if listed is None:
        return judged
    if missing := [each for each in wanted if each not in {found.kind for found in listed.documents}]:
        return failed(
            claim, f"not listed: {', '.join(missing)}", host, told, "documents of this entity were not published"
        )
    for each in seen.all("document"):
        content, wrong = answered(claim, host, each, Content, "the file is gone from the store, or its path changed")
        if content is None:
            return wrong
        if len(content.content.strip()) < LEAST:
            return failed(claim, f"{content.kind} is empty", host, each, "the file was rendered without its template")
    return passed(claim, f"{len(seen.all('document'))} opened")


def statements_load(host: str, account: str, answer: Exchange) -> Judgement:
    """The account has statements, and each has pages."""
    claim = f"the statements of {account} load at {host}"
    listed, judged = answered(claim, host, answer, Statements)
    if listed is None:
        return judged
    empty = [each.period for each in listed.statements if each.pages < 1]
    if empty or not listed.statements:
        said = f"without a page: {', '.join(empty)}" if empty else f"there is none ({described(answer)})"
        return failed(claim, said, host, answer, "the nightly job that makes statements failed, or its store is empty")
    return passed(claim, f"{len(listed.statements)}, the latest of {listed.statements[-1].period}")
