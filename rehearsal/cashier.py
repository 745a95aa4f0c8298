"""Deposits, refunds and the ledger, as the rehearsal's API offers them; requests are idempotent by key."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from postdeploy.environment import is_whole
from rehearsal.bank import Bank
from rehearsal.moods import ApiSettings, Trouble
from rehearsal.psp import ENDED, Order, Psp, coins, written

PAGE = 200
SILENCE_S = 120.0
"""Longer than anybody waits."""


class Refused(Exception):
    """The request is not carried out."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


class Cashier:
    """Where money comes in and goes out again."""

    def __init__(self, bank: Bank, psp: Psp, settings: ApiSettings) -> None:
        self.bank, self.psp, self.settings = bank, psp, settings
        self.mood = settings.money
        self._befallen: set[str] = set()

    async def methods(self, request: web.Request, account: str) -> web.Response:
        """How one can deposit here, and what it costs."""
        environment = self.psp.environment
        name = self.mood.stranger or next(iter(environment.business.spending.beneficiaries), "nobody")
        listed = [
            {
                "method": each.method,
                "currency": each.currency,
                "minimum": written(coins(each.amount, each.currency), each.currency),
                "fee": written(coins(each.fee, each.currency) + self.mood.extra_fee, each.currency),
                "beneficiary": name,
            }
            for each in environment.deposits.values()
            if each.method not in self.mood.withdrawn
        ]
        return web.json_response({"methods": listed})

    async def deposit(self, request: web.Request, account: str) -> web.Response:
        """Begin a deposit, or say again what came of it."""
        return await self._once(request, account, self.mood.deposit, self._deposit)

    async def cancel(self, request: web.Request, account: str) -> web.Response:
        """End a deposit whose money has not moved."""
        return await self._once(request, account, "", self._cancel)

    async def refund(self, request: web.Request, account: str) -> web.Response:
        """Give a settled deposit back."""
        return await self._once(request, account, self.mood.refund, self._refund)

    async def one(self, request: web.Request, account: str) -> web.Response:
        """One deposit."""
        try:
            return web.json_response(self._told(self._payment(request, account)))
        except Refused as refused:
            return web.json_response({"error": refused.error}, status=refused.status)

    async def listed(self, request: web.Request, account: str) -> web.Response:
        """Deposits by key, tag or time, newest last, a page at a time."""
        sql, values = "select rowid, * from payments where account = ?", list[Any]([account])
        for name in ("key", "tag"):
            if name in request.query:
                sql, values = f"{sql} and {name} = ?", [*values, request.query[name]]
        if "since" in request.query:
            since = datetime.fromisoformat(request.query["since"]).timestamp()
            sql, values = f"{sql} and created >= ?", [*values, since]
        after = int(request.query.get("after", "0"))
        rows = self.bank.all(f"{sql} and rowid > ? order by rowid limit ?", *values, after, PAGE + 1)
        page = rows[:PAGE]
        following = str(page[-1]["rowid"]) if len(rows) > PAGE else None
        return web.json_response({"deposits": [self._told(each) for each in page], "next": following})

    async def ledger(self, request: web.Request, account: str) -> web.Response:
        """The account's entries, oldest first."""
        wanted = request.query.get("payment")
        entries = [each for each in self.bank.entries(account) if wanted in (None, each["payment"])]
        if "last" in request.query:  # the newest of each currency
            entries = list({each["currency"]: each for each in entries}.values())
        return web.json_response({"entries": [_entry(each) for each in entries]})

    async def _once(self, request: web.Request, account: str, trouble: Trouble, act: Any) -> web.Response:
        """Carry out a request under its key once, in one step with what is remembered of it."""
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return web.json_response({"error": "Idempotency-Key is missing"}, status=400)
        given = await request.json()
        if self.mood.first_only and key in self._befallen:
            trouble = ""
        self._befallen.add(key)
        if trouble.endswith("before"):
            return await _trouble(trouble)
        if trouble == "late":  # whether or not the client is still there then
            asyncio.get_running_loop().call_later(self.mood.late_s, self._carry_out, request, account, key, given, act)
            return await _trouble("silence after")
        status, text = self._carry_out(request, account, key, given, act)
        return await _trouble(trouble) if trouble else web.json_response(text=text, status=status)

    def _carry_out(
        self, request: web.Request | None, account: str, key: str, given: dict[str, Any], act: Any
    ) -> tuple[int, str]:
        """Status and answer, those of the first time where the key is known."""
        path = request.path if request else "page"
        with self.bank.step():
            known = self.bank.one(
                "select * from answers where account = ? and key = ? and path = ?", account, key, path
            )
            if known is not None and not self.mood.ignores_keys:
                return known["status"], known["body"]
            try:
                status, told = 201, act(request, account, key, given)
            except Refused as refused:
                status, told = refused.status, {"error": refused.error}
            text = json.dumps(told)
            values = (account, key, path, status, text)
            self.bank.run("insert or replace into answers values (?, ?, ?, ?, ?)", *values)
            return status, text

    def by_page(self, account: str, headers: Mapping[str, str], given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A deposit through a page: under the key and the tag that the request carries, else under one of its own."""
        declared = self.psp.environment.deposits.get(str(given.get("method")))
        name = next(iter(self.psp.environment.business.spending.beneficiaries), "nobody")
        given |= {"currency": declared.currency if declared else "", "beneficiary": self.mood.stranger or name}
        given |= {"tag": headers.get("X-Synthetic-Tag", ""), "capture": headers.get("X-Synthetic-Capture") != "no"}
        key = headers.get("Idempotency-Key") or secrets.token_hex(20)
        status, text = self._carry_out(None, account, key, given, self._deposit)
        return status, json.loads(text)

    def known(self, account: str, ident: str) -> dict[str, Any] | None:
        """One deposit of an account."""
        row = self.bank.one("select * from payments where id = ? and account = ?", ident, account)
        return self._told(row) if row else None

    def newest(self, account: str) -> list[dict[str, Any]]:
        """The last deposits of an account, the newest first."""
        rows = self.bank.all("select * from payments where account = ? order by rowid desc limit 50", account)
        return [self._told(each) for each in rows]

    def _deposit(self, request: web.Request | None, account: str, key: str, given: dict[str, Any]) -> dict[str, Any]:
        declared = self.psp.environment.deposits.get(str(given.get("method")))
        if declared is None or declared.method in self.mood.withdrawn:
            raise Refused(422, f"no method {given.get('method')!r}")
        amount = _amount(given, declared.currency)
        if amount < declared.amount or self.mood.refuses:
            raise Refused(422, "deposits are suspended" if self.mood.refuses else f"at least {declared.amount}")
        order = Order(
            *(account, key, str(given.get("tag", "")), declared.method, coins(amount, declared.currency)),
            *(declared.currency, str(given.get("beneficiary")), given.get("capture") is not False),
        )
        return self._told(self._row(self.psp.take(order)))

    def _cancel(self, request: web.Request, account: str, key: str, given: dict[str, Any]) -> dict[str, Any]:
        payment = self._payment(request, account)
        if payment["state"] != "pending" or not self.mood.cancels:
            raise Refused(409, f"cannot be cancelled: {payment['state']}")
        self.psp.cancel(payment)
        return self._told(self._row(payment["id"]))

    def _refund(self, request: web.Request, account: str, key: str, given: dict[str, Any]) -> dict[str, Any]:
        payment = self._payment(request, account)
        if self.mood.refuses_refunds:
            raise Refused(422, "refunds are suspended by the PSP")
        if payment["state"] != "settled" and not (self.mood.ignores_keys and payment["state"] == "refunding"):
            raise Refused(409, f"cannot be refunded: {payment['state']}")
        self.psp.refund(payment, key)
        return self._told(self._row(payment["id"]))

    def _payment(self, request: web.Request, account: str) -> sqlite3.Row:
        sql = "select * from payments where id = ?"
        payment = self.bank.one(sql, request.match_info["id"])
        if payment is None or (payment["account"] != account and not self.settings.open_accounts):
            raise Refused(404, "no such deposit")
        return payment

    def _row(self, ident: str) -> sqlite3.Row:
        row = self.bank.one("select * from payments where id = ?", ident)
        assert row is not None
        return row

    def _told(self, payment: sqlite3.Row) -> dict[str, Any]:
        currency = payment["currency"]
        refunds = self.bank.all("select * from refunds where payment = ?", payment["id"])
        return {
            **{name: payment[name] for name in ("id", "key", "tag", "method", "currency", "beneficiary")},
            "amount": written(payment["amount"], currency),
            "fee": written(payment["fee"], currency),
            "state": self.psp.state(payment),
            "created": _moment(payment["created"]),
            "refunds": [
                {
                    "id": each["id"],
                    "key": each["key"],
                    "amount": written(each["amount"], each["currency"]),
                    "currency": each["currency"],
                    "state": each["state"],
                }
                for each in refunds
            ],
        }


def leave(bank: Bank, psp: Psp, order: Order, state: str) -> None:
    """A deposit that somebody made before, and left in that state."""
    ident = psp.take(order)
    if state == "settled":
        bank.run("update payments set due = 0 where id = ?", ident)
        psp.advance()
    elif state in ENDED:
        bank.run("update payments set state = ? where id = ?", state, ident)


async def _trouble(trouble: Trouble) -> web.Response:
    if trouble.startswith("silence"):
        await asyncio.sleep(SILENCE_S)
    return web.json_response({"error": "internal error"}, status=500)


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    told = {"id": str(row["id"]), "kind": row["kind"], "payment": row["payment"] or None, "key": row["key"]}
    told |= {name: written(row[name], row["currency"]) for name in ("amount", "balance")}
    return told | {"currency": row["currency"], "at": _moment(row["at"])}


def _amount(given: dict[str, Any], currency: str) -> Decimal:
    """The amount that was asked for: text, in the method's currency, in whole coins."""
    try:
        amount = Decimal(given["amount"]) if isinstance(given.get("amount"), str) else None
    except InvalidOperation:
        amount = None
    if amount is None or given.get("currency") != currency or not is_whole(amount, currency):
        raise Refused(422, f"an amount as text, in {currency}")
    return amount


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
