"""The payment service provider: takes the money in, later, and gives it back; what it did is in the bank's ledger."""

from __future__ import annotations

import math
import secrets
import sqlite3
from dataclasses import dataclass
from decimal import Decimal

from postdeploy.environment import Environment, decimals
from rehearsal.bank import Bank, book
from rehearsal.moods import MoneyMood

FEES = "fees"
ENDED = ("refunded", "cancelled", "failed")
LATE_S = 10.0**9


@dataclass(frozen=True)
class Order:
    """A deposit as a client asks for it."""

    account: str
    key: str
    tag: str
    method: str
    amount: int
    currency: str
    beneficiary: str
    capture: bool


class Psp:
    """Takes deposits from pending to settled and refunds from pending to settled as time goes by."""

    def __init__(self, environment: Environment, bank: Bank, mood: MoneyMood) -> None:
        self.environment, self.bank, self.mood = environment, bank, mood

    def take(self, order: Order) -> str:
        """Begin a deposit; its id."""
        ident, now = f"pay_{secrets.token_hex(8)}", self.bank.clock()
        declared = self.environment.deposits[order.method]
        waits = not order.capture or declared.ends == "pending" or math.isinf(self.mood.settles_s)
        due = now + (LATE_S if waits else self.mood.settles_s)
        fee = coins(declared.fee, order.currency) + self.mood.extra_fee
        self.bank.run(
            "insert into payments values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
            *(ident, order.account, order.key, order.tag, order.method, order.amount, order.currency, fee),
            *(order.beneficiary, order.capture, now, due),
        )
        return ident

    def refund(self, payment: sqlite3.Row, key: str) -> str:
        """Begin to give back what was credited; the refund's id."""
        ident, now = f"ref_{secrets.token_hex(8)}", self.bank.clock()
        self.bank.run(
            "insert into refunds values (?, ?, ?, ?, ?, 'pending', ?, ?)",
            *(ident, payment["id"], key, payment["amount"] - payment["fee"], self._credited_in(payment)),
            *(now, now + self.mood.refunds_s),
        )
        self.bank.run("update payments set state = 'refunding' where id = ?", payment["id"])
        return ident

    def cancel(self, payment: sqlite3.Row) -> None:
        """End a deposit before its money moved."""
        self.bank.run("update payments set state = 'cancelled' where id = ?", payment["id"])

    def advance(self) -> None:
        """Let happen what is due: whoever asks next sees it done, also after a restart."""
        now = self.bank.clock()
        with self.bank.step():
            for each in self.bank.all("select * from payments where state not in ('settled') and due <= ?", now):
                if each["state"] not in (*ENDED, "refunding"):
                    self._settle(each)
            for each in self.bank.all("select * from refunds where state = 'pending' and due <= ?", now):
                self._return(each)

    def state(self, payment: sqlite3.Row) -> str:
        """What a client is told: on its way a deposit may pass further states."""
        if payment["state"] != "pending" or not self.mood.steps:
            return str(payment["state"])
        share = (self.bank.clock() - payment["created"]) / max(payment["due"] - payment["created"], 1e-9)
        known = ("pending", *self.mood.steps)
        return known[min(int(share * len(known)), len(known) - 1)]

    def _settle(self, payment: sqlite3.Row) -> None:
        if self.mood.fails:
            self.bank.run("update payments set state = 'failed' where id = ?", payment["id"])
            return
        account, currency = book(payment["account"]), self._credited_in(payment)
        amount, fee, source = payment["amount"], payment["fee"], f"psp:{payment['method']}"
        for _ in range(self.mood.credits):
            if self.mood.fee_apart:
                self.bank.post("deposit", payment["id"], [(source, -amount, currency), (account, amount, currency)])
                self.bank.post("fee", payment["id"], [(account, -fee, currency), (FEES, fee, currency)])
            else:
                legs = [(source, -amount, currency), (account, amount - fee, currency), (FEES, fee, currency)]
                self.bank.post("deposit", payment["id"], legs)
        self.bank.run("update payments set state = 'settled' where id = ?", payment["id"])

    def _return(self, refund: sqlite3.Row) -> None:
        payment = self.bank.one("select * from payments where id = ?", refund["payment"])
        assert payment is not None
        coins_back, currency = refund["amount"], refund["currency"]
        legs = [(book(payment["account"]), -coins_back, currency), (f"psp:{payment['method']}", coins_back, currency)]
        self.bank.post("refund", payment["id"], legs)
        self.bank.run("update refunds set state = 'settled' where id = ?", refund["id"])
        self.bank.run("update payments set state = 'refunded' where id = ?", payment["id"])

    def _credited_in(self, payment: sqlite3.Row) -> str:
        return self.mood.credited_in or str(payment["currency"])


def coins(amount: Decimal, currency: str) -> int:
    """An amount in the currency's smallest coins."""
    return int(amount.scaleb(decimals(currency)))


def written(coins_: int, currency: str) -> str:
    """Coins as the API writes them: `10.00`, of a currency without decimals `10`."""
    places = decimals(currency)
    return f"{Decimal(coins_).scaleb(-places):.{places}f}"
