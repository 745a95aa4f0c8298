"""What should be: one environment as closed, typed, frozen data, read from a base and an overlay."""

from postdeploy.environment.files import EnvironmentFileError, UnknownEnvironment, known, load
from postdeploy.environment.flux import ExpectedRevision, Flux
from postdeploy.environment.logs import CloudLogging, ErrorRate, Logs, Loki
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
    LogSuppression,
    Registry,
    RestartBudget,
    Settle,
    Suppression,
    Tolerance,
)

__all__ = [
    "PRODUCTION",
    "WORKLOAD_KINDS",
    "Accepted",
    "Api",
    "Brand",
    "CloudLogging",
    "Cluster",
    "Component",
    "Deposit",
    "Environment",
    "EnvironmentFileError",
    "ErrorRate",
    "ExpectedRevision",
    "Flux",
    "LogSuppression",
    "Logs",
    "Loki",
    "Registry",
    "RestartBudget",
    "Settle",
    "Suppression",
    "Tolerance",
    "UnknownEnvironment",
    "known",
    "load",
]
