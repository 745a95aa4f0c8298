"""What a sweep over the public hosts saw: narrow, immutable, and saved as it will be judged."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Literal

import msgspec

from postdeploy.evidence.results import Attempt


class Fault(StrEnum):
    """Why a request has no answer."""

    RESOLVE = "does not resolve"
    CONNECT = "does not accept connections"
    CERTIFICATE = "fails the TLS handshake"
    TIME_OUT = "does not answer in time"
    CUT_OFF = "breaks off its answer"
    LOOP = "redirects in a circle"
    NOT_LOOKED = "was not looked at"
    """Nothing was sent: the time was spent, or we could not send at all. It says nothing about the product."""


NO_CONTACT = frozenset({Fault.RESOLVE, Fault.CONNECT})
"""What an offline runner looks like, and also what a host looks like that is gone: nothing ever answered."""
NOT_REACHED = NO_CONTACT | {Fault.CERTIFICATE, Fault.TIME_OUT}
"""Asking the same host for another path would end the same way."""
OF_THE_NETWORK = frozenset({Fault.RESOLVE, Fault.CONNECT, Fault.TIME_OUT, Fault.CUT_OFF})
"""Faults that are our own where the control host is silent too."""
NO_ROUTE = "this machine has no route to it"
"""How an error begins that our own machine made, before anything was sent."""


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a sweep; what is at its default is not written."""


class Phases(Part, frozen=True, kw_only=True):
    """Where a request's time went, seconds; the first three are zero on a connection that was open already."""

    resolve_s: float = 0.0
    connect_s: float = 0.0
    tls_s: float = 0.0
    first_byte_s: float = 0.0
    """From the request on its way to the status line."""
    total_s: float = 0.0
    """All of it, to the last byte read."""


class Certificate(Part, frozen=True, kw_only=True):
    """One certificate as it was shown."""

    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    """DNS names and addresses it is good for."""
    serial: str
    not_before: datetime
    not_after: datetime
    der: bytes
    """The certificate itself, for whoever wants to look again."""


class Cookie(Part, frozen=True, kw_only=True):
    """One cookie that was set; its value is never kept."""

    name: str
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    is_removal: bool = False
    """Whether it is set only to be forgotten."""


class Link(Part, frozen=True, kw_only=True):
    """The connection a reply came over."""

    address: str = ""
    """IP address that the name stood for."""
    tls: str = ""
    """Protocol version, such as TLSv1.3; empty without TLS."""
    cipher: str = ""
    http: str = ""
    chain: tuple[str, ...] = ()
    """SHA-256 of each certificate, the host's own first."""
    verified: bool = False
    """Whether the chain led to a trusted authority and the name fitted."""

    @property
    def family(self) -> str:
        """`IPv4` or `IPv6`; empty without an address."""
        return family_of(self.address) if self.address else ""


class Hop(Part, frozen=True, kw_only=True):
    """One redirect on the way."""

    url: str
    status: int
    location: str
    headers: Mapping[str, str] = {}
    link: Link = Link()


class Reply(Part, frozen=True, kw_only=True):
    """One request's answer, or why there is none."""

    host: str
    path: str
    probe: str = "endpoint"
    """Why it was asked."""
    about: str = ""
    """What tells it from others of its kind: an address, an origin, the name of a redirect."""
    subject: str = ""
    """The host it is judged under, where that is another one (a redirect from a former host)."""
    url: str = ""
    """Where the answer came from; another one than was asked after redirects."""
    method: str = "GET"
    status: int = 0
    headers: Mapping[str, str] = {}
    """Names in lower case, cookies apart, redacted."""
    cookies: tuple[Cookie, ...] = ()
    body: str = ""
    """The first 64 KiB as text, redacted."""
    size: int = 0
    """Bytes read."""
    sha256: str = ""
    """Of what was read."""
    integrity: str = ""
    """Of what was read, as a page's `integrity` attribute would say it."""
    cut: bool = False
    """Whether there was more than was read or kept."""
    garbled: bool = False
    """Whether it is not the UTF-8 it should be."""
    phases: Phases = Phases()
    link: Link = Link()
    hops: tuple[Hop, ...] = ()
    fault: Fault | None = None
    error: str = ""
    attempts: tuple[Attempt, ...] = ()
    trace: str = ""
    """The request's `traceparent`, to find it in the product's own traces."""

    @property
    def of(self) -> str:
        """The host it is judged under."""
        return self.subject or self.host

    @property
    def elapsed_s(self) -> float:
        """Seconds from the start to the last byte."""
        return self.phases.total_s

    @property
    def media(self) -> str:
        """The media type of the body, lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Handshake(Part, frozen=True, kw_only=True):
    """One old protocol version that was really offered to a host."""

    host: str
    address: str = ""
    offered: str
    """TLSv1 or TLSv1.1."""
    outcome: Literal["refused", "accepted", "not-offered", "no-answer"]
    detail: str = ""


class Answer(Part, frozen=True, kw_only=True):
    """What the DNS said of one name and record type."""

    host: str
    kind: Literal["A", "AAAA"]
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Names on the way, through CNAME records."""
    code: str = ""
    """NOERROR, NXDOMAIN, SERVFAIL …; empty without an answer."""
    error: str = ""
    """Why there is none."""
    resolver: str = ""
    took_s: float = 0.0


