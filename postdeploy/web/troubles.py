"""What kept a request from being answered, told by the whole chain of causes."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import httpcore

from postdeploy.web.replies import NO_ROUTE, Fault
from postdeploy.web.route import NoWay

CONNECT_S = 5.0
NO_WAY_OUT = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What our own machine says before anything is sent."""
REQUEST_S = 15.0
"""From the first byte sent to the last byte read, however slowly they drip."""


class HandshakeTimeOut(httpcore.ConnectTimeout):
    """The connection was accepted, and nothing came of it."""


def fault_of(failure: Exception) -> tuple[Fault, str]:
    """The fault, and the words of whoever noticed it first."""
    chain = list(_chain(failure))
    own = str(failure) or next((str(each) for each in chain if str(each)), "") or type(failure).__name__
    return _deeper(failure, chain) or _outermost(failure, own)


def _deeper(failure: Exception, chain: list[BaseException]) -> tuple[Fault, str] | None:
    """What the network or TLS said, below the client's own words for it."""
    for cause in chain:
        match cause:
            case NoWay():
                return Fault.CONNECT, str(cause)
            case socket.gaierror():
                return Fault.RESOLVE, f"{cause.strerror} ({cause.errno})"
            case OSError() if cause.errno in NO_WAY_OUT and not isinstance(cause, ssl.SSLError):
                return Fault.CONNECT, f"{NO_ROUTE}: {cause.strerror}"
            case ssl.SSLError() if isinstance(failure, httpcore.ConnectError) and not isinstance(
                cause, ssl.SSLEOFError
            ):
                return Fault.CERTIFICATE, getattr(cause, "verify_message", "") or str(cause)
    return None


def _outermost(failure: Exception, own: str) -> tuple[Fault, str]:
    match failure:
        case HandshakeTimeOut():
            return Fault.TIME_OUT, f"it accepted the connection, and did nothing within {CONNECT_S:g} s"
        case httpcore.ConnectError() | httpcore.ProxyError():
            return Fault.CONNECT, own
        case httpcore.ConnectTimeout():
            return Fault.CONNECT, f"no connection within {CONNECT_S:g} s"
        case httpcore.TimeoutException():
            return Fault.TIME_OUT, f"no answer within {REQUEST_S:g} s"
        case httpcore.NetworkError() | httpcore.ProtocolError():
            return Fault.CUT_OFF, own
    return Fault.NOT_LOOKED, f"harness error: {type(failure).__name__}: {failure}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
