"""Certificates as they were shown, and handshakes made by hand: where verification failed, and with old protocols."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from postdeploy.web.replies import Certificate, Handshake
from postdeploy.web.route import HTTPS, NoWay, Route

if TYPE_CHECKING:
    from cryptography import x509

OLD = {"TLSv1": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1}
HANDSHAKE, ALERT, SERVER_HELLO, CLIENT_HELLO = 0x16, 0x15, 2, 1
HANDSHAKE_S = 5.0


def described(ders: Iterable[bytes]) -> dict[str, Certificate]:
    """Certificates by SHA-256; what cannot be read as one is left out."""
    from cryptography import x509

    found: dict[str, Certificate] = {}
    for der in ders:
        name = sha256(der).hexdigest()
        with suppress(ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a serial number of zero is the product's matter
            found[name] = _described(x509.load_der_x509_certificate(der), der)
    return found


def _described(seen: x509.Certificate, der: bytes) -> Certificate:
    from cryptography import x509

    names: tuple[str, ...] = ()
    with suppress(x509.ExtensionNotFound, ValueError):
        inside = seen.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = (*inside.get_values_for_type(x509.DNSName), *map(str, inside.get_values_for_type(x509.IPAddress)))
    return Certificate(
        subject=seen.subject.rfc4514_string(),
        issuer=seen.issuer.rfc4514_string(),
        names=names,
        serial=f"{seen.serial_number:x}",
        not_before=seen.not_valid_before_utc,
        not_after=seen.not_valid_after_utc,
        der=der,
    )


async def shown_by(route: Route, host: str, address: str, port: int = HTTPS) -> tuple[bytes, ...]:
    """The certificates a host shows to whoever does not verify them; none where there is no handshake at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    from postdeploy.web.network import shown

    with suppress(OSError, TimeoutError, NoWay):
        there, number = route.place(address, port)
        async with asyncio.timeout(HANDSHAKE_S):
            _, writer = await asyncio.open_connection(there, number, ssl=context, server_hostname=host)
        try:
            return shown(writer.get_extra_info("ssl_object"), verified=False)
        finally:
            writer.transport.abort()
    return ()


async def offer(route: Route, host: str, address: str, offered: str) -> Handshake:
    """Offer a host an old protocol version and nothing newer, and see what the first record of its answer is."""

    def ended(outcome: Literal["refused", "accepted", "not-offered", "no-answer"], detail: str) -> Handshake:
        return Handshake(host=host, address=address, offered=offered, outcome=outcome, detail=detail)

    hello = client_hello(host, offered)
    if hello is None:
        return ended("not-offered", f"{ssl.OPENSSL_VERSION} of this machine cannot offer {offered}")
    try:
        there, number = route.place(address, HTTPS)
        async with asyncio.timeout(HANDSHAKE_S):
            reader, writer = await asyncio.open_connection(there, number)
            try:
                writer.write(hello)
                record = await reader.readexactly(7)
            finally:
                writer.transport.abort()
    except NoWay as error:
        return ended("no-answer", str(error))
    except TimeoutError:
        return ended("no-answer", f"no answer within {HANDSHAKE_S:g} s")
    except (asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError):
        return ended("refused", "it hung up")
    except OSError as error:
        return ended("no-answer", f"{type(error).__name__}: {error.strerror or error}")
    return ended(*_read(record))


def _read(record: bytes) -> tuple[Literal["refused", "accepted", "no-answer"], str]:
    match record[0], record[5], record[6]:
        case (0x15, _, code):
            return "refused", f"TLS alert {code}"
        case (0x16, 2, _):
            return "accepted", f"ServerHello in a record of version {record[1]}.{record[2]}"
    return "no-answer", f"an answer that is no TLS: {record.hex()}"


def client_hello(host: str, offered: str) -> bytes | None:
    """The first flight of a handshake with one old version; None where the local OpenSSL refuses to make one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            # Security level 1 and above know no cipher for these versions: nothing would be sent at all.
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = OLD[offered]
        context.wrap_bio(inward, outward, server_hostname=host).do_handshake()
    except ssl.SSLWantReadError:
        sent = outward.read()
        is_hello = sent[:1] == bytes([HANDSHAKE]) and sent[5:6] == bytes([CLIENT_HELLO])
        return sent if is_hello else None
    except (ssl.SSLError, ValueError):
        return None
    return None
