"""The rehearsal's quote feed: a WebSocket that asks for a token, beats, and quotes the markets that are open."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import WSMsgType, web

from rehearsal.front import FrontSettings

EVERY_S = 0.05
PRICES = {"BTCUSD": (68000.5, 68012.25), "XAUUSD": (2650.1, 2650.45)}
CLOSE_REFUSED = 4401


class QuoteFeed:
    """Serves one feed for whoever has its token."""

    def __init__(self, settings: FrontSettings, token: str) -> None:
        self.settings, self.token = settings, token

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One client, until it goes."""
        socket = web.WebSocketResponse(heartbeat=None)
        await socket.prepare(request)
        with suppress(ConnectionError, asyncio.CancelledError):
            await self._converse(socket)
        return socket

    async def _converse(self, socket: web.WebSocketResponse) -> None:
        mood = self.settings.feed
        is_in = mood.open_to_all
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            if said.get("type") == "auth":
                is_in = said.get("token") == self.token and not mood.refuses
                await self._say(socket, "authenticated" if is_in else "error", **({} if is_in else {"reason": "no"}))
            elif said.get("type") == "subscribe" and not is_in:
                await self._say(socket, "error", reason="log in first")
                await socket.close(code=CLOSE_REFUSED)
                return
            elif said.get("type") == "subscribe":
                await self._say(socket, "subscribed", symbols=said["symbols"])
                await self._quote(socket, said["symbols"])
                return

    async def _quote(self, socket: web.WebSocketResponse, symbols: list[str]) -> None:
        mood = self.settings.feed
        while not socket.closed:
            if mood.beats:
                await self._say(socket, "heartbeat", time=datetime.now(UTC).isoformat())
            for symbol in symbols:
                if mood.always or self._is_open(symbol):
                    await self._say(socket, "quote", symbol=symbol, **self._price(symbol))
            with suppress(TimeoutError):  # what a client says now can only be its farewell
                await socket.receive(timeout=EVERY_S)

    def _price(self, symbol: str) -> dict[str, str]:
        mood = self.settings.feed
        bid, ask = PRICES.get(symbol, (1.1, 1.2))
        bid, ask = (ask, bid) if mood.crossed else (bid, ask)
        at = datetime.now(UTC) - timedelta(seconds=mood.late_s)
        return {"bid": str(bid), "ask": str(ask), "time": at.isoformat()}

    def _is_open(self, symbol: str) -> bool:
        feed = self.settings.environment.web.feed
        market = feed.markets[feed.instruments[symbol]] if feed and symbol in feed.instruments else None
        return market is not None and market.is_open(self.settings.moment)

    @staticmethod
    async def _say(socket: web.WebSocketResponse, kind: str, **more: Any) -> None:
        await socket.send_str(json.dumps({"type": kind, **more}))
