"""The rehearsal's books balance, survive a restart, and change only as the product's API says."""

from __future__ import annotations

import pytest

from postdeploy.environment import load
from rehearsal.bank import OPENING, Bank, Unbalanced, book
from rehearsal.cashier import leave
from rehearsal.client_api import ClientApi
from rehearsal.market import Market
from rehearsal.moods import MarketMood, MoneyMood
from rehearsal.psp import Order, Psp, coins, written

UK = load("uk-prod")
TRADER = UK.api.accounts.trader.id


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bank(tmp_path, clock):
    return Bank(UK, tmp_path / "books.sqlite", clock)


@pytest.fixture
def psp(bank):
    return Psp(UK, bank, MoneyMood())


def order(method: str = "card", amount: int = 1000, *, capture: bool = True) -> Order:
    return Order(TRADER, "key", "tag", method, amount, "GBP", "us", capture)


def payment(bank, ident):
    return bank.one("select * from payments where id = ?", ident)


def test_every_account_begins_with_the_same_and_the_treasury_owes_it(bank):
    assert {bank.total(account.id)["GBP"] for _, account in UK.api.accounts} == {OPENING}
    assert bank.one("select sum(amount) n from entries")["n"] == 0
    assert bank.imbalance() == []


def test_entries_that_do_not_add_up_are_refused_whole(bank):
    with pytest.raises(Unbalanced):
        bank.post("theft", "", [(book(TRADER), 100, "GBP"), ("psp", -99, "GBP")])
    with pytest.raises(Unbalanced):
        bank.post("exchange", "", [(book(TRADER), 100, "GBP"), ("psp", -100, "EUR")])
    assert bank.total(TRADER) == {"GBP": OPENING}


def test_a_step_that_fails_leaves_nothing(bank):
    def half() -> None:
        with bank.step():
            bank.post("deposit", "", [(book(TRADER), 100, "GBP"), ("psp", -100, "GBP")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert bank.total(TRADER) == {"GBP": OPENING}


def test_a_deposit_settles_in_its_time_and_a_refund_takes_it_back(bank, psp, clock):
    ident = psp.take(order())
    psp.advance()
    assert (psp.state(payment(bank, ident)), bank.total(TRADER)) == ("pending", {"GBP": OPENING})
    clock.now += 1
    psp.advance()
    assert (psp.state(payment(bank, ident)), bank.total(TRADER)) == ("settled", {"GBP": OPENING + 1000})
    psp.refund(payment(bank, ident), "undo")
    assert psp.state(payment(bank, ident)) == "refunding"
    clock.now += 1
    psp.advance()
    psp.advance()
    assert (psp.state(payment(bank, ident)), bank.total(TRADER)) == ("refunded", {"GBP": OPENING})
    assert bank.imbalance() == []


def test_what_is_under_way_settles_after_a_restart(bank, psp, clock, tmp_path):
    psp.take(order())
    bank.close()
    clock.now += 1
    again = Bank(UK, tmp_path / "books.sqlite", clock)
    Psp(UK, again, MoneyMood()).advance()
    assert again.total(TRADER) == {"GBP": OPENING + 1000}
    assert again.one("select count(*) n from accounts")["n"] == 3


@pytest.mark.parametrize("how", [order("bank-transfer"), order(capture=False)])
def test_what_is_only_announced_or_slow_by_nature_stays_pending(how, bank, psp, clock):
    ident = psp.take(how)
    clock.now += 86400
    psp.advance()
    assert psp.state(payment(bank, ident)) == "pending"
    psp.cancel(payment(bank, ident))
    assert psp.state(payment(bank, ident)) == "cancelled"
    assert bank.total(TRADER) == {"GBP": OPENING}


def test_a_fee_is_the_houses_and_never_lost(clock):
    mt = load("mt-prod")
    bank = Bank(mt, None, clock)
    psp, trader = Psp(mt, bank, MoneyMood()), mt.api.accounts.trader.id
    psp.take(Order(trader, "key", "tag", "sepa-instant", 1000, "EUR", "us", capture=True))
    clock.now += 1
    psp.advance()
    assert bank.total(trader) == {"EUR": OPENING + 980}
    assert bank.one("select sum(amount) n from entries where book = 'fees'")["n"] == 20


def test_a_leftover_is_there_in_the_state_it_was_left_in(bank, psp):
    for state in ("settled", "cancelled", "pending"):
        leave(bank, psp, order(), state)
    assert [each["state"] for each in bank.all("select state from payments order by rowid")] == [
        "settled",
        "cancelled",
        "pending",
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(1000, "GBP", "10.00"), (10, "JPY", "10"), (1, "KWD", "0.001")]
)
def test_coins_are_written_with_the_decimals_of_their_currency(amount, currency, text):
    from decimal import Decimal

    assert written(amount, currency) == text
    assert coins(Decimal(text), currency) == amount


@pytest.mark.parametrize("name", ["uk-prod", "hk-prod", "ae-prod", "za-prod", "sg-prod", "cy-prod", "mt-prod", "stage"])
def test_each_jurisdiction_lists_what_it_must_and_nothing_it_forbids(name):
    environment = load(name)
    listed = Market(environment, 1, MarketMood()).listed()
    assert set(environment.api.instruments) <= {each["symbol"] for each in listed}
    assert not {each["product"] for each in listed} & set(environment.business.market.forbidden)
    counts = {kind: sum(each["asset_class"] == kind for each in listed) for kind in environment.business.market.floors}
    assert all(counts[kind] >= floor for kind, floor in environment.business.market.floors.items())


def test_two_brokerages_share_their_books_through_the_file(tmp_path):
    first = ClientApi(UK, 1, "password", tmp_path / "books.sqlite")
    first.psp.take(order())
    second = ClientApi(UK, 1, "another password", tmp_path / "books.sqlite")
    assert second.bank.one("select count(*) n from payments")["n"] == 1
