"""Judges deposits: accepted, in their end state, credited exactly once, idempotent, undone. Pure."""

from __future__ import annotations

from decimal import Decimal

from postdeploy.broker.judging import DOWN_CAUSE, answered, described, failed, passed
from postdeploy.broker.looks import Seen
from postdeploy.broker.models import read
from postdeploy.broker.models_money import Balances, Entry, Ledger, Methods
from postdeploy.broker.models_money import Deposit as Paid
from postdeploy.broker.money import Money, sums
from postdeploy.environment import Deposit
from postdeploy.verdict import Held, Judgement

ACCEPTED = "smoke.deposit.accepted"
ENDS = "smoke.deposit.ends"
HOPELESS = ("failed", "rejected", "cancelled", "refunded")
UNCLEAR_CAUSE = "the request is carried out after the answer is given up, or an error comes after the commit"
LEDGER_CAUSE = "the ledger posting is repeated, lost or made in the wrong currency by this release: stop it"


def offer_of(declared: Deposit, seen: Seen) -> str:
    """What is wrong with the method as the product offers it, or nothing; if it is wrong nothing is spent."""
    methods, wrong = read(Methods, seen.last("methods").response)
    if methods is None:
        return f"the list of methods is not as agreed: {wrong or described(seen.last('methods'))}"
    offer = next((each for each in methods.methods if each.method == declared.method), None)
    if offer is None:
        return (
            f"{declared.method} is not offered (only {', '.join(each.method for each in methods.methods) or 'nothing'})"
        )
    if offer.currency != declared.currency:
        return f"it is offered in {offer.currency}, not in {declared.currency}"
    if offer.fee != declared.fee:
        return f"its fee is {offer.fee} {offer.currency}, and {declared.fee} is declared"
    if offer.minimum > declared.amount:
        return f"its minimum is {offer.minimum} {offer.currency}, above the {declared.amount} agreed with compliance"
    return ""


def is_accepted(host: str, declared: Deposit, seen: Seen) -> Judgement:
    """A deposit is accepted as it was asked for, with an answer that says so."""
    claim = f"{host} accepts {asked(declared)} by {declared.method}"
    if offer := seen.facts.get("offer"):
        return failed(claim, offer, host, seen.last("methods"), "the method's configuration changed in this release")
    answer = seen.last("deposit")
    if answer.is_unclear:
        found = seen.facts.get("found")
        known = f"the product has it as {found}" if found else "the product knows nothing of it so far"
        return failed(claim, f"{described(answer)}, and {known}", host, answer, UNCLEAR_CAUSE if found else DOWN_CAUSE)
    paid, judged = answered(claim, host, answer, Paid, "the payment service or its PSP refuses what it took before")
    if paid is None:
        return judged
    wrong = [
        f"{name} {got} instead of {wanted}"
        for name, got, wanted in (
            ("method", paid.method, declared.method),
            ("amount", Decimal(paid.amount), declared.amount),
            ("currency", paid.currency, declared.currency),
            ("fee", paid.fee, declared.fee),
            ("key", paid.key, answer.idempotency_key),
        )
        if got != wanted
    ]
    if wrong:
        return failed(claim, "; ".join(wrong), host, answer, "the payment service changes what it was asked for")
    return passed(claim, f"{paid.id}, {paid.state}")


def reaches_its_end(host: str, declared: Deposit, wanted: str, seen: Seen) -> Judgement:
    """The deposit reaches the end state declared for its method; every state on the way is told."""
    claim = f"{asked(declared)} by {declared.method} is {wanted} within {declared.within_s:g} s"
    _accepted(host, declared, seen)
    states = seen.facts["states"]
    told = " → ".join(states)
    if states[-1] == "settled" or states[-1] == wanted:
        return passed(claim, told)
    answer = seen.last("state") if seen.has("state") else seen.last("deposit")
    if states[-1] in HOPELESS:
        return failed(
            claim, f"{told}, and cannot become {wanted} any more", host, answer, "the PSP or a fraud rule refused it"
        )
    if states[-1] == "unreadable":
        return failed(claim, f"{told}: {described(answer)}", host, answer, DOWN_CAUSE)
    cause = "the PSP's webhooks do not arrive, or crm-celery-payments does not work its queue off"
    return failed(claim, f"still {told} after {seen.facts['waited_s']:.1f} s", host, answer, cause)


