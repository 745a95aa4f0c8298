"""How many decimals a currency has (ISO 4217): JPY none, KWD three, most two."""

from __future__ import annotations

from decimal import Decimal

USUAL = 2
MINOR_UNITS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def decimals(currency: str) -> int:
    """Decimals of an amount in that currency."""
    return MINOR_UNITS.get(currency, USUAL)


def is_whole(amount: Decimal, currency: str) -> bool:
    """Whether an amount is a whole number of the currency's smallest coins."""
    scaled = amount.scaleb(decimals(currency))
    return scaled == scaled.to_integral_value()
