"""The rehearsal's public hosts in this process, swept and judged: no run, no cluster, no child process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import SecretStr

from postdeploy.deadline import Deadline
from postdeploy.environment import Environment, Journeys, load
from postdeploy.verdict import Judgement, State, Verdict
from postdeploy.web.claims import RULES, WebClaims
from postdeploy.web.replies import Sweep
from postdeploy.web.route import Route
from postdeploy.web.sweep import sweep
from rehearsal.brokerage import Brokerage
from rehearsal.faults import apply
from rehearsal.public import Public
from rehearsal.trust import Authority
from rehearsal.world import World

RELEASE = "v2026.47.1"
RUN_ID = "20261122T190000Z-v2026.47.1-abc123"
CHECKS = {
    "code": "endpoints.status.code",
    "genuine": "endpoints.pages.genuine",
    "health": "endpoints.health.status",
    "deep": "endpoints.health.deep",
    "version": "endpoints.version.release",
    "build": "endpoints.version.build",
    "latency": "endpoints.latency.limits",
    "chain": "endpoints.tls.chain",
    "expiry": "endpoints.tls.expiry",
    "protocol": "endpoints.tls.protocol",
    "dns": "endpoints.dns.answers",
    "redirects": "endpoints.redirects.target",
    "open_redirect": "endpoints.redirects.open",
    "security": "endpoints.headers.security",
    "cookies": "endpoints.headers.cookies",
    "caching": "endpoints.caching.policy",
    "cors": "endpoints.cors.policy",
    "assets": "endpoints.assets.current",
    "old_assets": "endpoints.assets.previous",
    "robots": "endpoints.robots.indexing",
    "legal": "endpoints.legal.text",
    "schema": "endpoints.contract.schema",
    "openapi": "endpoints.contract.openapi",
    "leaks": "endpoints.leaks.none",
    "feed_login": "endpoints.quotes.login",
    "feed_heartbeat": "endpoints.quotes.heartbeat",
    "feed_fresh": "endpoints.quotes.fresh",
}
"""Claim to the check that is about it."""
OF_BRANDS = ("build", "open_redirect", "assets", "old_assets", "robots", "legal")


@cache
def small(name: str = "uk-prod", brands: int = 2) -> Environment:
    """An environment with its first brands only: everything is declared, and a sweep is quick."""
    whole = load(name)
    few = dict(list(whole.brands.items())[:brands])
    return whole.model_copy(update={"brands": few, "journeys": Journeys()})


def at(environment: Environment, *faults: str, seed: int = 1, bend: Callable[[World], None] | None = None) -> Sweep:
    """The sweep over a rehearsal with these faults."""

    async def go() -> Sweep:
        world = World(environment, RELEASE, seed)
        brokerage = Brokerage(environment, RELEASE, seed, "correct horse")
        apply(faults, world, brokerage)
        if bend:
            bend(world)
        authority = Authority()
        public = Public(world.front, brokerage, authority)
        try:
            return await sweep(environment, route(await public.open(), authority), **how(public))
        finally:
            await public.close()

    return asyncio.run(go())


def route(told: dict[str, Any], authority: Authority) -> Route:
    """The way to the rehearsal that says this of itself."""
    moment = datetime.fromisoformat(told["moment"])
    return Route(told["places"], tuple(told["resolvers"]), authority.pem, moment)


def how(public: Public) -> dict[str, Any]:
    """The rest of what a sweep is given."""
    token = SecretStr(public.feed_token)
    return {"deadline": Deadline(60), "run_id": RUN_ID, "feed_token": token, "rest": no_rest}


async def no_rest(seconds: float) -> None:
    """Time does not pass between two looks."""


def judged(sweep: Sweep, environment: Environment) -> dict[str, dict[str, Judgement]]:
    """Every claim of every subject, by check id."""
    claims = WebClaims(sweep, environment, RELEASE)
    found = {}
    for rule in RULES:
        subjects = environment.hosts
        if rule in OF_BRANDS:
            subjects = tuple(each.host for each in environment.brands.values())
        elif rule in ("deep", "latency", "feed_login", "feed_heartbeat", "feed_fresh"):
            subjects = (environment.api.host,)
        elif rule in ("cors", "openapi"):
            subjects = (environment.name,)
        found[CHECKS[rule]] = {host: getattr(claims, rule)(host) for host in subjects}
    return found


def flaky(sweep: Sweep, environment: Environment) -> set[str]:
    """Checks that hold, and whose looks had to be repeated."""
    claims = WebClaims(sweep, environment, RELEASE)
    found = set()
    for rule in RULES:
        for host in environment.hosts:
            holds = getattr(claims, rule)(host).holds
            if holds and any(each.outcome is not Verdict.PASSED for each in claims.looks(rule, host)):
                found.add(CHECKS[rule])
    return found


def not_well(judgements: dict[str, dict[str, Judgement]]) -> dict[str, dict[str, Judgement]]:
    """Only what is not passed, or not applicable."""
    well = (State.PASSED, State.NOT_APPLICABLE)
    found = {
        check: {name: each for name, each in of.items() if each.state not in well} for check, of in judgements.items()
    }
    return {check: each for check, each in found.items() if each}
