"""Money is exact, in whole coins of its currency, and never mixed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.broker.money import Money, parse, sums

CURRENCIES = st.sampled_from(["GBP", "JPY", "KWD", "HKD", "ISK", "TND"])


@pytest.mark.parametrize(
    ("amount", "currency", "coins", "plain"),
    [("10", "JPY", 10, "10"), ("10.00", "GBP", 1000, "10.00"), ("10.005", "KWD", 10005, "10.005")],
)
def test_coins_of_currencies_with_none_two_and_three_decimals(amount, currency, coins, plain):
    money = Money(Decimal(amount), currency)
    assert (money.coins, money.plain) == (coins, plain)


@given(st.integers(-(10**12), 10**12), CURRENCIES)
def test_coins_and_amounts_are_two_ways_to_say_one_thing(coins, currency):
    money = Money.of_coins(coins, currency)
    assert money.coins == coins
    assert Money(parse(money.plain), currency) == money


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.5", "JPY"), ("0.005", "GBP"), ("NaN", "GBP"), ("Infinity", "GBP")]
)
def test_no_smaller_coin_than_the_currency_has(amount, currency):
    with pytest.raises(ValueError, match="amount"):
        Money(Decimal(amount), currency)


def test_a_float_is_no_amount():
    with pytest.raises(ValueError, match="finite Decimal"):
        Money(10.0, "GBP")  # type: ignore[arg-type]


def test_two_currencies_are_never_added():
    with pytest.raises(ValueError, match="two currencies"):
        Money(Decimal(1), "GBP") + Money(Decimal(1), "EUR")


@pytest.mark.parametrize("said", [10, 10.0, "1e3", "10,00", "", " 1", "+1", None, "NaN", "0x10"])
def test_an_amount_in_an_answer_is_plain_text(said):
    with pytest.raises(ValueError, match="an amount is text"):
        parse(said)


def test_sums_leave_out_what_is_nothing():
    parts = [Money(Decimal(n), c) for n, c in ((10, "GBP"), (-10, "GBP"), (3, "EUR"))]
    assert sums(parts) == {"EUR": Decimal(3)}
