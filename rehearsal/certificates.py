"""The certificates of the public hosts: one for each, chosen by the name a client asks for, good or bad on request."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache

import trustme

from rehearsal.front import Certificate, FrontSettings
from rehearsal.trust import Authority

LIVED, LIFETIME = timedelta(days=20), timedelta(days=90)
TERMS: dict[Certificate, tuple[timedelta, timedelta]] = {
    "good": (LIVED, LIFETIME),
    "short": (timedelta(days=4), timedelta(days=7)),
    "expiring": (timedelta(days=85), LIFETIME),
    "due": (timedelta(days=77), LIFETIME),
    "expired": (timedelta(days=91), LIFETIME),
}
"""How long ago each was made, and how long it is good for."""


class Certificates:
    """Server contexts by name; each is made when it is first asked for."""

    def __init__(self, authority: Authority, settings: FrontSettings) -> None:
        self._settings = settings
        self._intermediate = authority.intermediate()
        self._of_host = cache(self._made)
        self._names = self._alternatives()

    @property
    def issuer(self) -> str:
        """The authority that signs the hosts' certificates, as PEM: browsers trust it by its key."""
        return self._intermediate.cert_pem.bytes().decode()

    def front(self, *, old: bool = False) -> ssl.SSLContext:
        """A context that answers with the certificate of whatever host is asked for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._intermediate.issue_cert("nobody.example").configure_cert(context)
        if old:
            _loosened(context)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                # The security level is the certificate's, and comes with its context.
                connection.context = self._of_host(self._names.get(name, (name,)), self._kind(name), old)

        context.sni_callback = choose
        return context

    def _kind(self, name: str) -> Certificate:
        return self._settings.certificates.get(name, "good")

    def _alternatives(self) -> dict[str, tuple[str, ...]]:
        """Each name to all names of its certificate: a host's own, its www and its former ones."""
        found: dict[str, tuple[str, ...]] = {}
        for brand in self._settings.environment.brands.values():
            names = (brand.host, f"www.{brand.host}", *brand.aliases)
            found |= dict.fromkeys(names, names)
        return found

    def _made(self, names: tuple[str, ...], kind: Certificate, old: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if old:
            _loosened(context)
        issuer = trustme.CA() if kind == "self-signed" else self._intermediate
        shown = ("another-host.example",) if kind == "wrong-name" else names
        age, lifetime = TERMS.get(kind, TERMS["good"])
        made = datetime.now(UTC) - age
        certificate = issuer.issue_cert(*shown, not_before=made, not_after=made + lifetime)
        if kind == "no-intermediate":
            _without_issuers(context, certificate)
        else:
            certificate.configure_cert(context)
        return context


def _loosened(context: ssl.SSLContext) -> None:
    """Let it speak what was given up years ago."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1


def _without_issuers(context: ssl.SSLContext, certificate: trustme.LeafCert) -> None:
    """As if only the first file of the bundle had been deployed."""
    key, own = certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes()
    with trustme.Blob(key + own).tempfile() as path:
        context.load_cert_chain(path)
