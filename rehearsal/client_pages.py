"""The pages of the web client behind the login: account, instruments, deposits, history; and the legal ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from postdeploy.environment import Deposit, labels
from rehearsal.pages import Setting

TABLE = "<table><caption>{caption}</caption><tbody>\n{rows}\n</tbody></table>"
DEPOSIT = """<form method="post" action="/{locale}/deposit" data-testid="deposit-form">
<label for="method">{method}</label> <select id="method" name="method">{options}</select>
<label>{amount} <input name="amount" type="text" inputmode="decimal" autocomplete="off" required></label>
<button type="submit">{pay}</button>
</form>"""


def account_page(setting: Setting, login: str, balances: Iterable[tuple[str, str]]) -> str:
    """Who is signed in, and what there is."""
    rows = _rows((currency, amount) for currency, amount in balances)
    main = f'<p data-testid="signed-in">{escape(login)}</p>{TABLE.format(caption="", rows=rows)}'
    return setting.page(labels(setting.locale)["account"], main)


def instruments_page(setting: Setting, instruments: Iterable[Mapping[str, Any]]) -> str:
    """Everything that is offered, with a field to find it by."""
    words, locale = labels(setting.locale), setting.locale
    linked = (
        f'<tr><td><a href="/{locale}/instruments/{escape(str(each["symbol"]))}">{escape(str(each["symbol"]))}</a></td>'
        f"<td>{escape(str(each['name']))}</td></tr>"
        for each in instruments
    )
    search = f'<label>{escape(words["search"])} <input type="search" name="q" autocomplete="off"></label>'
    table = TABLE.format(caption=escape(words["instruments"]), rows="\n".join(linked))
    return setting.page(words["instruments"], search + table)


def instrument_page(setting: Setting, symbol: str, quote: Mapping[str, Any]) -> str:
    """One instrument and its live price; whether its market is open."""
    words, shut = labels(setting.locale), quote["session"] != "open"
    live = f"/{setting.locale}/quotes/{symbol}"
    main = (
        f'<p data-testid="price" data-live="{escape(live)}">{escape(str(quote["bid"]))}</p>'
        f'<p data-testid="market-closed"{"" if shut else " hidden"}>{escape(words["closed"])}</p>'
    )
    return setting.page(symbol, main)


def deposit_page(setting: Setting, methods: Iterable[Deposit]) -> str:
    """The form to deposit with."""
    options = "".join(f'<option value="{each.method}">{each.method}</option>' for each in methods)
    form = setting.fill(DEPOSIT, options="OPTIONS").replace("OPTIONS", options)
    return setting.page(labels(setting.locale)["deposit"], form)


def receipt_page(setting: Setting, deposit: Mapping[str, Any], ends: str) -> str:
    """One deposit and the state that it has reached, which the script keeps up to date."""
    live = f"/{setting.locale}/deposit/{deposit['id']}/state"
    state = str(deposit["state"])
    main = (
        f'<p data-testid="deposit-amount">{escape(deposit["amount"])} {escape(deposit["currency"])}</p>'
        f'<p role="status" data-testid="deposit-status" data-live="{live}" data-ends="{ends}" data-state="{state}">'
        f'{escape(state_label(setting.locale, state))}</p><p data-testid="deposit-id">{deposit["id"]}</p>'
    )
    return setting.page(labels(setting.locale)["deposit"], main)


def history_page(setting: Setting, deposits: Iterable[Mapping[str, Any]]) -> str:
    """Every deposit, the newest first."""
    rows = _rows(
        (each["id"], each["method"], f"{each['amount']} {each['currency']}", state_label(setting.locale, each["state"]))
        for each in deposits
    )
    words = labels(setting.locale)
    return setting.page(words["history"], TABLE.format(caption=escape(words["deposit"]), rows=rows))


def legal_page(setting: Setting, kind: str) -> str:
    """The risk warning or the terms, long enough to be scrolled."""
    words, text = labels(setting.locale), setting.web.warning(setting.locale) if setting.web else ""
    main = "".join(f"<p>{escape(text)}</p>" for _ in range(3))
    return setting.page(words[kind], main, long=True)


def logo(name: str) -> str:
    """A brand's logo."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="32" role="img">'
        f'<text x="0" y="24" font-family="sans-serif" font-size="22" fill="#0b5cad">{escape(name)}</text></svg>'
    )


def state_label(locale: str, state: str) -> str:
    """A deposit's state in the client's language; what has no word of its own is still pending to a client."""
    words = labels(locale)
    return words["settled"] if state == "settled" else words["pending"] if state == "pending" else state


def _rows(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
