"""Money: a Decimal, its currency, and how many coins of it are the smallest amount."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from postdeploy.environment import decimals, is_whole

WRITTEN = re.compile(r"-?\d{1,15}(\.\d{1,6})?")


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in a currency; amounts of two currencies are neither added nor compared."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise ValueError(f"an amount is a finite Decimal, not {self.amount!r}")
        if not is_whole(self.amount, self.currency):
            raise ValueError(
                f"{self.currency} has {decimals(self.currency)} decimals: {self.amount} is no amount of it"
            )

    @classmethod
    def of_coins(cls, coins: int, currency: str) -> Money:
        """So many of the currency's smallest coins."""
        return cls(Decimal(coins).scaleb(-decimals(currency)), currency)

    @property
    def coins(self) -> int:
        """The amount in the currency's smallest coins: JPY 10 are 10, GBP 10 are 1000, KWD 10 are 10000."""
        return int(self.amount.scaleb(decimals(self.currency)))

    @property
    def plain(self) -> str:
        """As the API writes it: `10.00`, `10` in JPY."""
        return f"{self.amount:.{decimals(self.currency)}f}"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __str__(self) -> str:
        return f"{self.plain} {self.currency}"

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self} and {other} are of two currencies")
        return other.amount


def parse(text: object) -> Decimal:
    """An amount as the API must write it: text, for a JSON number has no exact decimals. Raises ValueError."""
    if not isinstance(text, str) or not WRITTEN.fullmatch(text):
        raise ValueError("an amount is text such as '10.00'")
    return Decimal(text)


def sums(parts: Iterable[Money]) -> dict[str, Decimal]:
    """The totals by currency, without those that are nothing."""
    found: dict[str, Decimal] = {}
    for each in parts:
        found[each.currency] = found.get(each.currency, Decimal(0)) + each.amount
    return {currency: total for currency, total in found.items() if total}
