"""What time it is by the product's clock, told by the Date of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from postdeploy.broker.recording import Exchange

HALF_A_SECOND = timedelta(seconds=0.5)
"""A Date is cut to the second, so on average this much is missing."""


def served_at(answer: Exchange) -> datetime | None:
    """When the product answered, by its own clock; None where it did not say."""
    try:
        served = parsedate_to_datetime(answer.served)
    except ValueError:
        return None
    return (served if served.tzinfo else served.replace(tzinfo=UTC)) + HALF_A_SECOND


def skew_beyond(answer: Exchange, tolerated_s: float) -> float:
    """Seconds that the product's clock is ahead of ours, where that is more than tolerated; else 0.

    The moment of answering is known no better than the answer's duration allows.
    """
    served, half = served_at(answer), timedelta(seconds=answer.duration_s / 2)
    if served is None:
        return 0.0
    seconds = (served - (answer.at + half)).total_seconds()
    return seconds if abs(seconds) > tolerated_s + half.total_seconds() else 0.0
