"""What the public hosts answer: each healthy answer first, then whatever a fault or a trap makes of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import CIMultiDict

from postdeploy.environment import Environment
from rehearsal.moods import DATED

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Bend = Callable[["Answer", web.Request], "Answer | None"]
"""Changes an answer, or puts another in its place."""
Certificate = Literal["good", "short", "expiring", "due", "expired", "wrong-name", "self-signed", "no-intermediate"]
EVERYWHERE = ""


@dataclass
class Answer:
    """One answer on its way out."""

    status: int = 200
    body: bytes = b""
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Answer:
        """A JSON document."""
        return cls(status, json.dumps(value).encode(), CIMultiDict({"Content-Type": "application/json"}))

    @classmethod
    def html(cls, text: str, status: int = 200) -> Answer:
        """A page."""
        return cls(status, text.encode(), CIMultiDict({"Content-Type": "text/html; charset=utf-8"}))

    def replace(self, old: str, new: str) -> Answer:
        """The same answer with other words."""
        self.body = self.body.replace(old.encode(), new.encode())
        return self

    def response(self) -> web.Response:
        """As it is sent."""
        self.headers.setdefault("Server", "northgate")
        sent = web.Response(status=self.status, body=self.body, headers=self.headers)
        if "Date" in self.headers:
            sent[DATED] = True
        return sent


@dataclass
class Record:
    """What the DNS says of one name."""

    ipv4: list[str] = field(default_factory=list)
    ipv6: list[str] = field(default_factory=list)
    alias: str = ""
    """The name that it is a CNAME of."""
    code: Literal["NOERROR", "NXDOMAIN", "SERVFAIL"] = "NOERROR"


@dataclass
class FeedSettings:
    """How the quote feed behaves."""

    refuses: bool = False
    """Whether our token is refused."""
    open_to_all: bool = False
    """Whether it serves who gives no token."""
    beats: bool = True
    late_s: float = 0.0
    """How old its quotes are."""
    crossed: bool = False
    """Whether bid and ask have changed places."""
    always: bool = False
    """Whether it quotes closed markets too."""


class FrontSettings:
    """How the public hosts, their names, certificates and the feed behave; a fault changes it."""

    def __init__(self, environment: Environment, release: str) -> None:
        self.environment, self.release = environment, release
        self.versions = dict.fromkeys(environment.hosts, release)
        """What each host says is running."""
        self.front_ends = dict.fromkeys(environment.hosts, release)
        """The release whose pages each host serves."""
        self.old_on_ipv6: dict[str, str] = {}
        """Hosts that still serve another release over IPv6."""
        self.flaps: dict[str, str] = {}
        """Hosts of which every third version comes from another release."""
        self.certificates: dict[str, Certificate] = {}
        self.old_protocols: set[str] = set()
        self.dead: set[str] = set()
        """Addresses at which nobody listens."""
        self.records: dict[str, Record] = {}
        self.moment = noon(environment.timezone)
        self.feed = FeedSettings()
        self.slow: dict[tuple[str, str], tuple[int, float]] = {}
        """Host and path to (every n-th answer, seconds)."""
        self.cuts: Counter[tuple[str, str]] = Counter()
        """Host and path to how many times the connection is dropped instead of an answer."""
        self.bends: list[tuple[str, str, Bend]] = []
        self.asked: Counter[tuple[str, str]] = Counter()
        self.offline = False
        """Whether nothing at all can be reached, as if the runner had no network."""

    def bend(self, host: str, path: str, change: Bend) -> None:
        """Let answers of a host (or of all) at a path (or at all) come out otherwise."""
        self.bends.append((host, path, change))

    def bent(self, host: str, path: str, answer: Answer, request: web.Request) -> Answer:
        """An answer after every bend that it is meant by."""
        for where, at, change in self.bends:
            if where in (EVERYWHERE, host) and at in (EVERYWHERE, path):
                answer = change(answer, request) or answer
        return answer

    def version_of(self, host: str, request: web.Request) -> str:
        """The release that one answer comes from."""
        if host in self.old_on_ipv6 and is_ipv6(request):
            return self.old_on_ipv6[host]
        if host in self.flaps and self.asked[host, "/version"] % 3 == 2:
            return self.flaps[host]
        return self.versions[host]

    async def hold_up(self, host: str, path: str) -> None:
        """Wait, where an answer is slow."""
        every, seconds = self.slow.get((host, path)) or self.slow.get((host, EVERYWHERE)) or (1, 0.0)
        if seconds and self.asked[host, path] % every == 0:
            await asyncio.sleep(seconds)

    def cut(self, host: str, path: str) -> bool:
        """Whether this time the connection is dropped."""
        if self.cuts[host, path] <= 0:
            return False
        self.cuts[host, path] -= 1
        return True


def is_ipv6(request: web.Request) -> bool:
    """Whether a request came over IPv6."""
    place = request.transport.get_extra_info("sockname") if request.transport else ("",)
    return ":" in str(place[0])


def noon(zone: str, now: datetime | None = None) -> datetime:
    """Noon of a working day, so that a rehearsal on a Sunday night sees open markets and no maintenance."""
    local = (now or datetime.now(UTC)).astimezone(ZoneInfo(zone)).replace(hour=12, minute=0, second=0, microsecond=0)
    return local - timedelta(days=max(local.weekday() - 4, 0))


def names_of(environment: Environment) -> Iterator[str]:
    """Every public name that leads somewhere: hosts, their www, former hosts, the control host."""
    redirects = environment.web.redirects.values()
    yield from environment.hosts
    for brand in environment.brands.values():
        yield from brand.aliases
        if any("//www." in each.source for each in redirects):
            yield f"www.{brand.host}"
    if environment.web.control:
        yield environment.web.control
