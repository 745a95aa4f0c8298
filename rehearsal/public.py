"""Serves everything that is public on loopback: HTTPS and HTTP over IPv4 and IPv6, WebSocket, DNS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from rehearsal import canaries, names
from rehearsal.brokerage import Brokerage
from rehearsal.certificates import Certificates
from rehearsal.front import FrontSettings
from rehearsal.quotes import QuoteFeed
from rehearsal.site import Site
from rehearsal.trust import Authority

HTTPS, HTTP = 443, 80
LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class Public:
    """The public side of one rehearsal."""

    def __init__(self, settings: FrontSettings, brokerage: Brokerage, authority: Authority) -> None:
        self.settings, self.authority = settings, authority
        self.feed_token = canaries.secret("feed", 18)
        feed = QuoteFeed(settings, self.feed_token)
        client = brokerage.client(settings)
        self._app = Site(settings, client.serves).app(brokerage.app(client), feed.serve)
        self._certificates = Certificates(authority, settings)
        self._runner: web.AppRunner | None = None
        self._names: asyncio.DatagramTransport | None = None
        self.port = 0
        """Where every host is served over HTTPS."""

    async def open(self) -> dict[str, Any]:
        """Serve; what a harness needs to know to get there."""
        # Its handlers end with their connections, so that a client that has gone keeps nothing busy.
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        ports = {
            HTTPS: await self._listen(self._certificates.front()),
            HTTP: await self._listen(None),
        }
        old = await self._listen(self._certificates.front(old=True)) if self.settings.old_protocols else {}
        self.port = ports[HTTPS][4]
        self._names, resolver = await names.serve(self.settings.records, silent=self.settings.offline)
        return {
            "places": dict(self._places(ports, old)),
            "resolvers": [f"{LOOPBACK[4]} {resolver}"],
            "moment": self.settings.moment.isoformat(),
            "feed_token": self.feed_token,
            "issuer": self._certificates.issuer,
        }

    async def close(self) -> None:
        """Stop serving."""
        if self._names is not None:
            self._names.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, tls: ssl.SSLContext | None) -> dict[int, int]:
        """One port on each loopback, by IP version; without IPv6 here, its addresses lead to IPv4."""
        assert self._runner is not None
        found: dict[int, int] = {}
        for version, address in LOOPBACK.items():
            listening = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET)
            try:
                listening.bind((address, 0))
            except OSError:
                listening.close()
                found[version] = found[4]
                continue
            await web.SockSite(self._runner, listening, ssl_context=tls).start()
            found[version] = int(listening.getsockname()[1])
        return found

    def _places(self, ports: dict[int, dict[int, int]], old: dict[int, int]) -> Iterator[tuple[str, str]]:
        """Each public address and port, and where that is on loopback."""
        for name, record in self.settings.records.items():
            for version, addresses in ((4, record.ipv4), (6, record.ipv6)):
                for address in addresses:
                    for port, there in ports.items():
                        if address in self.settings.dead or self.settings.offline:
                            continue
                        serving = old if name in self.settings.old_protocols and port == HTTPS else there
                        yield f"{address} {port}", f"{LOOPBACK[version]} {serving[version]}"
