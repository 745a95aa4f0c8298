"""Literal sweeps: what a host said, in one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from postdeploy.environment import Environment
from postdeploy.verdict import Judgement
from postdeploy.web.claims import WebClaims
from postdeploy.web.replies import Reply, Sweep
from tests.web.public import small

RELEASE = "v2026.47.1"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WINDOW = datetime(2026, 11, 25, 2, 45, tzinfo=UTC)
"""Within the declared maintenance."""
ENVIRONMENT = small(brands=1)
HOST = next(iter(ENVIRONMENT.brands.values())).host
API = ENVIRONMENT.api.host
LOGIN = "/en-GB/login"
ASSURED = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
}


@cache
def varied(**web: Any) -> Environment:
    """The environment with other expectations of its public hosts."""
    return ENVIRONMENT.model_copy(update={"web": ENVIRONMENT.web.model_copy(update=web)})


def reply(path: str = LOGIN, body: Any = "", status: int = 200, host: str = HOST, **more: Any) -> Reply:
    """A reply; a body that is no text is JSON, and the content type follows from it."""
    kind = "text/html" if isinstance(body, str) else "application/json"
    headers = {"content-type": kind} | more.pop("headers", {})
    text = body if isinstance(body, str) else json.dumps(body)
    size = more.pop("size", len(text))
    return Reply(host=host, path=path, status=status, body=text, size=size, headers=headers, **more)


def judged(
    rule: str, *replies: Reply, host: str = HOST, environment: Environment = ENVIRONMENT, **more: Any
) -> Judgement:
    """One claim over a sweep that holds these replies and nothing else."""
    claims = WebClaims(sweep(*replies, **more), environment, RELEASE)
    return getattr(claims, rule)(host)  # type: ignore[no-any-return]


def sweep(*replies: Reply, **more: Any) -> Sweep:
    """A sweep that holds these replies."""
    return Sweep(environment="uk-test", run_id="r", taken=NOW, replies=replies, **more)
