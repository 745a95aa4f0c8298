"""An exchange as a command to try it by hand: everything but the secrets, which the shell has to know."""

from __future__ import annotations

import json
import shlex

from postdeploy.broker.paths import KEY_HEADER
from postdeploy.broker.recording import Exchange


def curl(exchange: Exchange, host: str) -> str:
    """The command; what was redacted stays so, and the token is `$TOKEN`."""
    parts = ["curl", "-sS"] + ([] if exchange.method == "GET" else ["-X", exchange.method])
    parts.append(shlex.quote(f"https://{host}{exchange.path}"))
    if exchange.authorised:
        parts += ["--oauth2-bearer", '"$TOKEN"']
    if exchange.idempotency_key:
        parts += ["-H", shlex.quote(f"{KEY_HEADER}: {exchange.idempotency_key}")]
    if exchange.request is not None:
        body = json.dumps(exchange.request, ensure_ascii=False)
        parts += ["-H", "'Content-Type: application/json'", "--data", shlex.quote(body)]
    return " ".join(parts)


def outcome(exchange: Exchange) -> str:
    """What came of it, in a few words."""
    said = f"{exchange.fault}: {exchange.error}" if exchange.fault else str(exchange.status)
    return f"{said} after {exchange.duration_s * 1000:.0f} ms"
