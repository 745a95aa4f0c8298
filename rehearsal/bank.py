"""The brokerage's books: a double-entry ledger in SQLite that survives a restart and can be inspected after a crash.

Amounts are whole coins. Every transaction's entries add up to nothing in each currency, or it is not committed.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from postdeploy.environment import Environment

OPENING = 100_000
"""Coins every synthetic account begins with."""
RESERVED = 2_500
"""Coins of them that are held as margin."""
TREASURY = "treasury"

SCHEMA = """
create table if not exists accounts(id text primary key, login text unique, currency text);
create table if not exists logins(n integer primary key, login text, at real, outcome text);
create table if not exists codes(login text primary key, seed text, step integer);
create table if not exists challenges(id text primary key, login text);
create table if not exists sessions(
  token text primary key, refresh text unique, account text, expires real, live integer);
create table if not exists payments(
  id text primary key, account text, key text, tag text, method text, amount integer, currency text, fee integer,
  beneficiary text, capture integer, state text, created real, due real);
create table if not exists refunds(
  id text primary key, payment text, key text, amount integer, currency text, state text, created real, due real);
create table if not exists answers(account text, key text, path text, status integer, body text,
  primary key(account, key, path));
create table if not exists transactions(id integer primary key, payment text, kind text, at real);
create table if not exists entries(
  id integer primary key, txn integer references transactions, book text, amount integer, currency text);
create index if not exists entries_of_book on entries(book);
"""

Leg = tuple[str, int, str]
"""Book, coins, currency."""


class Unbalanced(Exception):
    """Somebody tried to post entries that do not add up."""


class Bank:
    """Accounts and money of one environment; every method is one step that a crash leaves done or undone."""

    def __init__(self, environment: Environment, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self.environment, self.clock = environment, clock
        self.db = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None, timeout=10)
        self.db.row_factory = sqlite3.Row
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = normal")
        self.db.executescript(SCHEMA)
        with self.step():
            for _, account in environment.api.accounts:
                self._open(account.id, account.login)

    @contextmanager
    def step(self) -> Iterator[None]:
        """All or nothing; steps lie within each other."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            raise
        self.db.execute("commit")

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, if any."""
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Every row."""
        return self.db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> None:
        """Change something."""
        self.db.execute(sql, values)

    def post(self, kind: str, payment: str, legs: Iterable[Leg]) -> None:
        """One transaction of the ledger. Raises Unbalanced."""
        entries = [each for each in legs if each[1]]
        for currency in {each[2] for each in entries}:
            if sum(coins for _, coins, of in entries if of == currency):
                raise Unbalanced(f"{kind} of {payment or 'nothing'}: {entries}")
        with self.step():
            sql = "insert into transactions(payment, kind, at) values (?, ?, ?)"
            txn = self.db.execute(sql, (payment, kind, self.clock())).lastrowid
            for book, coins, currency in entries:
                self.run(
                    "insert into entries(txn, book, amount, currency) values (?, ?, ?, ?)", txn, book, coins, currency
                )

    def total(self, account: str) -> dict[str, int]:
        """Coins of an account by currency, as its entries add up."""
        sql = "select currency, sum(amount) coins from entries where book = ? group by currency"
        return {each["currency"]: each["coins"] for each in self.all(sql, book(account))}

    def entries(self, account: str) -> list[sqlite3.Row]:
        """What the ledger says of an account, oldest first."""
        sql = """select e.id, e.amount, e.currency, t.kind, t.payment, t.at, p.key, p.tag,
                 sum(e.amount) over (partition by e.currency order by e.id) balance
                 from entries e join transactions t on t.id = e.txn left join payments p on p.id = t.payment
                 where e.book = ? order by e.id"""
        return self.all(sql, book(account))

    def imbalance(self) -> list[tuple[int, str, int]]:
        """Transactions whose entries do not add up: none, unless somebody wrote past this class."""
        sql = "select txn, currency, sum(amount) coins from entries group by txn, currency having sum(amount) != 0"
        return [(each["txn"], each["currency"], each["coins"]) for each in self.all(sql)]

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()

    def _open(self, account: str, login: str) -> None:
        if self.one("select 1 from accounts where id = ?", account):
            return
        currency = self.environment.currency
        self.run("insert into accounts(id, login, currency) values (?, ?, ?)", account, login, currency)
        self.post("opening", "", [(book(account), OPENING, currency), (TREASURY, -OPENING, currency)])


def book(account: str) -> str:
    """The ledger's book of a client."""
    return f"client:{account}"
