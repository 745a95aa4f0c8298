"""The living environment as a source of observations: the right cluster, settle, hold, one sweep over the endpoints."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy.deadline import Deadline
from postdeploy.environment import Environment
from postdeploy.options import expected_commit
from postdeploy.redact import Redactor
from postdeploy.standin import Standin, contexts, kubeconfig_paths, read_standin
from postdeploy.tokens import feed_token, registry_token
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from postdeploy.broker.recording import Recording
    from postdeploy.change.objects import Change
    from postdeploy.cluster.client import Reader
    from postdeploy.cluster.identity import Identity
    from postdeploy.cluster.logs.seen import Logs
    from postdeploy.cluster.objects import Snapshot
    from postdeploy.web.replies import Sweep

Say = Callable[[str], None]
Redact = Callable[[str], str]

REHEARSAL_SETTLE_S = 5.0
"""A rehearsal converges within a second or never."""
SETTLE_SHARE = 0.75
"""Share of the run's remaining budget that settling, and reading logs, may use; the rest is for judging."""
CALM = 4
"""How many holds long the last look may wait for what is under way: a reconciliation, a pod that an autoscaler adds."""
LIVE = ("converged", "already-live")


class WrongCluster(Exception):
    """The kubeconfig leads to another cluster than the environment declares."""


@dataclass
class Live:
    """The environment itself, read over the network (a rehearsal is one too, on loopback)."""

    environment: Environment
    release: str
    deadline: Deadline
    run_id: str
    kubeconfig: Path | None = None
    """A rehearsal's; None: the user's own."""
    hold_s: float = 0.0
    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """From the build; they come before what a registry says."""
    digest_sets: tuple[Any, ...] = ()
    """What the registry says, once asked."""
    standin: Standin | None = field(init=False)
    identity: Identity | None = None
    """Who the cluster says it is, once asked."""
    looks: tuple[Any, ...] = ()
    """Every request of the last look, for the log."""
    archive: Path | None = None
    """Where earlier runs of this environment lie: their errors are not new."""
    redact: Redact = Redactor().text
    """Strikes the run's own secrets out of what is kept of a log."""
    learn: Callable[..., None] = lambda *secrets: None
    """Hears of the cluster's token, which nothing that is kept may hold."""
    keep: Callable[[str, bytes], object] | None = None
    """Writes a file of the run folder, where whole logs are to be kept."""
    suite: tuple[str, bool | None] = ("unknown", None)
    """Commit of the checks, and whether the checkout differs from it."""
    _snapshot: Snapshot | None = None
    _portal: Any = None
    _closing: Any = None

    def __post_init__(self) -> None:
        paths = (self.kubeconfig,) if self.kubeconfig else kubeconfig_paths()
        found = (read_standin(each, self.environment.cluster.context) for each in paths)
        self.standin = next((each for each in found if each is not None), None)

    @property
    def is_rehearsal(self) -> bool:
        """Whether the kubeconfig or the cluster itself says that this is a stand-in."""
        return self.standin is not None or (self.identity is not None and self.identity.rehearsal)

    @property
    def portal(self) -> Any:
        """The one background event loop that owns every async client; started when first used."""
        if self._portal is None:
            from anyio.from_thread import start_blocking_portal

            self._closing = start_blocking_portal()
            self._portal = self._closing.__enter__()
        return self._portal

    def cluster(self, say: Say) -> Snapshot:
        """The snapshot after the cluster settled and was held. Raises WrongCluster before any look, Unverified."""
        snapshot: Snapshot = self.portal.call(_look_at_cluster, self, say)
        self._snapshot = snapshot
        return snapshot

    def logs(self, say: Say) -> Logs:
        """Every log of what the snapshot shows, since the rollout began. Raises Unverified without a snapshot."""
        if self._snapshot is None:
            raise Unverified("which containers have logs is not known: the cluster could not be looked at")
        logs: Logs = self.portal.call(_look_at_logs, self, self._snapshot, say)
        return logs

    def web(self, say: Say) -> Sweep:
        """One sweep over the declared hosts."""
        sweep: Sweep = self.portal.call(_look_at_web, self, say)
        return sweep

    def change(self, say: Say) -> Change:
        """Who deployed and who allowed it, as far as GitLab and the job say. Raises Unverified."""
        from postdeploy.change.looking import look

        say("asking who deployed, and who allowed it")
        return look(self.environment, self.release, _commit(self), self.standin, self.suite)

    def exchanges(self) -> Recording:
        """An empty recording, to be filled by the smoke checks."""
        from postdeploy.broker.recording import Recording

        return Recording()

    def close(self) -> None:
        """End the background loop and with it every client."""
        if self._closing is not None:
            self._closing.__exit__(None, None, None)
            self._closing = self._portal = None


async def _look_at_cluster(live: Live, say: Say) -> Snapshot:
    """Identify the cluster, ask what we may do there, wait until the release settled, and see that it stays."""
    import msgspec

    from postdeploy.cluster import preflight

    _expect_context(live)
    async with _reader(live) as reader:
        await _identify(live, reader)
        access = await preflight.look(reader, live.environment)
        live.digest_sets = await _ask_registry(live, reader)
        snapshot = await _settle(live, reader, say)
        if snapshot.settled is not None and snapshot.settled.outcome in LIVE and live.hold_s:
            snapshot = await _hold(live, reader, snapshot, say)
        return msgspec.structs.replace(snapshot, access=access, digest_sets=live.digest_sets, commit=_commit(live))


