"""A sweep as the rules ask for it: by host and by reason, pages and documents read once."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Any

import msgspec

from postdeploy.environment import Environment, Expected
from postdeploy.web import pages
from postdeploy.web.pages import Page
from postdeploy.web.replies import OF_THE_NETWORK, Fault, Reply, Sweep


class Seen:
    """One sweep beside what was declared."""

    def __init__(self, sweep: Sweep, environment: Environment, release: str) -> None:
        self.sweep, self.environment, self.release = sweep, environment, release
        self.consulted: list[Reply] = []
        """The answers that were asked for by name since it was last emptied."""
        self._pages: dict[tuple[str, str], Page] = {}
        self._by_probe: dict[tuple[str, str], list[Reply]] = defaultdict(list)
        self._endpoints: dict[tuple[str, str], Reply] = {}
        self._assets: dict[tuple[str, str], Reply] = {}
        self._of: dict[str, list[Reply]] = defaultdict(list)
        for each in sweep.replies:
            self._by_probe[each.of, each.probe].append(each)
            self._of[each.of].append(each)
            if each.probe == "endpoint":
                self._endpoints[each.host, each.path] = each
            elif each.probe == "asset":
                self._assets.setdefault((each.of, each.path), each)
        self._expected: dict[str, list[Expected]] = defaultdict(list)
        for expected in environment.expected:
            self._expected[expected.host].append(expected)

    def expected(self, host: str, *kinds: str) -> list[Expected]:
        """What is declared of a host, of some kinds only."""
        return [each for each in self._expected[host] if not kinds or each.template.kind in kinds]

    def reply(self, expected: Expected) -> Reply | None:
        """The answer to a declared endpoint; None when it was never asked."""
        found = self._endpoints.get((expected.host, expected.path))
        if found is not None:
            self.consulted.append(found)
        return found

    def pairs(self, host: str, *kinds: str) -> list[tuple[Expected, Reply | None]]:
        """What is declared of a host, each with its answer."""
        return [(each, self.reply(each)) for each in self.expected(host, *kinds)]

    def asked(self, host: str, *probes: str) -> list[Reply]:
        """The answers that are judged under a host, of some reasons only."""
        if not probes:
            return self._of[host]
        found = [each for probe in probes for each in self._by_probe[host, probe]]
        self.consulted += found
        return found

    def asset(self, host: str, path: str) -> Reply | None:
        """The answer to one script or style; None when it was never asked."""
        found = self._assets.get((host, path))
        if found is not None:
            self.consulted.append(found)
        return found

    def page(self, reply: Reply) -> Page:
        """The page in a reply."""
        key = (reply.host, reply.path)
        if key not in self._pages:
            self._pages[key] = pages.read(reply.body, f"https://{reply.host}{reply.path}")
        return self._pages[key]

    @cached_property
    def known_hosts(self) -> frozenset[str]:
        """Where pages may load their scripts and styles from."""
        return frozenset((*self.environment.hosts, *self.environment.web.assets_from))

    @cached_property
    def is_maintained(self) -> bool:
        """Whether a declared maintenance window was open."""
        return self.environment.web.is_maintained(self.sweep.now, self.environment.timezone)

    def maintains(self, reply: Reply | None) -> bool:
        """Whether a reply is the 503 that a declared maintenance window allows."""
        return reply is not None and reply.fault is None and reply.status == 503 and self.is_maintained

    def is_ours(self, reply: Reply) -> bool:
        """Whether what went wrong with a reply is no matter of the product."""
        doubtful = self.sweep.is_offline or reply.link.family in self.lost
        return reply.fault is Fault.NOT_LOOKED or (reply.fault in OF_THE_NETWORK and doubtful)

    @cached_property
    def lost(self) -> frozenset[str]:
        """IP families by which this machine gets nowhere, whoever is asked."""
        return frozenset(each for each in ("IPv4", "IPv6") if self.sweep.is_lost(each))

    @cached_property
    def is_http_only(self) -> frozenset[str]:
        """Hosts that are declared to speak no TLS."""
        return frozenset(self.environment.hosts) - frozenset(self.environment.secure_hosts)


def document(reply: Reply | None) -> dict[str, Any] | None:
    """The JSON object in a reply, or None where it holds none."""
    if reply is None or reply.fault is not None:
        return None
    try:
        body = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None
