"""What a proxy on the way to the API server makes of an answer that it should only pass on."""

from __future__ import annotations

import json
from typing import Literal

from aiohttp import web

Meddling = Literal["signs in", "cuts", "drops the token", "thins out", "caches"]

SIGN_IN = b"<!doctype html>\n<html><head><title>Sign in</title></head><body>Your session has ended.</body></html>\n"
OLD_S = "5400"
THIRD = 3
"""Of a thinned-out page every third object is missing."""


def meddle(how: Meddling, body: bytes, *, first: bool) -> web.Response:
    """The answer as it arrives: well-formed HTTP in every case, and not what the API server said.

    Only later pages are thinned out: the first is what says how many objects there are, so that nobody could notice.
    """
    match how:
        case "signs in":
            return web.Response(body=SIGN_IN, content_type="text/html")
        case "cuts":
            return _json(body[: len(body) // 2])
        case "caches":
            return _json(body, Age=OLD_S)
    page = json.loads(body)
    if how == "drops the token":
        page["metadata"].pop("continue", None)
    elif not first:
        page["items"] = [each for number, each in enumerate(page["items"], 1) if number % THIRD]
    return _json(json.dumps(page).encode())


def _json(body: bytes, **headers: str) -> web.Response:
    return web.Response(body=body, content_type="application/json", headers=headers)
