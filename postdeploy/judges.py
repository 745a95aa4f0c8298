"""Which claims judge which observation; each room is imported when a check first asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seat:
    """The class that judges, what it looks at, and how much of (seen, environment, release, digests) it asks for.

    One that looks at several observations names them with spaces between, and is given each in that order.
    """

    observation: str
    module: str
    name: str
    takes: int = 3


SEATS = {
    "cluster": Seat("cluster", "postdeploy.cluster.claims", "ClusterClaims", takes=4),
    "release": Seat("cluster", "postdeploy.cluster.blame", "ReleaseClaims", takes=4),
    "access": Seat("cluster", "postdeploy.cluster.access_claims", "AccessClaims"),
    "flux": Seat("cluster", "postdeploy.cluster.flux_claims", "FluxClaims"),
    "progressive": Seat("cluster", "postdeploy.cluster.progressive_claims", "ProgressiveClaims", takes=1),
    "traffic": Seat("cluster", "postdeploy.cluster.traffic", "TrafficClaims"),
    "events": Seat("cluster", "postdeploy.cluster.event_claims", "EventClaims", takes=4),
    "stability": Seat("cluster", "postdeploy.cluster.stability", "StabilityClaims"),
    "guests": Seat("cluster", "postdeploy.cluster.guest_claims", "GuestClaims"),
    "batch": Seat("cluster", "postdeploy.cluster.schedule_claims", "BatchClaims", takes=4),
    "logs": Seat("logs", "postdeploy.cluster.logs.claims", "LogClaims"),
    "web": Seat("web", "postdeploy.web.claims", "WebClaims"),
    "change": Seat("change", "postdeploy.change.claims", "ChangeClaims"),
    "identity": Seat("cluster web", "postdeploy.identity", "IdentityClaims", takes=4),
}


def appoint(name: str, look: Callable[[str], Any], *about: Any) -> Any:
    """The claims of that name over what `look` gives, about (environment, release, digests)."""
    seat = SEATS[name]
    judge = getattr(importlib.import_module(seat.module), seat.name)
    return judge(*(*map(look, seat.observation.split()), *about)[: seat.takes])
