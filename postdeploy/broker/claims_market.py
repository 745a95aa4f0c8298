"""Judges instruments, prices and order previews. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from postdeploy.broker.clocks import served_at
from postdeploy.broker.judging import answered, failed, passed, where
from postdeploy.broker.models import Calendar, Instrument, Instruments, Preview, Quote, Quotes
from postdeploy.broker.recording import Exchange
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State

SESSION_CAUSE = "the session just granted is not accepted: sessions are not shared between pods, or expire at once"
OFFER_CAUSE = "the instrument was disabled for this jurisdiction, or the instruments feed has not been loaded"
FEED_CAUSE = "the price feed has stopped, or its pipeline (feed, Celery, cache) has fallen behind"
SHOWN = 5


def offers(host: str, account: str, answer: Exchange, declared: Iterable[str]) -> Judgement:
    """Every declared instrument is on the account's list and may be traded."""
    symbols = tuple(declared)
    claim = f"{account} is offered {len(symbols)} declared instruments at {host}"
    listed, judged = answered(claim, host, answer, Instruments, SESSION_CAUSE)
    if listed is None:
        return judged
    known = {each.symbol for each in listed.instruments}
    tradable = {each.symbol for each in listed.instruments if each.tradable}
    missing = [each for each in symbols if each not in known]
    halted = [each for each in symbols if each in known - tradable]
    if missing or halted:
        parts = [f"not offered: {', '.join(missing)}"] if missing else []
        parts += [f"not tradable: {', '.join(halted)}"] if halted else []
        return failed(claim, f"{'; '.join(parts)} ({len(known)} are listed)", host, answer, OFFER_CAUSE)
    return passed(claim, f"all of them among {len(known)} listed")


def is_complete(host: str, answer: Exchange, floors: Mapping[str, int]) -> Judgement:
    """The list has enough of each asset class, and nothing twice."""
    claim = f"the instruments at {host} are complete: {', '.join(f'{n} {name}' for name, n in floors.items())} at least"
    listed, judged = answered(claim, host, answer, Instruments, SESSION_CAUSE)
    if listed is None:
        return judged
    counts = Counter(each.asset_class for each in listed.instruments)
    thin = [f"{counts[name]} {name} instead of {floor}" for name, floor in floors.items() if counts[name] < floor]
    names = Counter(each.symbol for each in listed.instruments)
    twice = [f"{symbol} {times} times" for symbol, times in names.items() if times > 1]
    if thin or twice:
        cause = "the instruments feed was loaded in part, or loaded twice"
        return failed(claim, _some([*thin, *twice]), host, answer, cause)
    return passed(claim, ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))


def is_permitted(host: str, answer: Exchange, forbidden: Iterable[str], regulator: str) -> Judgement:
    """Nothing is offered that this jurisdiction forbids."""
    products = tuple(forbidden)
    claim = f"no {' or '.join(products)} is offered at {host}, as {regulator} requires"
    if not products:
        return Judgement(State.NOT_APPLICABLE, f"{regulator} forbids no product that we know of")
    listed, judged = answered(claim, host, answer, Instruments, SESSION_CAUSE)
    if listed is None:
        return judged
    wrong = [f"{each.symbol} ({each.product})" for each in listed.instruments if each.product in products]
    if wrong:
        cause = "another jurisdiction's product set was loaded: a regulatory breach as long as it is live"
        return failed(claim, f"offered: {_some(wrong)}", host, answer, cause)
    return passed(claim, f"none among {len(listed.instruments)} instruments")