async def _look_at_logs(live: Live, snapshot: Snapshot, say: Say) -> Logs:
    """The logs of the containers that the snapshot shows, beside those of earlier green runs."""
    from postdeploy.cluster.logs.backends import declared
    from postdeploy.cluster.logs.earlier import earlier
    from postdeploy.cluster.logs.observe import observe

    past: tuple[Any, ...] = ()
    if live.archive is not None:
        count = live.environment.logs.green_runs
        past = earlier(live.archive, count, rehearsal=live.is_rehearsal, but=live.run_id)
    async with _reader(live) as reader:
        return await observe(
            reader,
            snapshot,
            live.environment,
            redact=live.redact,
            say=say,
            open_backend=declared(live.environment, live.standin),
            earlier=past,
            budget_s=live.deadline.left() * SETTLE_SHARE,
            write=live.keep,
        )


async def _look_at_web(live: Live, say: Say) -> Sweep:
    """One sweep over every declared host."""
    from postdeploy.web.sweep import Route, sweep

    say(f"probing {len(live.environment.hosts)} hosts")
    standin = live.standin
    way = {"places": standin.places, "resolvers": standin.resolvers, "moment": standin.moment} if standin else {}
    route = Route(ca_pem=standin.ca_pem if standin else None, **way)  # type: ignore[arg-type]
    token, why = feed_token(live.environment, live.standin)
    return await sweep(
        live.environment, route, deadline=live.deadline, run_id=live.run_id, feed_token=token, no_token=why
    )


@asynccontextmanager
async def _reader(live: Live) -> AsyncIterator[Reader]:
    from postdeploy.cluster.client import connect

    reader = await connect(live.kubeconfig, live.environment.cluster.context)
    live.learn(await reader.token())
    try:
        yield reader
    finally:
        live.looks = tuple(reader.looks)
        live.learn(await reader.token())  # it may have been renewed
        await reader.aclose()


def _expect_context(live: Live) -> None:
    paths = (live.kubeconfig,) if live.kubeconfig else kubeconfig_paths()
    declared = live.environment.cluster.context
    known = [name for each in paths for name in contexts(each)]
    if known and declared not in known:
        raise WrongCluster(
            f"{live.environment.name} declares the kubeconfig context {declared!r}, but "
            f"{', '.join(map(str, paths))} knows only "
            f"{', '.join(map(repr, known))}. Nothing was looked at. Fetch the credentials of the right cluster, or "
            "point KUBECONFIG at them."
        )


async def _identify(live: Live, reader: Reader) -> None:
    from postdeploy.cluster import identity

    try:
        live.identity = await identity.identify(reader, live.environment.cluster)
    except identity.WrongCluster as error:
        raise WrongCluster(str(error)) from error


async def _ask_registry(live: Live, reader: Reader) -> tuple[Any, ...]:
    """What the declared registry says the release's tags are; that it says nothing is part of the answer."""
    declared = live.environment.registry
    if declared is None:
        return ()
    from postdeploy.cluster.manifests import wanted
    from postdeploy.cluster.objects_images import DigestSet
    from postdeploy.cluster.registry import Registry, look_up

    pairs = wanted(live.environment, live.release)
    try:
        credential = registry_token(live.environment, live.standin) if declared.login == "token" else None
    except Unverified as error:
        return tuple(DigestSet(*pair, reason=str(error)) for pair in pairs)
    async with Registry(credential, **_registry_way(live)) as registry:
        found = await look_up(registry, pairs)
    reader.looks += registry.looks
    return found


def _registry_way(live: Live) -> dict[str, Any]:
    """How requests reach the registry: over the network, or at the rehearsal's address with its own authority."""
    if live.standin is None:
        return {}
    return {"places": live.standin.hosts, "tls": ssl.create_default_context(cadata=live.standin.ca_pem)}


async def _settle(live: Live, reader: Reader, say: Say) -> Snapshot:
    from postdeploy.cluster.settle import observe

    settle = live.environment.settle
    budget = REHEARSAL_SETTLE_S if live.is_rehearsal else settle.budget_s
    return await observe(
        reader,
        live.environment,
        live.release,
        deadline=Deadline(min(budget, live.deadline.left() * SETTLE_SHARE)),
        every_s=settle.rehearsal_every_s if live.is_rehearsal else settle.every_s,
        say=say,
        digests=_accepted(live) or None,
        commit=_commit(live),
    )


def _commit(live: Live) -> str:
    """The commit the release is, as far as somebody said; a rehearsal is one of its own and ignores the pipeline's."""
    if live.standin is not None:
        return live.standin.commit
    return expected_commit(os.environ, live.release, names_release="{tag}" in live.environment.flux.revision)


def _accepted(live: Live) -> Mapping[str, frozenset[str]]:
    from postdeploy.cluster.manifests import accepted

    return {**accepted(live.digest_sets), **live.digests}


async def _hold(live: Live, reader: Reader, snapshot: Snapshot, say: Say) -> Snapshot:
    """What is judged is the state at the end of the hold, and what a watch saw happen in it."""
    from postdeploy.cluster.hold import Patience, hold

    say(f"holding {live.hold_s:g} s: a release that is live now must still be live then")
    left = live.deadline.left() * SETTLE_SHARE
    seconds = min(live.hold_s, left)
    settle = live.environment.settle
    every_s = settle.rehearsal_every_s if live.is_rehearsal else settle.every_s
    patience = Patience(seconds, live.hold_s, min(CALM * live.hold_s, left - seconds), every_s)
    return await hold(reader, live.environment, snapshot, patience, say, digests=_accepted(live) or None)