class Samples(Part, frozen=True, kw_only=True):
    """The timed replies of one endpoint, seconds; the one that opened the connection apart."""

    host: str
    path: str
    warm_up_s: float = 0.0
    seconds: tuple[float, ...] = ()
    wrong: tuple[str, ...] = ()
    """Replies that were not as declared, which no time is taken of."""


class Quote(Part, frozen=True, kw_only=True):
    """One price as it came."""

    symbol: str
    bid: str
    ask: str
    at: datetime | None
    """When the product says it was made."""
    received: datetime

    @property
    def is_sound(self) -> bool:
        """Whether the price is one: both sides positive, the bid below the ask."""
        try:
            return 0 < Decimal(self.bid) < Decimal(self.ask)
        except InvalidOperation:
            return False


class Heard(Part, frozen=True, kw_only=True):
    """What the quote feed said while it was listened to."""

    host: str
    path: str
    opened: bool = False
    logged_in: bool = False
    subscribed: tuple[str, ...] = ()
    heartbeats_s: tuple[float, ...] = ()
    """When each came, seconds after the subscription."""
    quotes: tuple[Quote, ...] = ()
    """The last of each symbol, and every one that is wrong in itself."""
    strange: tuple[str, ...] = ()
    """Messages that are none the feed should send."""
    stranger: str = ""
    """What a client without a token got: `refused: …`, or the message it was sent."""
    listened_s: float = 0.0
    fault: Fault | None = None
    error: str = ""


class Sweep(Part, frozen=True, kw_only=True):
    """Everything that one sweep over an environment's hosts saw."""

    environment: str
    run_id: str
    taken: datetime
    moment: datetime | None = None
    """The moment that calendars are held against; a rehearsal names its own."""
    replies: tuple[Reply, ...] = ()
    certificates: Mapping[str, Certificate] = {}
    """By SHA-256."""
    handshakes: tuple[Handshake, ...] = ()
    answers: tuple[Answer, ...] = ()
    samples: tuple[Samples, ...] = ()
    heard: tuple[Heard, ...] = ()
    proxied: bool = False
    """Whether requests went through a proxy, which hides addresses and handshakes from us."""

    @property
    def now(self) -> datetime:
        """The moment that calendars are held against."""
        return self.moment or self.taken

    @property
    def control(self) -> Reply | None:
        """What the independent host said, at whichever address it answered; None where none is declared."""
        said = [each for each in self.replies if each.probe == "control"]
        return next((each for each in said if each.fault not in OF_THE_NETWORK), next(iter(said), None))

    @property
    def is_offline(self) -> bool:
        """Whether our own network is in doubt: the control host is silent, or, without one, every host is."""
        control = self.control
        if control is not None:
            return control.fault in OF_THE_NETWORK
        looked = [each.fault for each in self.replies if each.fault is not Fault.NOT_LOOKED]
        return bool(looked) and all(fault in NO_CONTACT for fault in looked)

    def is_lost(self, family: str) -> bool:
        """Whether it is our own machine that has no way out by IPv4, or IPv6: many a runner has but one of them.

        The control host decides where it has such an address, else what our own machine says of every try.
        """
        looks = [each for each in self.replies if each.link.family == family and each.fault is not Fault.NOT_LOOKED]
        control = [each for each in looks if each.probe == "control"]
        if control:
            return all(each.fault in OF_THE_NETWORK for each in control)
        return bool(looks) and all(each.error.startswith(NO_ROUTE) for each in looks)


def family_of(address: str) -> str:
    """`IPv4` or `IPv6`."""
    return "IPv6" if ":" in address else "IPv4"


def save(sweep: Sweep) -> bytes:
    """The sweep as gzipped JSON; the same sweep gives the same bytes."""
    return gzip.compress(msgspec.json.encode(sweep), mtime=0)


def load(data: bytes) -> Sweep:
    """The sweep that `save` wrote. Raises ValueError for anything else."""
    try:
        return msgspec.json.decode(gzip.decompress(data), type=Sweep)
    except (msgspec.DecodeError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not a sweep: {error}") from error
