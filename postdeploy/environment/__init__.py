"""What should be: one environment as closed, typed, frozen data, read from a base and an overlay."""

from postdeploy.environment.accepted import (
    Accepted,
    ConsoleSuppression,
    LogSuppression,
    RestartBudget,
    Suppression,
    Tolerance,
)
from postdeploy.environment.brands import Brand, Shop
from postdeploy.environment.business import ROLES, Account, Accounts, Api, Business, Limits, Market, Spending
from postdeploy.environment.components import WORKLOAD_KINDS, Cluster, Component
from postdeploy.environment.currencies import decimals, is_whole
from postdeploy.environment.endpoints import Endpoint, Expected, Latency
from postdeploy.environment.files import EnvironmentFileError, UnknownEnvironment, known, load
from postdeploy.environment.flux import ExpectedRevision, Flux
from postdeploy.environment.journeys import Journeys, PageDeposit, PageVitals
from postdeploy.environment.labels import NoLabels, labels
from postdeploy.environment.logs import CloudLogging, ErrorRate, Logs, Loki
from postdeploy.environment.model import (
    PRODUCTION,
    Deposit,
    Environment,
    Registry,
    Settle,
)
from postdeploy.environment.waivers import BadWaivers, Waiver, read_waivers
from postdeploy.environment.web import Feed, Redirect, Site, TradingHours, Web

__all__ = [
    "PRODUCTION",
    "ROLES",
    "WORKLOAD_KINDS",
    "Accepted",
    "Account",
    "Accounts",
    "Api",
    "BadWaivers",
    "Brand",
    "Business",
    "CloudLogging",
    "Cluster",
    "Component",
    "ConsoleSuppression",
    "Deposit",
    "Endpoint",
    "Environment",
    "EnvironmentFileError",
    "ErrorRate",
    "Expected",
    "ExpectedRevision",
    "Feed",
    "Flux",
    "Journeys",
    "Latency",
    "Limits",
    "LogSuppression",
    "Logs",
    "Loki",
    "Market",
    "NoLabels",
    "PageDeposit",
    "PageVitals",
    "Redirect",
    "Registry",
    "RestartBudget",
    "Settle",
    "Shop",
    "Site",
    "Spending",
    "Suppression",
    "Tolerance",
    "TradingHours",
    "UnknownEnvironment",
    "Waiver",
    "Web",
    "decimals",
    "is_whole",
    "known",
    "labels",
    "load",
    "read_waivers",
]
