"""What is traded at the rehearsal's brokerage, by jurisdiction, and at which prices."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from postdeploy.environment import Environment
from rehearsal.moods import MarketMood

FX = (
    *("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "NZDUSD", "USDCAD", "EURGBP", "EURJPY", "EURCHF", "GBPJPY"),
    *("AUDJPY", "CHFJPY", "EURAUD", "GBPCHF", "CADJPY"),
)
INDEX = ("US500", "US30", "UK100", "DE40", "JP225", "EU50")
METAL = ("XAUUSD", "XAGUSD", "XPTUSD")
EQUITY = ("ACME", "BOLT", "CRUX", "DELT", "ETNA", "FLUX", "GRIT", "HALO", "IRIS", "JOLT")
FILL = {"fx": FX, "index": INDEX, "metal": METAL, "equity": EQUITY}
PRICES = {"fx": 1.25, "index": 7800.0, "metal": 2650.0, "equity": 84.0, "energy": 74.0}


class Market:
    """The instruments of one jurisdiction and their prices."""

    def __init__(self, environment: Environment, seed: int, mood: MarketMood) -> None:
        self.environment, self.mood = environment, mood
        declared = environment.api.instruments
        filled = [symbol for symbols in FILL.values() for symbol in symbols]
        self.symbols = list(dict.fromkeys([*declared, *filled]))
        random.Random(f"instruments {seed}").shuffle(self.symbols)

    def listed(self) -> list[dict[str, object]]:
        """Every instrument on offer."""
        names = self.environment.api.instruments if self.mood.thin else self.symbols
        return [self._instrument(each) for each in names if each not in self.mood.hidden] + self.mood.also

    def quotes(self, now: float) -> list[dict[str, object]]:
        """A price for every instrument on offer, in this instant."""
        return [
            self._quote(str(each["symbol"]), now) for each in self.listed() if each["symbol"] not in self.mood.unpriced
        ]

    def calendar(self, now: float) -> list[dict[str, str]]:
        """The next holidays: the one of today only where the markets are closed."""
        today = datetime.fromtimestamp(now, UTC).date()
        days = [("New Year", today.replace(month=1, day=1, year=today.year + 1))]
        days += [("Founders' Day", today)] if self.mood.closed else []
        return [{"date": day.isoformat(), "name": name, "market": "all"} for name, day in days]

    def preview(self, symbol: str, quantity: str) -> dict[str, object]:
        """What an order would cost; nothing is placed."""
        price = self._mid(symbol)
        cost = f"{price * float(quantity):.2f}"
        told = {"symbol": symbol, "quantity": quantity, "price": f"{price:.5f}", "cost": cost}
        order = "ord_1" if self.mood.books_previews else None
        return told | {"currency": self.environment.currency, "order": order}

    def _instrument(self, symbol: str) -> dict[str, object]:
        kind = asset_class(symbol)
        product = "cfd" if "cfd" not in self.environment.business.market.forbidden else "spot"
        halted = symbol in self.mood.untradable or symbol in self.mood.suspended
        told: dict[str, object] = {"symbol": symbol, "name": instrument_name(symbol), "asset_class": kind}
        return told | {"product": product, "currency": self.environment.currency, "tradable": not halted}

    def _quote(self, symbol: str, now: float) -> dict[str, object]:
        price = self._mid(symbol)
        spread = price * 0.0002 * (-1 if symbol in self.mood.crossed else 1)
        idle = self.mood.closed or symbol in self.mood.suspended
        age = timedelta(hours=15) if idle else timedelta(seconds=self.mood.age_s)
        at = datetime.fromtimestamp(now, UTC) - age
        session = "suspended" if symbol in self.mood.suspended else "closed" if self.mood.closed else "open"
        told: dict[str, object] = {"symbol": symbol, "bid": f"{price - spread:.5f}", "ask": f"{price + spread:.5f}"}
        return told | {"at": at.isoformat().replace("+00:00", "Z"), "session": session}

    def _mid(self, symbol: str) -> float:
        return PRICES.get(asset_class(symbol), 10.0) * (1 + random.Random(symbol).random() / 10)


def asset_class(symbol: str) -> str:
    """`fx` for a currency pair, and so on."""
    if symbol.startswith(("XAU", "XAG", "XPT")):
        return "metal"
    if symbol in ("BRENT", "USOIL"):
        return "energy"
    if len(symbol) == 6 and symbol.isalpha():
        return "fx"
    return "index" if symbol[-1:].isdigit() else "equity"


def instrument_name(symbol: str) -> str:
    """`EUR/USD` for a currency pair, the symbol itself for anything else."""
    return f"{symbol[:3]}/{symbol[3:]}" if len(symbol) == 6 and symbol.isalpha() else symbol


def stranger(symbol: str, **how: Any) -> dict[str, object]:
    """An entry of the list that is none of ours."""
    told = {"symbol": symbol, "name": symbol, "asset_class": "crypto", "product": "spot", "currency": "USD"}
    return told | {"tradable": True} | how
