"""Which backend an environment declares, and how it is reached and logged into."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from pydantic import SecretStr

from postdeploy.cluster.logs.backend import Backend
from postdeploy.cluster.logs.cloud import CloudLogs
from postdeploy.cluster.logs.loki import Loki
from postdeploy.cluster.logs.stream import Stream
from postdeploy.environment import Environment
from postdeploy.secrets import load_loki_token
from postdeploy.standin import Standin
from postdeploy.verdict import Unverified

SCOPE = "https://www.googleapis.com/auth/logging.read"
Opened = AbstractAsyncContextManager[Backend]


def declared(environment: Environment, standin: Standin | None) -> Callable[[Callable[[], Stream]], Opened] | None:
    """How to open the declared backend, None where none is; opening raises Unverified without a credential."""
    logs = environment.logs
    if logs.loki is None and logs.cloud_logging is None:
        return None

    def opened(stream: Callable[[], Stream]) -> Opened:
        if logs.loki is None:
            assert logs.cloud_logging is not None  # noqa: S101  one of the two is declared
            if standin is not None:
                raise Unverified("the rehearsal speaks Loki's API only: Cloud Logging is not rehearsed")
            return CloudLogs(logs.cloud_logging, stream, google_token())
        if standin is not None:
            tls = ssl.create_default_context(cadata=standin.ca_pem)
            return Loki(logs.loki, stream, places=standin.hosts, tls=tls)
        token = load_loki_token(environment.name) if logs.loki.login == "token" else None
        return Loki(logs.loki, stream, token=token)

    return opened


def google_token() -> SecretStr:
    """A token of Google's application default credentials (extra `gcp`). Raises Unverified."""
    try:
        auth = importlib.import_module("google.auth")
        transport = importlib.import_module("google.auth.transport.requests")
    except ImportError:
        raise Unverified(
            "logs.cloud_logging is declared, but the extra is not installed: uv sync --extra gcp"
        ) from None
    try:
        credentials, _ = auth.default(scopes=[SCOPE])
        credentials.refresh(transport.Request())
    except Exception as error:  # noqa: BLE001  whatever goes wrong there, we could not look
        raise Unverified(f"no Google credentials for Cloud Logging: {type(error).__name__}: {error}") from None
    return SecretStr(str(credentials.token))