def are_fresh(
    host: str, environment: Environment, quotes: Exchange, calendar: Exchange, listing: Exchange
) -> Judgement:
    """Every price of an open market is as fresh as agreed, and a market is closed only when its calendar says so."""
    market = environment.business.market
    claim = f"every price at {host} is at most {market.fresh_s:g} s old while its market is open"
    priced, judged = answered(claim, host, quotes, Quotes)
    days, also = answered(claim, host, calendar, Calendar)
    listed, third = answered(claim, host, listing, Instruments, SESSION_CAUSE)
    if priced is None or days is None or listed is None:
        return judged if priced is None else also if days is None else third
    # By the product's own clock: ours may differ by seconds, which would make its prices look old.
    now = served_at(quotes) or quotes.at + timedelta(seconds=quotes.duration_s)
    kinds = {each.symbol: each for each in listed.instruments}
    feed = environment.web.feed
    closed = {each.date for each in days.holidays} | (feed.holidays if feed else frozenset())
    by_symbol = {each.symbol: each for each in priced.quotes}
    late, found = [], []
    for symbol, instrument in kinds.items():
        if not instrument.tradable:
            continue
        wrong, age = _price(by_symbol.get(symbol), instrument, now, environment, closed)
        found += [f"{symbol} {wrong}"] if wrong else []
        late += [f"{symbol} {age:.0f} s"] if not wrong and age > market.fresh_s else []
    if found:
        return failed(claim, _some(found), host, quotes, FEED_CAUSE)
    if late:
        return Judgement(State.DEGRADED, claim, f"older: {_some(late)}", where(host, quotes), FEED_CAUSE)
    asleep = sum(each.session != "open" for each in priced.quotes)
    return passed(claim, f"{len(priced.quotes)} prices" + (f", {asleep} of them of closed markets" if asleep else ""))


def are_sane(host: str, quotes: Exchange) -> Judgement:
    """No bid is at or above its ask, and no price is nothing."""
    claim = f"every bid at {host} is below its ask"
    priced, judged = answered(claim, host, quotes, Quotes)
    if priced is None:
        return judged
    wrong = [f"{q.symbol} {q.bid} / {q.ask}" for q in priced.quotes if not Decimal(0) < q.bid < q.ask]
    if wrong:
        return failed(
            claim, _some(wrong), host, quotes, "prices are crossed: sides were mixed up, or a mark-up is negative"
        )
    return passed(claim, f"{len(priced.quotes)} prices")


def previews(host: str, symbol: str, quantity: str, answer: Exchange) -> Judgement:
    """An order can be previewed, and a preview places none."""
    claim = f"an order of {quantity} {symbol} can be previewed at {host}"
    seen, judged = answered(claim, host, answer, Preview)
    if seen is None:
        return judged
    if seen.order is not None:
        cause = "the preview is wired to order entry. Look for the order now and cancel it by hand"
        return failed(claim, f"it placed order {seen.order}", host, answer, cause)
    if seen.symbol != symbol or seen.quantity != Decimal(quantity) or min(seen.price, seen.cost) <= 0:
        said = f"it is about {seen.quantity} {seen.symbol} for {seen.cost} {seen.currency}"
        return failed(claim, said, host, answer, "the pricing engine mixes up its requests")
    return passed(claim, f"{seen.cost} {seen.currency} at {seen.price}, nothing placed")


def may_be_closed(instrument: Instrument, now: datetime, environment: Environment, closed: Iterable[object]) -> bool:
    """Whether a market may be closed now: a holiday, a weekend, or the hours this environment declares."""
    market, local = environment.business.market, now.astimezone(ZoneInfo(environment.timezone))
    if {now.date(), local.date()} & set(closed):
        return True
    if instrument.asset_class in market.around_the_clock:
        return False
    # Friday evening in New York ends the week, Sunday evening begins it.
    week = now.weekday() == 5 or (now.weekday() == 4 and now.hour >= 20) or (now.weekday() == 6 and now.hour < 23)
    return week or any(_within(local, hours) for hours in environment.quiet_hours)


def _price(
    quote: Quote | None, instrument: Instrument, now: datetime, environment: Environment, closed: Iterable[object]
) -> tuple[str, float]:
    """What is wrong with a price, and how old it is."""
    market = environment.business.market
    if quote is None:
        return "has no price", 0.0
    age = (now - quote.at).total_seconds()
    if quote.session == "suspended":
        return "is suspended and still listed as tradable", age
    if quote.session == "closed":
        return "" if may_be_closed(instrument, now, environment, closed) else "is closed and no calendar says why", 0.0
    if age > market.stale_s:
        return f"is {age:.0f} s old", age
    return ("comes from the future", age) if age < -market.fresh_s else ("", age)


def _within(local: datetime, hours: str) -> bool:
    begin, _, end = hours.partition("-")
    now = f"{local:%H:%M}"
    return begin <= now < end if begin <= end else now >= begin or now < end


def _some(found: list[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more
