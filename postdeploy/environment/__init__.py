"""What should be: one environment as closed, typed, frozen data, read from a base and an overlay."""

from postdeploy.environment.endpoints import Endpoint, Expected, Latency
from postdeploy.environment.files import EnvironmentFileError, UnknownEnvironment, known, load
from postdeploy.environment.flux import ExpectedRevision, Flux
from postdeploy.environment.model import (
    PRODUCTION,
    WORKLOAD_KINDS,
    Accepted,
    Api,
    Brand,
    Cluster,
    Component,
    Deposit,
    Environment,
    Registry,
    RestartBudget,
    Settle,
    Suppression,
    Tolerance,
)
from postdeploy.environment.web import Feed, Market, Redirect, Site, Web

__all__ = [
    "PRODUCTION",
    "WORKLOAD_KINDS",
    "Accepted",
    "Api",
    "Brand",
    "Cluster",
    "Component",
    "Deposit",
    "Endpoint",
    "Environment",
    "EnvironmentFileError",
    "Expected",
    "ExpectedRevision",
    "Feed",
    "Flux",
    "Latency",
    "Market",
    "Redirect",
    "Registry",
    "RestartBudget",
    "Settle",
    "Site",
    "Suppression",
    "Tolerance",
    "UnknownEnvironment",
    "Web",
    "known",
    "load",
]
