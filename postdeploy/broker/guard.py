"""The spend guard: asked before any request that moves money leaves; what is unclear is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from postdeploy.broker.money import Money
from postdeploy.environment import Deposit, Environment, Limits
from postdeploy.verdict import Unverified

REHEARSAL_DAYS = 100
"""A rehearsal's money is play money, and developers rehearse all day: its day has the ceiling of so many."""


class SpendRefused(Unverified):
    """The guard did not agree; nothing was sent."""


@dataclass(frozen=True)
class Proven:
    """An account that said of itself, in this run, that it is one of our synthetic ones."""

    account: str
    payments: str
    """Where its payments go: sandbox or live."""


@dataclass(frozen=True)
class Plan:
    """What is about to be spent, and for what."""

    account: str
    method: str
    money: Money
    beneficiary: str
    """Who receives it, as the product says."""
    mode: str
    posts: int = 2
    """How many requests may move that much: the deposit, and its repetition under the same key."""

    @property
    def at_most(self) -> Money:
        """The most that all of its requests together can move."""
        return Money(self.money.amount * self.posts, self.money.currency)


@dataclass(frozen=True)
class Rules:
    """What an environment allows."""

    ceilings: Mapping[str, Limits]
    accounts: frozenset[str]
    beneficiaries: frozenset[str]
    deposits: Mapping[str, Deposit]
    modes: Mapping[str, str]
    """By method how it may be proved."""
    consent: str = ""
    days: int = 1
    """By how much the day's ceiling is multiplied."""

    @classmethod
    def of(cls, environment: Environment, *, rehearsal: bool = False) -> Rules:
        """The rules of an environment's file."""
        spending = environment.business.spending
        return cls(
            spending.ceilings,
            frozenset(account.id for _, account in environment.api.accounts),
            frozenset(spending.beneficiaries),
            environment.deposits,
            {name: each.mode or spending.mode for name, each in environment.deposits.items()},
            spending.consent or "",
            REHEARSAL_DAYS if rehearsal else 1,
        )


@dataclass(frozen=True)
class Spent:
    """What may have been spent already, in the plan's currency."""

    run: Decimal
    day: Decimal
    """In the last 24 hours: by the journal and by the product's own ledger, whichever says more of each key."""


def refusal(plan: Plan, proven: Proven | None, rules: Rules, spent: Spent) -> str:
    """Why the plan may not be carried out, or nothing."""
    return _stranger(plan, proven, rules) or _beyond(plan, rules, spent)


def spent_in_all(journal: Mapping[str, Money], product: Mapping[str, Money]) -> Decimal:
    """The sum over every key that either knows, of the larger of what the two say."""
    zero = Decimal(0)
    amounts = (
        max(*(source[key].amount if key in source else zero for source in (journal, product)), zero)
        for key in journal.keys() | product.keys()
    )
    return sum(amounts, zero)


def _stranger(plan: Plan, proven: Proven | None, rules: Rules) -> str:
    declared = rules.deposits.get(plan.method)
    if proven is None or proven.account != plan.account:
        return f"account {plan.account} has not been proven synthetic in this run"
    if plan.account not in rules.accounts:
        return f"account {plan.account} is not on the allow-list"
    if declared is None:
        return f"method {plan.method} is not declared here"
    if plan.beneficiary not in rules.beneficiaries:
        return f"beneficiary {plan.beneficiary!r} is not on the allow-list ({', '.join(sorted(rules.beneficiaries))})"
    if plan.mode != rules.modes[plan.method]:
        return f"{plan.method} may be proved by {rules.modes[plan.method]}, not by {plan.mode}"
    if plan.mode == "sandbox" and proven.payments != "sandbox":
        return f"payments of {plan.account} go to the {proven.payments} PSP, and only its sandbox is allowed"
    if plan.mode == "penny" and not rules.consent:
        return "no consent of the PSP and the treasury is on record"
    if plan.money != Money(declared.amount, declared.currency):
        return f"{plan.money} is not the amount agreed for {plan.method} ({declared.amount} {declared.currency})"
    return ""


def _beyond(plan: Plan, rules: Rules, spent: Spent) -> str:
    money, limits = plan.money, rules.ceilings.get(plan.money.currency)
    if limits is None:
        return f"no ceiling is declared for {money.currency}, so nothing of it may be spent"
    if money.amount <= 0 or plan.posts < 1 or min(spent.run, spent.day) < 0:
        return f"{plan.posts} times {money}, with {spent.run} and {spent.day} spent, makes no sense"
    ladder = (
        ("call", money.amount, limits.call),
        ("run", spent.run + plan.at_most.amount, limits.run),
        ("day", spent.day + plan.at_most.amount, limits.day * rules.days),
    )
    for name, amount, ceiling in ladder:
        if ceiling == 0:
            return f"the ceiling per {name} is 0 {money.currency}: the checks that spend are closed"
        if amount > ceiling:
            return f"{amount} {money.currency} in one {name} is beyond the ceiling of {ceiling}"
    return ""
