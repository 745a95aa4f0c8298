"""A blocking TLS connection that takes many records from the kernel at once.

A socket of `ssl` asks the kernel twice for each record of 16 KiB, its header and its body, and for one record a call.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")
AT_ONCE = 256 * 1024
"""Bytes of ciphertext."""


class Tls:
    """As much of a socket as `http.client` asks for, over a context that the caller has set up."""

    def __init__(self, raw: socket.socket, context: ssl.SSLContext, name: str) -> None:
        """Shakes hands. Raises what `SSLContext.wrap_socket` would: ssl.SSLError, OSError, TimeoutError."""
        self._raw = raw
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._read = cast("Callable[[int, memoryview], int]", self._tls.read)
        self._cipher = memoryview(bytearray(AT_ONCE))
        try:
            self._until_done(self._tls.do_handshake)
            self._send_pending()
        except BaseException:
            raw.close()
            raise

    def sendall(self, data: bytes) -> None:
        """All of it, encrypted."""
        self._until_done(lambda: self._tls.write(data))
        self._send_pending()

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """What one answer is read from; the connection outlives it."""
        return io.BufferedReader(_Plain(self))

    def recv_into(self, view: memoryview) -> int:
        """As many bytes as have come, at least one; 0 at the end, also where the other side just hung up."""
        size, room, read = 0, len(view), self._read
        try:
            while size < room and (more := read(room - size, view[size:])):
                size += more
        except (ssl.SSLWantReadError, ssl.SSLEOFError):
            if not size:
                return self._next(view)
        return size

    def _next(self, view: memoryview) -> int:
        try:
            return self._until_done(lambda: self._read(len(view), view))
        except ssl.SSLEOFError:
            return 0

    def close(self) -> None:
        """Hang up."""
        self._raw.close()

    def _until_done(self, step: Callable[[], T]) -> T:
        """What a step comes to once enough has come from the other side."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._receive()

    def _receive(self) -> None:
        self._send_pending()
        size = self._raw.recv_into(self._cipher)
        if size:
            self._in.write(self._cipher[:size])
        else:
            self._in.write_eof()

    def _send_pending(self) -> None:
        if self._out.pending:
            self._raw.sendall(self._out.read())


class _Plain(io.RawIOBase):
    """The plain bytes of a connection, as a file."""

    def __init__(self, tls: Tls) -> None:
        super().__init__()
        self._tls = tls

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._tls.recv_into(memoryview(buffer))