def is_credited(host: str, declared: Deposit, wanted: str, seen: Seen) -> Judgement:
    """A settled deposit is in ledger and balance once, in its currency, less its fee; a pending one is not."""
    claim = f"{asked(declared)} by {declared.method} is credited exactly once"
    if not reaches_its_end(host, declared, wanted, seen).holds:
        raise Held(ENDS)
    settled = seen.facts["states"][-1] == "settled"
    if not settled:
        claim = f"{asked(declared)} by {declared.method} is not credited while it is pending"
    ledger, judged = answered(claim, host, seen.last("ledger"), Ledger)
    before, first = answered(claim, host, seen.first("balances"), Balances)
    after, second = answered(claim, host, seen.last("balances"), Balances)
    if ledger is None or before is None or after is None:
        return judged if ledger is None else first if before is None else second
    due = {declared.currency: declared.amount - declared.fee} if settled else {}
    wrong = posted(ledger.entries, declared, due) + moved(before, after, due)
    if wrong:
        return failed(claim, "; ".join(wrong), host, seen.last("ledger"), LEDGER_CAUSE)
    return passed(
        claim, f"{sum_of(due)} in the ledger and in the balance" if settled else "no entry, balance unchanged"
    )


def is_idempotent(host: str, declared: Deposit, seen: Seen) -> Judgement:
    """The same request under the same key is one deposit."""
    claim = f"{asked(declared)} by {declared.method}, asked for twice under one key, is one deposit"
    _accepted(host, declared, seen)
    first, again = seen.last("deposit"), seen.last("repeat")
    paid, judged = answered(claim, host, first, Paid)
    same, also = answered(claim, host, again, Paid, "a repetition is refused where it should be answered as before")
    if paid is None or same is None:
        return judged if paid is None else also
    cause = "keys are not looked up before the deposit is made, or are kept where another pod does not see them"
    known = [each["id"] for each in seen.last("by key").response.get("deposits", [])]
    if same.id != paid.id or len(known) != 1:
        return failed(claim, f"the key made {', '.join(dict.fromkeys([paid.id, same.id, *known]))}", host, again, cause)
    return passed(claim, f"both times {paid.id}")


def is_undone(host: str, declared: Deposit, seen: Seen) -> Judgement:
    """What the deposit did is undone: the product says so, and its ledger says the same."""
    claim = f"{asked(declared)} by {declared.method} is undone, and nothing of it is left"
    if seen.facts["state"] == "void":
        return passed(claim, "it never arrived, so nothing had to be undone")
    if seen.has("end") and (wrong := differs(seen)):
        said = f"all deposits are undone, and since the beginning {wrong}"
        return failed(claim, said, host, seen.last("end"), "the balance is cached, or somebody else used the account")
    as_before = ", and the balance is as before all of them" if seen.has("end") else ""
    return passed(claim, f"{seen.facts['told']}; its ledger entries add up to nothing{as_before}")


def differs(seen: Seen) -> str:
    """How the balance at the end differs from that at the beginning, where everything is undone by now; or nothing."""
    start, _ = read(Balances, seen.last("start").response)
    end, wrong = read(Balances, seen.last("end").response)
    if start is None or end is None:
        return f"the balances cannot be read: {wrong or described(seen.last('end'))}"
    return "; ".join(moved(start, end, {}))


def _accepted(host: str, declared: Deposit, seen: Seen) -> None:
    if not is_accepted(host, declared, seen).holds:
        raise Held(ACCEPTED)


def posted(entries: tuple[Entry, ...], declared: Deposit, due: dict[str, Decimal]) -> list[str]:
    """What is wrong with the entries of a deposit."""
    credited = [each for each in entries if each.amount > 0]
    wrong = []
    if due and len(credited) != 1:
        wrong.append(f"{len(credited)} credits: {_list_of(credited) or 'none'}")
    if not due and entries:
        wrong.append(f"{len(entries)} entries although it has not settled: {_list_of(list(entries))}")
    net = sums(each.money for each in entries)
    if net != {currency: amount for currency, amount in due.items() if amount}:
        fee = f", {declared.amount} less a fee of {declared.fee}" if declared.fee else ""
        wrong.append(f"the ledger has {sum_of(net) or 'nothing'} instead of {sum_of(due) or 'nothing'}{fee}")
    return wrong


def moved(before: Balances, after: Balances, due: dict[str, Decimal]) -> list[str]:
    """What is wrong with how the balance moved."""
    first = {each.currency: each.total for each in before.balances}
    last = {each.currency: each.total for each in after.balances}
    zero = Decimal(0)
    moved = {each: last.get(each, zero) - first.get(each, zero) for each in first.keys() | last.keys()}
    wrong = {currency: amount for currency, amount in moved.items() if amount != due.get(currency, zero)}
    return [f"the balance moved by {sum_of(moved) or 'nothing'} instead of {sum_of(due) or 'nothing'}"] if wrong else []


def asked(declared: Deposit) -> str:
    """What is deposited, in words."""
    return str(Money(declared.amount, declared.currency))


def sum_of(amounts: dict[str, Decimal]) -> str:
    """Amounts by currency, in words."""
    return " + ".join(f"{amount} {currency}" for currency, amount in sorted(amounts.items()) if amount)


def _list_of(entries: list[Entry]) -> str:
    return ", ".join(f"{each.amount} {each.currency} ({each.kind})" for each in entries)
