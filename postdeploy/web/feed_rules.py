"""Whether the quote feed lives: it lets us in and nobody else, its heart beats, its prices are fresh and make sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise

from postdeploy.environment.web import Feed
from postdeploy.verdict import Judgement, State
from postdeploy.web.findings import OFFLINE_CAUSE, Finding, absent, concluded
from postdeploy.web.replies import OF_THE_NETWORK, Fault, Heard, Quote
from postdeploy.web.seen import Seen

FEED_CAUSE = "the feed's pods were restarted without its gateway, or the Ingress does not pass WebSockets on"
LOGIN_CAUSE = "the feed's token was rotated, or its check of tokens was dropped"
STALE_CAUSE = "the pricing engine or its link to the liquidity provider stopped; the feed repeats what it has"
CALENDAR_CAUSE = "the calendar in web.feed.markets is out of date, or test prices are fed into production"


Rule = Callable[[Heard, Feed, datetime], Iterator[Finding]]


def login(seen: Seen, host: str) -> Judgement:
    """The feed connects, takes our token, and refuses a client that has none."""
    return _judged(seen, host, f"the quote feed of {host} lets in who may listen", _login)


def heartbeat(seen: Seen, host: str) -> Judgement:
    """The feed confirms what is subscribed to, and its heart beats in time."""
    return _judged(seen, host, f"the quote feed of {host} is alive", _heartbeat)


def fresh(seen: Seen, host: str) -> Judgement:
    """Prices of open markets are fresh and make sense; closed markets are quiet."""
    return _judged(seen, host, f"the quotes of {host} are fresh while their markets are open", _fresh)


def _judged(seen: Seen, host: str, claim: str, rule: Rule) -> Judgement:
    declared = seen.environment.web.feed
    if declared is None:
        return absent(claim, "web.feed declares none")
    heard = next((each for each in seen.sweep.heard if each.host == host), None)
    if heard is None:
        return Judgement(State.UNVERIFIED, claim, "the feed was not listened to", "", "the sweep was cut short")
    trouble = _trouble(seen, heard)
    if trouble:
        return concluded(claim, [trouble])
    return concluded(claim, rule(heard, declared, seen.sweep.now), _told(heard))


def _trouble(seen: Seen, heard: Heard) -> Finding | None:
    """Why nothing was heard at all."""
    place = _where(heard)
    if heard.fault is Fault.NOT_LOOKED:
        return Finding(State.UNVERIFIED, heard.error, place)
    if heard.fault in OF_THE_NETWORK and seen.sweep.is_offline:
        return Finding(State.UNVERIFIED, f"our own network is in doubt ({heard.error})", place, OFFLINE_CAUSE)
    if not heard.opened:
        said = f"it does not open: {heard.fault or 'no WebSocket'}: {heard.error}"
        return Finding(State.FAILED, said, place, FEED_CAUSE)
    return None


def _login(heard: Heard, declared: Feed, now: datetime) -> Iterator[Finding]:
    if declared.login != "token":
        return
    if not heard.logged_in:
        said = f"our token is refused: {heard.error or heard.fault or 'no answer'}"
        yield Finding(State.FAILED, said, _where(heard), LOGIN_CAUSE)
    if heard.stranger.startswith("unknown"):
        yield Finding(State.UNVERIFIED, f"whether strangers are refused is {heard.stranger}", _where(heard))
    elif not heard.stranger.startswith("refused"):
        yield Finding(State.FAILED, f"a client without a token was told {heard.stranger!r}", _where(heard), LOGIN_CAUSE)


def _unheard(heard: Heard, declared: Feed) -> Iterator[Finding]:
    if declared.login == "token" and not heard.logged_in:
        yield Finding(State.UNVERIFIED, "the feed did not let us in: see endpoints.quotes.login", _where(heard))


def _heartbeat(heard: Heard, declared: Feed, now: datetime) -> Iterator[Finding]:
    refused = list(_unheard(heard, declared))
    if refused:
        yield from refused
        return
    missing = sorted(declared.instruments.keys() - set(heard.subscribed))
    if missing:
        said = f"it does not confirm {', '.join(missing)} (confirmed: {', '.join(heard.subscribed) or 'nothing'})"
        yield Finding(State.FAILED, said, _where(heard), FEED_CAUSE)
    if heard.fault:
        yield Finding(State.FAILED, f"it {heard.fault}: {heard.error}", _where(heard), FEED_CAUSE)
    beats = (0.0, *heard.heartbeats_s)
    gaps = [later - earlier for earlier, later in pairwise(beats)]
    gaps.append(heard.listened_s - beats[-1])
    if max(gaps) > declared.heartbeat_s:
        said = f"no heartbeat for {max(gaps):.1f} s, at most {declared.heartbeat_s:g} s"
        yield Finding(State.FAILED, said, _where(heard), FEED_CAUSE)
    if heard.strange:
        yield Finding(State.DEGRADED, f"it says what nobody expects: {heard.strange[0]!r}", _where(heard), FEED_CAUSE)


def _fresh(heard: Heard, declared: Feed, now: datetime) -> Iterator[Finding]:
    refused = list(_unheard(heard, declared))
    if refused:
        yield from refused
        return
    for symbol, market in declared.instruments.items():
        quotes = [each for each in heard.quotes if each.symbol == symbol]
        if declared.markets[market].is_open(now):
            if not quotes:
                said = f"no quote of {symbol} in {heard.listened_s:.1f} s, though {market} is open"
                yield Finding(State.FAILED, said, _where(heard), STALE_CAUSE)
            for each in quotes:
                yield from _quote(heard, each, declared.fresh_s)
        elif made := [each for each in quotes if _age(each) is not None and (_age(each) or 0) <= declared.fresh_s]:
            said = f"{symbol} is quoted at {made[0].bid}/{made[0].ask} while {market} is closed"
            yield Finding(State.FAILED, said, _where(heard), CALENDAR_CAUSE)
    for each in heard.quotes:
        if each.symbol not in declared.instruments:
            said = f"{each.symbol or 'a symbol without a name'} is quoted, to which nobody subscribed"
            yield Finding(State.DEGRADED, said, _where(heard), FEED_CAUSE)


def _quote(heard: Heard, quote: Quote, fresh_s: float) -> Iterator[Finding]:
    age = _age(quote)
    if age is None:
        yield Finding(State.FAILED, f"{quote.symbol} carries no time that can be read", _where(heard), STALE_CAUSE)
    elif age > fresh_s:
        said = f"{quote.symbol} is {age:.1f} s old, at most {fresh_s:g} s"
        yield Finding(State.FAILED, said, _where(heard), STALE_CAUSE)
    elif age < -fresh_s:
        said = f"{quote.symbol} is from {-age:.1f} s in the future: one of the clocks is wrong"
        yield Finding(State.FAILED, said, _where(heard), "the clock of the pricing engine, or of this runner")
    if not quote.is_sound:
        said = f"{quote.symbol}: bid {quote.bid or 'absent'}, ask {quote.ask or 'absent'}"
        yield Finding(State.FAILED, said, _where(heard), STALE_CAUSE)


def _age(quote: Quote) -> float | None:
    return (quote.received - quote.at).total_seconds() if quote.at else None


def _where(heard: Heard) -> str:
    return f"wss://{heard.host}{heard.path}"


def _told(heard: Heard) -> str:
    prices = ", ".join(f"{each.symbol} {each.bid}/{each.ask}" for each in heard.quotes[:4]) or "no quote"
    return f"{len(heard.heartbeats_s)} heartbeats in {heard.listened_s:.1f} s; {prices}; strangers {heard.stranger}"
