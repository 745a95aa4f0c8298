"""What holds for all public hosts of an environment: addresses, certificates, policies, redirects, the quote feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from postdeploy.environment.forms import Day, Flag, Host, Model, Name, Path, Text, form

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Network = Annotated[str, form("network")]
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]
Hours = Annotated[str, form("hours")]


class Site(Model):
    """A further public host that is neither a brand nor the API."""

    name: Name
    """The key it is written under."""
    host: Host
    """Public host name."""
    scheme: Literal["https", "http"] = "https"
    """`http` where it is meant to be unencrypted (revocation lists, captive portals): TLS is then not judged."""


class Addresses(Model):
    """Where the public names may lead."""

    ipv4: tuple[Network, ...] = ()
    """Addresses or networks that A records may name; empty: there must be none."""
    ipv6: tuple[Network, ...] = ()
    """The same for AAAA records."""


class Certificate(Model):
    """How much of a certificate's lifetime must be left; lifetimes shrink, so days would soon be wrong."""

    soft_share: Share = 0.2
    """Less is degraded."""
    hard_share: Share = 0.1
    """Less fails: its renewal is long overdue."""


class Redirect(Model):
    """One redirect that every host of a family must make."""

    on: Literal["hosts", "brands", "api"] = "brands"
    """Whose host `{host}` is."""
    source: Annotated[str, form("address")]
    """Where it begins, such as `http://{host}/`; `{alias}` stands for each former host of a brand."""
    target: Annotated[str, form("address")]
    """Where it must end."""
    hops: Annotated[int, Field(strict=True, ge=1, le=5)] = 2
    """Most redirects on the way."""


class Cors(Model):
    """Who may call the API from a page of theirs: the brands, and nobody else."""

    path: Path
    """Path of the API that is asked."""
    anyone: Flag = False
    """Whether `*` is right here, for data that is public anyway."""


class TradingHours(Model):
    """When a market is open, in its own zone."""

    zone: Annotated[str, form("zone")] = "UTC"
    """IANA zone of hours and days."""
    days: tuple[Weekday, ...] = WEEKDAYS[:5]
    """Trading days."""
    hours: tuple[Hours, ...] = ()
    """Trading hours `HH:MM-HH:MM`; none: the whole day."""
    holidays: tuple[Day, ...] = ()
    """Days on which it stays closed."""

    def is_open(self, moment: datetime) -> bool:
        """Whether quotes are to be expected at a moment."""
        local = moment.astimezone(ZoneInfo(self.zone))
        if WEEKDAYS[local.weekday()] not in self.days or local.date() in self.holidays:
            return False
        return not self.hours or is_within(self.hours, local.time())


class Feed(Model):
    """The quote feed over WebSocket, on the API's host."""

    path: Path
    """Path of the socket."""
    login: Literal["anonymous", "token"] = "token"
    """Whether it asks for a token, which is kept where the password is (`…_FEED_TOKEN`)."""
    heartbeat_s: Annotated[float, Field(strict=True, gt=0, le=60)] = 5.0
    """Longest silence between two heartbeats."""
    fresh_s: Annotated[float, Field(strict=True, gt=0, le=600)] = 10.0
    """Oldest quote that is fresh while its market is open."""
    instruments: Annotated[Mapping[Text, Name], Field(min_length=1)]
    """Symbols that are subscribed to, each with its market."""
    markets: Mapping[Name, TradingHours]
    """Calendars by market."""

    @property
    def holidays(self) -> frozenset[date]:
        """Days on which any of the markets stays closed."""
        return frozenset(day for each in self.markets.values() for day in each.holidays)


class Web(Model):
    """What is expected of every public host, beyond the single endpoints."""

    control: Host | None = None
    """An independent host that tells whether the runner itself is online; none: all hosts silent means offline."""
    resolvers: tuple[Text, ...] = ()
    """Addresses of the DNS servers to ask; none: the machine's own."""
    addresses: Addresses | None = None
    """Where the names may lead; none: not judged."""
    families: Annotated[tuple[Literal["ipv4", "ipv6"], ...], Field(min_length=1)] = ("ipv4", "ipv6")
    """The families of addresses that the runner of this environment can reach; those of another are not asked."""
    per_second: Annotated[float, Field(strict=True, gt=0)] = 20.0
    """Most requests a second to one host."""
    rehearsal_per_second: Annotated[float, Field(strict=True, gt=0)] = 5000.0
    """The same in a rehearsal."""
    replies: Annotated[int, Field(strict=True, ge=1, le=20)] = 3
    """Consecutive replies of each address that must name the release."""
    certificate: Certificate = Certificate()
    """How much of a certificate's lifetime must be left."""
    hsts_s: Annotated[int, Field(strict=True, ge=0)] = 31_536_000
    """Least `max-age` of Strict-Transport-Security."""
    readable_cookies: tuple[Text, ...] = ()
    """Cookies that scripts may read, such as a CSRF token."""
    indexed: Flag = True
    """Whether search engines are welcome; false: they must be told to stay away."""
    manifest: Path | None = None
    """JSON that lists the build's files and those of the builds before; none: old chunks are not judged."""
    assets_from: tuple[Host, ...] = ()
    """Other hosts that pages may load scripts and styles from."""
    openapi: Path | None = None
    """The API's own description; none: it publishes none."""
    cors: Cors | None = None
    """Who may call the API from a page; none: not judged."""
    login_next: Path | None = None
    """A path that sends the visitor on, with `{url}` for where to: it must not lead to strangers."""
    maintenance: tuple[Hours, ...] = ()
    """Local hours in which a brand may answer 503."""
    maintenance_marker: Text = "scheduled maintenance"
    """Text that only the maintenance page has, in any case."""
    dependencies: Mapping[Name, Literal["failed", "degraded"]] = {}
    """What deep health must list, and what it means for clients when that does not work."""
    licence: Text = ""
    """How pages name the licence; empty: not judged."""
    loss: Text = ""
    """The share of losing accounts as the regulator wants it told, such as "74%"."""
    risk_warning: Mapping[str, Text] = {}
    """The prescribed warning by locale or language, `{loss}` standing for the share; none: not judged."""
    redirects: Mapping[Name, Redirect] = {}
    """Redirects that must be made."""
    feed: Feed | None = None
    """The quote feed; none: there is none here."""

    def is_maintained(self, moment: datetime, zone: str) -> bool:
        """Whether a declared maintenance window is open."""
        return is_within(self.maintenance, moment.astimezone(ZoneInfo(zone)).time())

    def warning(self, locale: str) -> str:
        """The warning in a locale's words, else in its language's; empty where none is declared."""
        text = self.risk_warning.get(locale) or self.risk_warning.get(locale.partition("-")[0], "")
        return text.replace("{loss}", self.loss)


def is_within(windows: Iterable[str], at: time) -> bool:
    """Whether a local time lies in one of some windows; one that ends before it begins goes over midnight."""
    now = f"{at:%H:%M}"
    for each in windows:
        start, _, end = each.partition("-")
        if (start <= now < end) if start <= end else (now >= start or now < end):
            return True
    return False
