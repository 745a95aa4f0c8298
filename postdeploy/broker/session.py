"""Opens the API for an account: over the network, or out of a recording."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import SecretStr

from postdeploy.broker.api import BrokerApi, Line
from postdeploy.broker.recording import Recording
from postdeploy.deadline import Deadline
from postdeploy.environment import Api


@contextmanager
def connect(
    api: Api,
    password: SecretStr,
    recording: Recording,
    headers: Mapping[str, str],
    *,
    address: str | None = None,
    tls: ssl.SSLContext | None = None,
    deadline: Deadline | None = None,
) -> Iterator[BrokerApi]:
    """The API over the network; `address` (`127.0.0.1:port`) is where a rehearsal serves the declared host."""
    from postdeploy.broker.transport import open_client

    origin = f"https://{address or api.host}"
    host_headers = {"Host": api.host, **headers}
    with open_client(origin, host_headers, tls, proxied=address is None) as client:
        server_name = api.host if address else None
        line = Line(client, recording, api.host, server_name, deadline or Deadline(float("inf")))
        yield BrokerApi(api.account, password, line)


@contextmanager
def replay(api: Api, recording: Recording) -> Iterator[BrokerApi]:
    """The API as it answered when the recording was made: no network, no password, no waiting."""
    from postdeploy.broker.transport import replay_client

    with replay_client(recording, api.host) as client:
        line = Line(client, Recording(), api.host, rest=lambda seconds: None)
        yield BrokerApi(api.account, SecretStr(""), line)
