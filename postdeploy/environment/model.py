"""What should be: one environment as closed, typed, frozen data. No check invents an expectation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from postdeploy.environment.accepted import (
    Accepted,
    ConsoleSuppression,
    LogSuppression,
    RestartBudget,
    Suppression,
    Tolerance,
)
from postdeploy.environment.brands import Brand, Shop
from postdeploy.environment.business import Api, Business
from postdeploy.environment.change import Change
from postdeploy.environment.components import OF_COMPONENTS, Cluster, Component
from postdeploy.environment.endpoints import Endpoint, Expected, expand
from postdeploy.environment.flux import Flux
from postdeploy.environment.forms import (
    Ceiling,
    Currency,
    Frozen,
    Locale,
    Model,
    Money,
    Name,
    Pause,
    Seconds,
    Text,
    form,
)
from postdeploy.environment.journeys import Journeys
from postdeploy.environment.logs import Logs
from postdeploy.environment.waivers import Waiver
from postdeploy.environment.web import Site, Web

PRODUCTION = ("uk-prod", "cy-prod", "mt-prod", "hk-prod", "sg-prod", "ae-prod", "za-prod")
"""The seven production environments, in the order reports show them."""


class Deposit(Model):
    """The smallest deposit agreed with compliance, per method."""

    method: Name
    """The key it is written under."""
    currency: Currency
    """Currency it is made in, one the environment declares; left out: the environment's."""
    amount: Money
    """Smallest amount agreed with compliance for this jurisdiction, quoted, such as "10.00"."""
    ends: Literal["settled", "pending"] = "settled"
    """State a healthy deposit reaches within the budget; eDDA and SEPA stay pending."""
    within_s: Seconds = 60.0
    """Longest wait for that state."""
    fee: Ceiling = Decimal(0)
    """What the method costs the client, taken off what is credited, quoted."""
    mode: Literal["intent", "sandbox", "penny"] | None = None
    """How this method is proved; left out: as `business.spending.mode` says."""


class Settle(Model):
    """How long a rollout may take to converge, in seconds."""

    budget_s: Seconds = 600.0
    """Longest wait."""
    every_s: Pause = 2.0
    """Pause between two looks."""
    rehearsal_every_s: Pause = 0.2
    """The same in a rehearsal."""


class Registry(Model):
    """The container registry, where it may be read: it says which digests a tag is."""

    hosts: Annotated[tuple[Annotated[str, form("registry")], ...], Field(min_length=1)]
    """Its host names, as image repositories begin with them."""
    login: Literal["anonymous", "token"] = "anonymous"
    """How it is read: by anybody, or with the token that is kept where the password is."""


