"""Instruments and prices, judged from literal answers, whatever the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from postdeploy.broker import claims_market as claims
from postdeploy.broker.models import Instrument
from postdeploy.environment import load
from postdeploy.verdict import State
from tests.broker.making import AT, HOST, answer

UK = load("uk-prod")


def instrument(symbol: str, **how) -> dict:
    told = {
        "symbol": symbol,
        "name": symbol,
        "asset_class": "fx",
        "product": "cfd",
        "currency": "GBP",
        "tradable": True,
    }
    return told | how


def listed(*entries: dict) -> dict:
    return {"instruments": list(entries)}


def quote(symbol: str, age: float = 1, session: str = "open", bid: str = "1.0", ask: str = "1.1") -> dict:
    at = (AT - timedelta(seconds=age)).isoformat()
    return {"symbol": symbol, "bid": bid, "ask": ask, "at": at, "session": session}


def fresh(quotes: list[dict], *instruments: dict, holidays: tuple[str, ...] = ()):
    days = [{"date": each, "name": "x", "market": "all"} for each in holidays]
    answers = (answer({"quotes": quotes}), answer({"holidays": days}), answer(listed(*instruments)))
    return claims.are_fresh(HOST, UK, *answers)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (listed(instrument("EURUSD")), "not offered: XAUUSD (1 are listed)"),
        (listed(instrument("EURUSD", tradable=False), instrument("XAUUSD")), "not tradable: EURUSD"),
        (listed(instrument("EURUSD") | {"tradable": "yes"}), "`instruments.0.tradable`"),
        ({"items": []}, "missing required field `instruments` (there are unknown fields: `items`)"),
    ],
)
def test_what_a_client_must_be_offered(said, seen):
    judged = claims.offers(HOST, "syn", answer(said), ["EURUSD", "XAUUSD"])
    assert judged.state is State.FAILED
    assert seen in judged.seen


def test_list_is_complete_by_asset_class_and_has_nothing_twice():
    entries = [instrument("A"), instrument("B"), instrument("X", asset_class="metal")]
    assert claims.is_complete(HOST, answer(listed(*entries)), {"fx": 2, "metal": 1}).holds
    thin = claims.is_complete(HOST, answer(listed(*entries)), {"fx": 3, "index": 1})
    assert thin.seen == "2 fx instead of 3, 0 index instead of 1"
    twice = claims.is_complete(HOST, answer(listed(*entries, instrument("A"))), {"fx": 2})
    assert twice.seen == "A 2 times"


def test_what_is_forbidden_here_is_absent():
    entries = listed(instrument("A", product="spot"), instrument("B", product="cfd"))
    assert claims.is_permitted(HOST, answer(entries), ["cfd"], "SFC").seen == "offered: B (cfd)"
    assert claims.is_permitted(HOST, answer(entries), ["binary-option"], "FCA").holds
    assert claims.is_permitted(HOST, answer(entries), [], "FCA").state is State.NOT_APPLICABLE


def test_age_is_told_by_the_products_own_clock():
    """Ours is a minute behind."""
    quotes = answer({"quotes": [quote("A", 0)]}, served="Wed, 25 Nov 2026 10:00:01 GMT")
    behind = replace(quotes, at=AT - timedelta(minutes=1))
    days, entries = answer({"holidays": []}), answer(listed(instrument("A")))
    assert claims.are_fresh(HOST, UK, behind, days, entries).state is State.PASSED


@pytest.mark.parametrize(("age", "state"), [(0.5, "passed"), (4.9, "passed"), (8, "degraded"), (30, "failed")])
def test_pipeline_that_takes_five_seconds_does_not_take_thirty(age, state):
    assert fresh([quote("A", age)], instrument("A")).state == state


def test_price_from_the_future_is_no_price():
    assert "comes from the future" in fresh([quote("A", -60)], instrument("A")).seen


def test_instrument_without_a_price_is_failed_unless_nobody_may_trade_it():
    assert fresh([], instrument("A")).seen == "A has no price"
    assert fresh([], instrument("A", tradable=False)).holds
    assert fresh([quote("A", 9999, "suspended")], instrument("A", tradable=False)).holds
    assert "suspended and still listed" in fresh([quote("A", 1, "suspended")], instrument("A")).seen


def test_market_is_closed_only_when_a_calendar_says_so():
    """It is a Wednesday morning in London."""
    old = [quote("A", 99999, "closed")]
    assert fresh(old, instrument("A")).seen == "A is closed and no calendar says why"
    assert fresh(old, instrument("A"), holidays=("2026-11-25",)).holds
    assert not fresh(old, instrument("A"), holidays=("2026-11-26",)).holds


def test_declared_holiday_is_the_feeds_and_closes_the_market_here_too():
    christmas = datetime(2026, 12, 25, 10, tzinfo=UTC)
    told = quote("A", session="closed") | {"at": "2026-12-24T10:00:00Z"}
    quotes = replace(answer({"quotes": [told]}), at=christmas)
    answers = (quotes, answer({"holidays": []}), answer(listed(instrument("A"))))
    assert claims.are_fresh(HOST, UK, *answers).holds
    assert not claims.are_fresh(
        HOST, UK.model_copy(update={"web": UK.web.model_copy(update={"feed": None})}), *answers
    ).holds


@pytest.mark.parametrize(
    ("when", "kind", "closed"),
    [
        ("2026-11-25T10:00", "fx", False),
        ("2026-11-28T10:00", "fx", True),
        ("2026-11-28T10:00", "crypto", False),
        ("2026-11-27T21:30", "fx", True),
        ("2026-11-29T22:30", "fx", True),
        ("2026-11-25T23:00", "fx", True),
        ("2026-11-25T05:00", "index", True),
        ("2026-11-25T06:31", "index", False),
    ],
)
def test_weekends_and_quiet_hours_are_closed(when, kind, closed):
    shown = Instrument(symbol="A", name="A", asset_class=kind, product="cfd", currency="GBP", tradable=True)
    now = datetime.fromisoformat(when).replace(tzinfo=UTC)
    assert claims.may_be_closed(shown, now, UK, set()) is closed


@pytest.mark.parametrize(
    ("bid", "ask", "holds"), [("1", "2", True), ("2", "2", False), ("3", "2", False), ("0", "1", False)]
)
def test_bid_is_below_ask(bid, ask, holds):
    assert claims.are_sane(HOST, answer({"quotes": [quote("A", bid=bid, ask=ask)]})).holds is holds


def test_price_as_a_number_is_no_price():
    said = {"quotes": [quote("A") | {"bid": 1.1}]}
    assert "`quotes.0.bid`" in claims.are_sane(HOST, answer(said)).seen


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"order": "ord_1"}, "it placed order ord_1"),
        ({"symbol": "B"}, "it is about 1 B"),
        ({"quantity": "2"}, "it is about 2 A"),
        ({"cost": "0"}, "for 0 GBP"),
    ],
)
def test_preview_is_of_what_was_asked_and_places_nothing(changed, said):
    told = {"symbol": "A", "quantity": "1", "price": "1.2", "cost": "1.20", "currency": "GBP", "order": None}
    assert claims.previews(HOST, "A", "1", answer(told)).holds
    assert said in claims.previews(HOST, "A", "1", answer(told | changed)).seen
