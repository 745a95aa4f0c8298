"""What the API server says when it does not answer with an object."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web

from rehearsal.kinds import Obj


class Refused(Exception):
    """A request that ends with a Status object."""

    def __init__(
        self, code: int, reason: str, message: str, *, retry_after_s: int | None = None, **details: Any
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.retry_after_s = retry_after_s
        self.details = details

    def status(self) -> Obj:
        """The Status object itself."""
        details = dict(self.details) | ({"retryAfterSeconds": self.retry_after_s} if self.retry_after_s else {})
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        return body | {"reason": self.reason, "details": details, "code": self.code}

    def response(self) -> web.Response:
        """The Status object as an answer."""
        headers = {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else None
        return web.json_response(self.status(), status=self.code, headers=headers)


class HungUp(Exception):
    """A request that ends without an answer: its connection is dropped."""


def unauthorized() -> Refused:
    """The token is missing or wrong."""
    return Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")


def forbidden(resource: str, verb: str, group: str, namespace: str, name: str = "") -> Refused:
    """The words of RBAC."""
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    whole = f"{resource}.{group}" if group else resource
    plain = f'User "rehearsal" cannot {verb} resource "{resource}" in API group "{group}" {where}'
    message = f'{whole} "{name}" is forbidden: {plain}' if name else f"{whole} is forbidden: {plain}"
    return Refused(HTTPStatus.FORBIDDEN, "Forbidden", message, kind=resource, group=group)


def not_found(resource: str, name: str) -> Refused:
    """There is no object of that name."""
    return Refused(HTTPStatus.NOT_FOUND, "NotFound", f'{resource} "{name}" not found', kind=resource, name=name)


def not_served() -> Refused:
    """There is no such resource."""
    return Refused(HTTPStatus.NOT_FOUND, "NotFound", "the server could not find the requested resource")


def not_allowed() -> Refused:
    """Nothing can be changed here."""
    said = "the server does not allow this method on the requested resource: the rehearsal is read-only"
    return Refused(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", said)


def bad_request(message: str) -> Refused:
    """The request makes no sense."""
    return Refused(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def gone(message: str) -> Refused:
    """What the client continues from has expired."""
    return Refused(HTTPStatus.GONE, "Expired", message)


def broken() -> Refused:
    """The server failed in a way it did not foresee."""
    said = "Internal error occurred: rpc error: code = Unavailable desc = transport is closing"
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", said)


def too_many(retry_after_s: int) -> Refused:
    """The server is busy; come back later."""
    said = "Too many requests, please try again later."
    return Refused(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", said, retry_after_s=retry_after_s)
