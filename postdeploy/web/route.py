"""How a public host name is reached: over the real network, or at a rehearsal's address on loopback."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from postdeploy.verdict import Unverified


@dataclass(frozen=True)
class Route:
    """Where requests to a host go; empty means the real network, and a rehearsal's never falls back to it."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    """Host name to `address:port`."""
    ca_pem: str | None = None
    """The only certificate authority trusted on this route; none means those this machine trusts."""

    @property
    def is_real(self) -> bool:
        """Whether requests leave this machine."""
        return not self.hosts

    def origin(self, host: str) -> str:
        """The URL to connect to for a host. Raises Unverified where a rehearsal does not serve it."""
        if self.is_real:
            return f"https://{host}"
        if host not in self.hosts:
            raise Unverified(f"the rehearsal does not serve {host}; it serves {', '.join(sorted(self.hosts))}")
        return f"https://{self.hosts[host]}"

    def server_name(self, host: str) -> dict[str, Any]:
        """The request extension that asks for, and verifies, the certificate of the host and not of the address."""
        return {} if self.is_real else {"sni_hostname": host}

    def trust(self) -> ssl.SSLContext:
        """One TLS context for all hosts, since loading the authorities costs more than a request."""
        if self.ca_pem is not None:
            return ssl.create_default_context(cadata=self.ca_pem)
        import httpx

        return httpx.create_ssl_context()