class Environment(Model):
    """One production (or staging) environment: a jurisdiction, its cluster, and everything that should live there."""

    name: Name
    """The file's name."""
    regulator: Text
    """Supervisor of the legal entity, such as FCA."""
    legal_entity: Text
    """Company that is licensed here."""
    country: Annotated[str, form("country")]
    """ISO 3166 code, upper case; `NO` is a country and not a boolean."""
    currency: Currency
    """ISO 4217 code clients are accounted in unless they choose another."""
    currencies: tuple[Currency, ...] = ()
    """Further account currencies offered here."""
    locale: Locale = "en-GB"
    """Language of a brand that names none."""
    timezone: Annotated[str, form("zone")] = "UTC"
    """IANA zone of the local times below."""
    cluster: Cluster
    """Identity of the cluster."""
    flux: Flux
    """How a release maps to Flux revisions."""
    components: Frozen[Component]
    """Everything that is deployed, by object name."""
    brands: Frozen[Brand]
    """White labels, by brand."""
    api: Api
    """The public API and its synthetic account."""
    deposits: Frozen[Deposit]
    """Smallest deposits, by method."""
    sites: Frozen[Site] = Field(default_factory=dict)
    """Further public hosts, by name."""
    endpoints: Frozen[Endpoint] = Field(default_factory=dict)
    """What the public hosts must answer, as templates."""
    web: Web = Web()
    """What is expected of every public host."""
    business: Business = Field(default_factory=Business)
    """What a client can do here, and what proving it may cost."""
    journeys: Journeys = Journeys()
    """What the browser journeys visit."""
    change: Change | None = None
    """What has to allow a deployment; none: nothing of the kind is asked for here."""
    registry: Registry | None = None
    """The container registry that may be asked what a tag is; none: digests are compared with each other alone."""
    tolerances: tuple[Tolerance, ...] = ()
    """Failures accepted for a while."""
    waivers: tuple[Waiver, ...] = ()
    """Checks that need not be run for a while."""
    suppressions: tuple[Suppression, ...] = ()
    """Warning events left out of diagnosis for a while."""
    restart_budgets: tuple[RestartBudget, ...] = ()
    """Restarts accepted for a while."""
    logs: Logs = Field(default_factory=Logs)
    """How logs are read, and what they may say."""
    log_suppressions: tuple[LogSuppression, ...] = ()
    """Log records accepted for a while."""
    console_suppressions: tuple[ConsoleSuppression, ...] = ()
    """Messages of the browser's console accepted for a while."""
    settle: Settle = Settle()
    """How long a rollout may take."""
    hold_s: Seconds = 30.0
    """Stability window after convergence, seconds."""
    quiet_hours: tuple[Annotated[str, form("hours")], ...] = ()
    """Local times `HH:MM-HH:MM` in which markets are closed."""

    @model_validator(mode="before")
    @classmethod
    def _with_inherited(cls, data: Any) -> Any:
        """Give parts the key they are written under and what they take over from the environment."""
        if not isinstance(data, Mapping):
            return data
        entity, locale, currency = (data.get(key) for key in ("legal_entity", "locale", "currency"))
        brand = {"locale": locale or cls.model_fields["locale"].default, "legal_entity": entity}
        taken = {"components": {}, "brands": brand, "deposits": {"currency": currency}}
        keys = dict.fromkeys(("components", "brands", "sites", "endpoints"), "name") | {"deposits": "method"}
        named = {part: _named(data[part], keys[part], taken.get(part, {})) for part in keys if part in data}
        return {**data, **named}

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace that a component lives in, sorted."""
        return tuple(sorted({each.namespace for each in self.components.values()}))

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every declared public host: each brand's, then the API's, then the sites'."""
        sites = [each.host for each in self.sites.values()]
        return tuple(dict.fromkeys([*(each.host for each in self.brands.values()), self.api.host, *sites]))

    @cached_property
    def expected(self) -> tuple[Expected, ...]:
        """Every request that a declared endpoint must answer."""
        return expand(self)

    @property
    def secure_hosts(self) -> tuple[str, ...]:
        """The public hosts that speak TLS: all but the sites declared http-only."""
        plain = {each.host for each in self.sites.values() if each.scheme == "http"}
        return tuple(each for each in self.hosts if each not in plain)

    @property
    def shops(self) -> tuple[Shop, ...]:
        """What the journeys visit: each of their brands in all its languages, the main one first."""
        names = self.journeys.brands or tuple(self.brands)[:1]
        return tuple(Shop(self.brands[name], locale) for name in names for locale in self.brands[name].languages)

    def with_all_brands(self) -> Environment:
        """The same environment, of which the journeys visit every brand; those declared for them come first."""
        every = tuple(dict.fromkeys((*self.journeys.brands, *self.brands)))
        return self.model_copy(update={"journeys": self.journeys.model_copy(update={"brands": every})})

    def expired(self, today: date) -> tuple[Accepted | Waiver, ...]:
        """Tolerances, waivers, suppressions and restart budgets whose last day is over."""
        accepted: tuple[Accepted | Waiver, ...] = (*self.tolerances, *self.waivers, *self.suppressions)
        accepted += (*self.restart_budgets, *self.log_suppressions, *self.console_suppressions)
        return tuple(each for each in accepted if each.is_expired(today))

    def subjects(self, over: str) -> Mapping[str, object]:
        """What a check is parametrised over: subject name to value; empty where this environment declares none."""
        if over in OF_COMPONENTS:
            return {name: each for name, each in self.components.items() if OF_COMPONENTS[over](each)}
        named: dict[str, Mapping[str, object]] = {
            "environment": {self.name: self},
            "controlled": {self.name: self} if self.change else {},
            "image": {each.image: each.image for each in self.components.values()},
            "host": {host: host for host in self.hosts},
            "brand": {each.host: each for each in self.brands.values()},
            "deep": {each.host: each.host for each in self.expected if each.template.kind == "deep"},
            "timed": {each.host: each.host for each in self.expected if each.template.latency},
            "feed": {self.api.host: self.api.host} if self.web.feed else {},
            "kustomization": {name: name for name in self.flux.kustomizations},
            "helmrelease": {name: name for name in self.flux.helm_releases},
            "imagepolicy": {name: name for name in self.flux.image_policies},
            "account": {self.api.account: self.api},
            "deposit": dict(self.deposits),
            "shop": {each.name: each for each in self.shops},
            "bilingual": {each.name: each for each in self.shops if each.other != each.locale},
        }
        if over in named:
            return named[over]
        raise ValueError(f"no family of subjects called {over!r}")


def _named(parts: Any, key: str, inherited: Mapping[str, Any]) -> Any:
    """Parts with their key as a field; what is no mapping is left for validation to refuse."""
    if not isinstance(parts, Mapping):
        return parts
    given = {name: value for name, value in inherited.items() if value is not None}
    return {name: {key: name, **given, **part} if isinstance(part, Mapping) else part for name, part in parts.items()}
