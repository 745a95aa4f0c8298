"""One sweep over the declared hosts: each path is asked for once, all hosts at the same time, within bounds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postdeploy.environment import Environment
from postdeploy.web.replies import NOT_REACHED, Reply, Sweep, load, save
from postdeploy.web.route import Route

if TYPE_CHECKING:
    from postdeploy.deadline import Deadline
    from postdeploy.web.probe import Prober

__all__ = ["HEALTH", "PATHS", "VERSION", "Reply", "Route", "Sweep", "load", "save", "sweep"]

HEALTH = "/health"
VERSION = "/version"
PATHS = (HEALTH, VERSION)
HOSTS_AT_ONCE = 16


async def sweep(environment: Environment, route: Route, *, deadline: Deadline, run_id: str) -> Sweep:
    """Ask every declared host for its health and its version; what has no answer is in the sweep too."""
    from postdeploy.web.probe import Prober  # late: httpx is paid for by a run that looks

    prober = Prober(route, run_id, deadline)
    gate = asyncio.Semaphore(HOSTS_AT_ONCE)
    taken = datetime.now(UTC)
    replies = await asyncio.gather(*(_ask_host(prober, host, gate) for host in environment.hosts))
    return Sweep(
        environment=environment.name,
        run_id=run_id,
        taken=taken,
        replies=tuple(each for host in replies for each in host),
    )


async def _ask_host(prober: Prober, host: str, gate: asyncio.Semaphore) -> list[Reply]:
    """A host's paths one after the other, over one connection; an unreachable host is not asked again."""
    replies: list[Reply] = []
    async with gate, prober.visit(host) as ask:
        for path in PATHS:
            if replies and replies[0].fault in NOT_REACHED:
                before = replies[0]
                replies.append(Reply(host=host, path=path, fault=before.fault, error=before.error))
            else:
                replies.append(await ask(path))
    return replies
