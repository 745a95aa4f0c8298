"""How a public host name is reached: over the real network, or at a rehearsal's places on loopback."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

HTTPS, HTTP = 443, 80


class NoWay(Exception):
    """A rehearsal does not serve that address: it never falls back to the real network."""


@dataclass(frozen=True)
class Route:
    """Where connections go; empty means the real network."""

    places: Mapping[str, str] = field(default_factory=dict)
    """In a rehearsal: `address port` of the public network to `address port` on loopback."""
    resolvers: tuple[str, ...] = ()
    """DNS servers as `address port`; none: the machine's own."""
    ca_pem: str | None = None
    """The only certificate authority trusted on this route; none means those this machine trusts."""
    moment: datetime | None = None
    """The moment a rehearsal rehearses."""

    @property
    def is_real(self) -> bool:
        """Whether requests leave this machine; a rehearsal that serves nothing at all is still one."""
        return not self.places and self.ca_pem is None

    def place(self, address: str, port: int) -> tuple[str, int]:
        """Where to connect to for a public address. Raises NoWay where a rehearsal serves nothing there."""
        if self.is_real:
            return address, port
        try:
            there, _, number = self.places[f"{address} {port}"].partition(" ")
        except KeyError:
            raise NoWay(f"the rehearsal has nothing at {address} port {port}") from None
        return there, int(number)

    def proxy(self, host: str) -> str:
        """The proxy that leads to a host, as the machine's environment says; loopback never goes through one."""
        if not self.is_real:
            return ""
        from urllib.request import getproxies, proxy_bypass

        known = getproxies()
        return "" if proxy_bypass(host) else known.get("https") or known.get("all") or ""

    def trust(self) -> ssl.SSLContext:
        """One TLS context for all hosts, since loading the authorities costs more than a request."""
        if self.ca_pem is not None:
            return ssl.create_default_context(cadata=self.ca_pem)
        import httpx

        return httpx.create_ssl_context()
