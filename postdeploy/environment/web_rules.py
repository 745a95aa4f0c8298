"""Rules between the fields that describe public hosts, over merged data as written (see rules.py)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from postdeploy.environment.endpoints import GIVEN, placeholders
from postdeploy.environment.wording import Finding, hint


def contradictions(data: Mapping[str, Any]) -> Iterator[Finding]:
    """What cannot be true together, or names what is not there."""
    for rule in (_placeholders, _networks, _warnings, _markets, _zones):
        yield from rule(data)


def _map(data: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    value: Any = data
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _placeholders(data: Mapping[str, Any]) -> Iterator[Finding]:
    for name, part in _map(data, "endpoints").items():
        if not isinstance(part, Mapping):
            continue
        filled = {str(each) for each in _map(part, "values")}
        given = GIVEN if part.get("on", "hosts") == "brands" else frozenset()
        paths = part.get("paths")
        for index, path in enumerate(paths if isinstance(paths, list) else ()):
            for each in placeholders(path) if isinstance(path, str) else ():
                if each not in filled | given:
                    near = hint(each, filled | given)
                    text = (
                        f"expected values for {{{each}}} beside it, or 'on: brands' for {{locale}} and {{brand}}{near}"
                    )
                    yield Finding(("endpoints", name, "paths", index), text)


def _networks(data: Mapping[str, Any]) -> Iterator[Finding]:
    for family, version in (("ipv4", 4), ("ipv6", 6)):
        listed = _map(data, "web", "addresses").get(family)
        for index, each in enumerate(listed if isinstance(listed, list) else ()):
            try:
                right = isinstance(each, str) and ipaddress.ip_network(each, strict=False).version == version
            except ValueError:
                right = False
            if not right:
                text = f"expected an IPv{version} address or network, found {each!r}"
                yield Finding(("web", "addresses", family, index), text)


def _warnings(data: Mapping[str, Any]) -> Iterator[Finding]:
    declared = _map(data, "web", "risk_warning")
    if not declared:
        return
    for name, brand in _map(data, "brands").items():
        part = brand if isinstance(brand, Mapping) else {}
        further = part.get("locales")
        own = part.get("locale") or data.get("locale") or "en-GB"
        for locale in (own, *(further if isinstance(further, list) else ())):
            if isinstance(locale, str) and not {locale, locale.partition("-")[0]} & declared.keys():
                text = f"expected a text for '{locale}', in which the brand '{name}' speaks"
                yield Finding(("web", "risk_warning"), text)
    if any(isinstance(each, str) and "{loss}" in each for each in declared.values()) and not _map(data, "web").get(
        "loss"
    ):
        yield Finding(("web", "risk_warning"), "needs 'loss' beside it: {loss} stands for that share")


def _markets(data: Mapping[str, Any]) -> Iterator[Finding]:
    markets = _map(data, "web", "feed", "markets")
    for symbol, market in _map(data, "web", "feed", "instruments").items():
        if isinstance(market, str) and market not in markets:
            text = f"expected a market of this feed ({', '.join(map(str, markets))}), found '{market}'"
            yield Finding(("web", "feed", "instruments", symbol), text + hint(market, map(str, markets)))


def _zones(data: Mapping[str, Any]) -> Iterator[Finding]:
    for name, market in _map(data, "web", "feed", "markets").items():
        zone = _map({"market": market}, "market").get("zone", "UTC")
        try:
            ZoneInfo(zone) if isinstance(zone, str) else None
        except (KeyError, ValueError, OSError):
            yield Finding(("web", "feed", "markets", name, "zone"), f"no such time zone: '{zone}'")
