"""Listens to the quote feed over WebSocket, for as long as it takes to know it (imports websockets: import late).

The conversation is the product's own: an adopter whose feed speaks otherwise changes `Talk` and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import msgspec
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from postdeploy.environment.web import Feed
from postdeploy.redact import Redactor
from postdeploy.web.headers import synthetic
from postdeploy.web.replies import Fault, Heard, Quote
from postdeploy.web.route import HTTPS, NoWay, Route

OPEN_S = 5.0
STRANGER_S = 2.0
"""How long a client without a token waits to be refused."""
HEARTBEATS = 2
"""So many must be heard: one alone has no interval."""
LATE_S = 0.1
LONGEST_MESSAGE = 64 * 1024
MOST_STRANGE, MOST_WRONG = 10, 50
EXCERPT = 200


class Talk:
    """What is said on the feed."""

    @staticmethod
    def login(token: str) -> str:
        """Who we are."""
        return json.dumps({"type": "auth", "token": token})

    @staticmethod
    def subscribe(symbols: list[str]) -> str:
        """What we want to hear of."""
        return json.dumps({"type": "subscribe", "symbols": symbols})

    @staticmethod
    def read(message: str | bytes) -> dict[str, Any]:
        """A message, its kind under `type`; empty where it is none."""
        try:
            said = msgspec.json.decode(message)
        except msgspec.DecodeError:
            return {}
        return said if isinstance(said, dict) else {}


@dataclass
class _Ear:
    """What was heard so far."""

    feed: Feed
    redactor: Redactor
    began: float = 0.0
    subscribed: tuple[str, ...] = ()
    heartbeats: list[float] = field(default_factory=list)
    last: dict[str, Quote] = field(default_factory=dict)
    wrong: list[Quote] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    def hear(self, message: str | bytes) -> None:
        said = Talk.read(message)
        match said.get("type"):
            case "heartbeat":
                self.heartbeats.append(round(perf_counter() - self.began, 6))
            case "subscribed" if isinstance(said.get("symbols"), list):
                self.subscribed = tuple(str(each) for each in said["symbols"])
            case "quote":
                self._quote(said)
            case _ if len(self.strange) < MOST_STRANGE:
                text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                self.strange.append(self.redactor.text(text[:EXCERPT]))

    def _quote(self, said: dict[str, Any]) -> None:
        quote = Quote(
            symbol=str(said.get("symbol", "")),
            bid=str(said.get("bid", "")),
            ask=str(said.get("ask", "")),
            at=_moment(said.get("time")),
            received=datetime.now(UTC),
        )
        self.last[quote.symbol] = quote
        if not quote.is_sound and len(self.wrong) < MOST_WRONG:
            self.wrong.append(quote)

    def knows(self, expected: frozenset[str]) -> bool:
        """Whether nothing more is to be learnt by listening on."""
        return len(self.heartbeats) >= HEARTBEATS and expected <= self.last.keys()

    def heard(self) -> dict[str, Any]:
        wrong = [each for each in self.wrong if self.last.get(each.symbol) is not each]
        return {
            "subscribed": self.subscribed,
            "heartbeats_s": tuple(self.heartbeats),
            "quotes": (*self.last.values(), *wrong),
            "strange": tuple(self.strange),
        }


@dataclass(frozen=True)
class Listener:
    """One listener to one feed."""

    route: Route
    host: str
    address: str
    feed: Feed
    run_id: str
    moment: datetime

    @property
    def listen_s(self) -> float:
        """The longest it listens: enough to notice that a heartbeat is missing."""
        return self.feed.heartbeat_s * (HEARTBEATS + 0.5)

    async def listen(self, token: SecretStr | None, left_s: float) -> Heard:
        """What was heard. A feed that asks for a token is also tried without one."""
        redactor = Redactor([token] if token else ())
        found = Heard(host=self.host, path=self.feed.path)
        if self.feed.login == "token":
            found = msgspec.structs.replace(found, stranger=redactor.text(await self._as_stranger()))
        ear = _Ear(self.feed, redactor)
        state: dict[str, Any] = {}
        try:
            async with asyncio.timeout(min(left_s, OPEN_S * 2 + self.listen_s)):
                await self._converse(token, ear, state)
        except Exception as error:  # noqa: BLE001  whatever the feed does, the sweep goes on
            fault, said = _fault_of(error)
            state |= {"fault": fault, "error": redactor.text(said)}
        state["listened_s"] = round(perf_counter() - ear.began, 6) if ear.began else 0.0
        return msgspec.structs.replace(found, **state, **ear.heard())

    async def _converse(self, token: SecretStr | None, ear: _Ear, state: dict[str, Any]) -> None:
        open_now = {symbol for symbol, market in self.feed.instruments.items() if self._is_open(market)}
        async with self._connection() as socket:
            state["opened"] = True
            if token is not None:
                await socket.send(Talk.login(token.get_secret_value()))
                said = Talk.read(await asyncio.wait_for(socket.recv(), OPEN_S))
                state["logged_in"] = said.get("type") == "authenticated"
                if not state["logged_in"]:
                    state["error"] = ear.redactor.text(f"the login was answered {said}"[:EXCERPT])
                    return
            await socket.send(Talk.subscribe(sorted(self.feed.instruments)))
            ear.began = perf_counter()
            until = ear.began + self.listen_s
            while not ear.knows(frozenset(open_now)):
                # A heartbeat that is late ends the listening: no quote could mend that.
                beaten = ear.began + (ear.heartbeats[-1] if ear.heartbeats else 0.0) + self.feed.heartbeat_s + LATE_S
                left = min(until, beaten) - perf_counter()
                try:
                    ear.hear(await asyncio.wait_for(socket.recv(), max(left, 0.0)))
                except TimeoutError:
                    return

    def _is_open(self, market: str) -> bool:
        return self.feed.markets[market].is_open(self.moment)

    async def _as_stranger(self) -> str:
        """How a client without a token is refused, or what it is told."""
        try:
            async with self._connection() as socket:
                await socket.send(Talk.subscribe(sorted(self.feed.instruments)))
                message = await asyncio.wait_for(socket.recv(), STRANGER_S)
                said = Talk.read(message)
                return (
                    f"refused: {said.get('reason', said['type'])}"
                    if said.get("type") == "error"
                    else str(message)[:EXCERPT]
                )
        except ConnectionClosed as closed:
            return f"refused: closed with {closed.rcvd.code if closed.rcvd else 'no code'}"
        except InvalidStatus as answer:
            return f"refused: {answer.response.status_code}"
        except TimeoutError:
            return f"refused: no word within {STRANGER_S:g} s"
        except (OSError, WebSocketException, NoWay, ssl.SSLError) as error:
            return f"unknown: {type(error).__name__}: {error}"

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ClientConnection]:
        tls = self.route.trust()
        tls.set_alpn_protocols(["http/1.1"])
        common = synthetic(self.run_id)
        where: dict[str, Any] = {}
        if self.address:
            there, port = self.route.place(self.address, HTTPS)
            where = {"host": there, "port": port, "proxy": None}
        async with connect(
            f"wss://{self.host}{self.feed.path}",
            ssl=tls,
            server_hostname=self.host,
            open_timeout=OPEN_S,
            close_timeout=0.5,
            max_size=LONGEST_MESSAGE,
            compression=None,
            user_agent_header=common.pop("User-Agent"),
            additional_headers=common,
            **where,
        ) as socket:
            yield socket


def _fault_of(error: Exception) -> tuple[Fault | None, str]:
    match error:
        case InvalidStatus():
            return None, f"the handshake was answered {error.response.status_code}"
        case ConnectionClosed():
            return Fault.CUT_OFF, str(error)
        case ssl.SSLError():
            return Fault.CERTIFICATE, getattr(error, "verify_message", "") or str(error)
        case TimeoutError():
            return Fault.TIME_OUT, "no answer in time"
        case OSError() | NoWay():
            return Fault.CONNECT, str(error)
        case InvalidHandshake():
            return None, f"no WebSocket: {error}"
        case WebSocketException():
            return Fault.CUT_OFF, str(error)
    return Fault.NOT_LOOKED, f"harness error: {type(error).__name__}: {error}"


def _moment(said: Any) -> datetime | None:
    """When a quote was made: RFC 3339, or milliseconds since 1970."""
    try:
        if isinstance(said, int | float):
            return datetime.fromtimestamp(said / 1000, UTC)
        moment = datetime.fromisoformat(str(said))
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else None
