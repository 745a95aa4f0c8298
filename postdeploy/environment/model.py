"""What should be: one environment as closed, typed, frozen data. No check invents an expectation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from postdeploy.environment.business import Api, Business
from postdeploy.environment.change import Change
from postdeploy.environment.endpoints import Endpoint, Expected, expand
from postdeploy.environment.flux import Flux
from postdeploy.environment.forms import (
    Ceiling,
    Count,
    Currency,
    Day,
    Flag,
    Frozen,
    Host,
    Image,
    Locale,
    Model,
    Money,
    Name,
    Pause,
    Seconds,
    Tag,
    Text,
    form,
)
from postdeploy.environment.journeys import Journeys
from postdeploy.environment.logs import Logs
from postdeploy.environment.waivers import Waiver
from postdeploy.environment.web import Site, Web

PRODUCTION = ("uk-prod", "cy-prod", "mt-prod", "hk-prod", "sg-prod", "ae-prod", "za-prod")
"""The seven production environments, in the order reports show them."""

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet")


RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
"""Languages that are written from right to left."""


class Component(Model):
    """One deployable of the environment, with the image repository it must run."""

    name: Name
    """Object name in Kubernetes; the key it is written under."""
    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"]
    """Kind of the Kubernetes object."""
    namespace: Name
    """Namespace it lives in."""
    image: Image
    """Image repository it must run, without tag or digest."""
    tag: Tag | None = None
    """Pinned tag of something that is not part of the release (a database, Redis), quoted; none: the release's own."""
    group: Literal["crm", "crm-script"] | None = None
    """Release group kept in lockstep, `crm` or `crm-script`."""
    replicas: Count = 1
    """Replicas (of a DaemonSet: nodes) it runs normally; an autoscaler may differ, zero is never accepted silently."""
    may_be_zero: Flag = False
    """Whether being scaled to zero is intended here (a disabled feature, an autoscaler that idles)."""
    update_strategy: Literal["RollingUpdate", "Recreate", "OnDelete"] = "RollingUpdate"
    """How its pods are replaced; under OnDelete old pods stay until somebody deletes them."""
    progressive: Literal["rollout", "canary"] | None = None
    """Whether an Argo Rollout or a Flagger Canary of the same name brings new revisions in step by step."""
    schedule: Annotated[str, form("cron")] | None = None
    """Cron schedule of a CronJob."""
    suspended: Flag = False
    """Whether a CronJob is meant to be suspended."""
    hook_of: Name | None = None
    """HelmRelease whose hook a Job is: Helm waits for it, and may delete it once it has succeeded."""
    service: Name | None = None
    """Name of the Service that sends it traffic; none: nothing reaches it through a Service."""
    autoscaled: Flag = False
    """Whether a HorizontalPodAutoscaler sets its replicas."""
    public: Literal["ingress", "gateway"] | None = None
    """What leads to its Service from outside: an Ingress, or an HTTPRoute of a Gateway."""
    owner: Text
    """Team that answers for it."""


OF_COMPONENTS: Mapping[str, Callable[[Component], object]] = {
    "component": lambda _: True,
    "workload": lambda each: each.kind in WORKLOAD_KINDS,
    "cronjob": lambda each: each.kind == "CronJob",
    "migration": lambda each: each.kind == "Job",
    "service": lambda each: each.service,
    "autoscaled": lambda each: each.autoscaled,
    "entry": lambda each: each.public,
    "progressive": lambda each: each.progressive,
}
"""Families of subjects that are components: which of them belong."""


class Cluster(Model):
    """The identity of the cluster this environment lives in: a mismatch ends the run before any look."""

    context: Text
    """Name of the kubeconfig context."""
    server: Annotated[str, form("url")] | None = None
    """API server URL."""
    ca_sha256: Annotated[str, form("sha256")] | None = None
    """SHA-256 of the cluster CA certificate (DER), hex."""
    kube_system_uid: Annotated[str, form("uid")] | None = None
    """uid of the namespace kube-system: as unique as a cluster gets."""


class Brand(Model):
    """One white label: a host, its language, and the legal entity a client contracts with."""

    name: Name
    """The key it is written under."""
    host: Host
    """Public host name."""
    locale: Locale
    """Language of its pages; left out: the environment's."""
    legal_entity: Text
    """Company a client contracts with; left out: the environment's."""
    locales: tuple[Locale, ...] = ()
    """Further languages of its pages."""
    aliases: tuple[Host, ...] = ()
    """Hosts it had before, which must lead to its host."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language of its pages, its own first."""
        return tuple(dict.fromkeys((self.locale, *self.locales)))


@dataclass(frozen=True, slots=True)
class Shop:
    """One brand in one of its languages, as a client meets it."""

    brand: Brand
    locale: str

    @property
    def name(self) -> str:
        """How reports call it: host and language."""
        return f"{self.brand.host} {self.locale}"

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """In which direction its language is written."""
        return "rtl" if self.locale.partition("-")[0] in RIGHT_TO_LEFT else "ltr"

    @property
    def other(self) -> str:
        """The next language of the brand; its own where it has no other."""
        languages = self.brand.languages
        return languages[(languages.index(self.locale) + 1) % len(languages)]


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


class Accepted(Model):
    """Something accepted for a while, with somebody's name and reason on it; once expired it is itself a finding."""

    owner: Text
    """Who accepted it."""
    reason: Text
    """Why, with a ticket."""
    expires: Day
    """Last day it holds, YYYY-MM-DD."""

    def is_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires


class Tolerance(Accepted):
    """A failure accepted for a while: the check is reported as degraded until it expires."""

    check: Annotated[str, form("check")]
    """Check id it applies to."""
    subject: Text
    """Subject it applies to: a component, an image, a host, an account, or the environment's name."""


class Suppression(Accepted):
    """Warning events that diagnosis leaves out."""

    event: Text
    """Reason of the event, such as FailedScheduling."""
    message: Text
    """Regular expression found in the event's message."""
    component: Name | None = None
    """Component whose events are meant; none: everyone's."""


class RestartBudget(Accepted):
    """Restarts accepted for a while; without one there may be none once a pod has been ready."""

    component: Name
    """Component whose containers are meant."""
    container: Name | None = None
    """One container of it, such as istio-proxy; none: each of them."""
    allowed: Annotated[Count, Field(ge=1)]
    """Restarts that such a container may make in each pod since the rollout began."""


class LogSuppression(Accepted):
    """Log records accepted for a while, up to a ceiling; each use is shown in the report."""

    template: Text | None = None
    """What they say: a message, or the template the report shows; what varies is masked on both sides."""
    exception: Text | None = None
    """Type of their exception, such as ConnectionResetError."""
    logger: Text | None = None
    """Their logger; none: any."""
    component: Name | None = None
    """Component that writes them; none: any."""
    container: Name | None = None
    """Container that writes them; none: any."""
    most: Annotated[int, Field(strict=True, ge=1)] | None = None
    """The most of them in a component's window."""
    most_per_minute: Annotated[float, Field(strict=True, gt=0)] | None = None
    """The most of them a minute."""


class ConsoleSuppression(Accepted):
    """Messages of the browser's console accepted for a while; each use is shown in the report."""

    message: Text
    """Regular expression found in the message."""
    brand: Name | None = None
    """Brand whose pages write them; none: any."""


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
