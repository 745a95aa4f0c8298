"""Endpoints as templates: a few lines become every request that an environment's public hosts must answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from postdeploy.environment.forms import Count, Millis, Model, Name, Path, Text, form

if TYPE_CHECKING:
    from postdeploy.environment.brands import Brand
    from postdeploy.environment.model import Environment

SAMPLES = 20
"""Fewer have no 95th percentile worth its name."""
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
GIVEN = frozenset({"locale", "brand"})
"""Placeholders that a brand fills in by itself."""


class Latency(Model):
    """Limits over the samples of one endpoint: beyond a hard one it fails, beyond a soft one it is degraded."""

    samples: Annotated[Count, Field(ge=SAMPLES, le=200)] = SAMPLES
    """Replies that are timed, one after another; the first, which opens the connection, is counted apart."""
    p50_ms: Millis | None = None
    """Hard limit of the median."""
    p95_ms: Millis | None = None
    """Hard limit of the 95th percentile."""
    soft_p50_ms: Millis | None = None
    """Soft limit of the median."""
    soft_p95_ms: Millis | None = None
    """Soft limit of the 95th percentile."""


class Endpoint(Model):
    """One template of endpoints: each host of a family, each path, each value of its placeholders."""

    name: Name
    """The key it is written under."""
    on: Literal["hosts", "brands", "api", "sites"] = "hosts"
    """Which hosts answer it; `hosts` are brands and API together."""
    paths: Annotated[tuple[Path, ...], Field(min_length=1)]
    """Paths; `{locale}` and `{brand}` are filled in by the brand, other placeholders from `values`."""
    values: Mapping[str, tuple[Text, ...]] = {}
    """Values of further placeholders, such as `app: [accounts, deposits]`."""
    kind: Literal["plain", "page", "health", "deep", "version"] = "plain"
    """What else is judged of it: an HTML page, shallow or deep health, the version."""
    status: Annotated[int, Field(strict=True, ge=200, le=599)] = 200
    """The only status that is right; 401 where nobody is let in without a token."""
    type: Annotated[str, form("media")] | None = None
    """Media type of the body; none: not judged."""
    marker: Text | None = None
    """Text that only the genuine body has, and no error or maintenance page."""
    contract: Literal["health", "deep", "version", "status"] | None = None
    """Model that a JSON body must fit."""
    cache: Literal["page", "private", "any"] = "any"
    """How it may be cached: `page` is asked for anew each time, `private` is never stored; pages are `page`."""
    latency: Latency | None = None
    """Limits, where its speed is promised."""
    owner: Text
    """Team that answers for it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One request that must be answered as its template says."""

    template: Endpoint
    host: str
    path: str
    brand: Brand | None = None
    locale: str = ""
    scheme: Literal["https", "http"] = "https"

    @property
    def is_page(self) -> bool:
        """Whether it is an HTML page."""
        return self.template.kind == "page"

    @property
    def url(self) -> str:
        """As one would type it."""
        return f"{self.scheme}://{self.host}{self.path}"


def expand(environment: Environment) -> tuple[Expected, ...]:
    """Every declared request, template by template, no host and path twice."""
    found: dict[tuple[str, str], Expected] = {}
    for template in environment.endpoints.values():
        for each in _of(template, environment):
            found.setdefault((each.host, each.path), each)
    return tuple(found.values())


def placeholders(path: str) -> tuple[str, ...]:
    """The names in braces."""
    return tuple(PLACEHOLDER.findall(path))


def _of(template: Endpoint, environment: Environment) -> Iterator[Expected]:
    if template.on in ("brands", "hosts"):
        for brand in environment.brands.values():
            yield from _of_brand(template, brand)
    if template.on in ("api", "hosts"):
        for filled in _each(template):
            yield Expected(template, environment.api.host, filled)
    if template.on == "sites":
        for site in environment.sites.values():
            for filled in _each(template):
                yield Expected(template, site.host, filled, scheme=site.scheme)


def _of_brand(template: Endpoint, brand: Brand) -> Iterator[Expected]:
    for path in template.paths:
        for locale in brand.languages if "{locale}" in path else (brand.locale,):
            for filled in _filled(path, template, {"locale": locale, "brand": brand.name}):
                yield Expected(template, brand.host, filled, brand, locale)


def _each(template: Endpoint) -> Iterator[str]:
    return (filled for path in template.paths for filled in _filled(path, template, {}))


def _filled(path: str, template: Endpoint, given: Mapping[str, str]) -> Iterator[str]:
    names = [each for each in dict.fromkeys(placeholders(path)) if each not in given]
    for values in itertools.product(*(template.values.get(each, ()) for each in names)):
        filled = path
        for name, value in {**given, **dict(zip(names, values, strict=True))}.items():
            filled = filled.replace(f"{{{name}}}", value)
        yield filled
