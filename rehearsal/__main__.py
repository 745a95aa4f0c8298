"""Serve a rehearsal in the foreground: `python -m rehearsal --env uk-prod`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from postdeploy.environment import Environment, EnvironmentFileError, UnknownEnvironment, load
from rehearsal import canaries, rbac
from rehearsal.delivery import commit_of
from rehearsal.server import Api
from rehearsal.trust import Authority, kubeconfig, write_private
from rehearsal.world import World

if TYPE_CHECKING:
    from rehearsal.public import Public

RELEASE = "v2026.47.1"
LOOPBACK = "127.0.0.1"
BOOKS = "brokerage.sqlite"
BAD_USAGE = 4


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The options of a rehearsal."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description=__doc__)
    parser.add_argument(
        "--env", required=True, metavar="NAME", help="environment to stand in for, a file in environments/"
    )
    parser.add_argument(
        "--release", default=RELEASE, metavar="TAG", help=f"release that is live in it (default {RELEASE})"
    )
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="break it; a trap's name too")
    parser.add_argument("--seed", type=int, default=1, help="names, order, timing, history and noise (default 1)")
    parser.add_argument("--dir", type=Path, help="folder for the kubeconfig (default: a temporary one)")
    parser.add_argument(
        "--motion", type=float, default=0.0, metavar="SECONDS", help="a rollout that converges within this time"
    )
    parser.add_argument("--rbac", type=Path, metavar="FILE", help="let the user do only what the bindings in it grant")
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="where the brokerage keeps its books (default: --dir)"
    )
    parser.add_argument("--watch-parent", action="store_true", help="end when standard input closes")
    return parser.parse_args(argv)


def know(faults: list[str], environment: str) -> None:
    """Refuse a fault that does not exist, or not in this environment, before anything is built."""
    if faults:
        from rehearsal.catalogue import UnknownFault, find

        try:
            for each in faults:
                find(each, environment)
        except UnknownFault as error:
            raise LookupError(str(error)) from error


class Stage:
    """One rehearsal: its world, its brokerage, and the two ports they are served on."""

    def __init__(self, environment: Environment, options: argparse.Namespace) -> None:
        self.environment, self.options = environment, options
        self.token, self.password = canaries.secret("cluster", 24), canaries.secret("password")
        self.authority = Authority()
        self.world = World.build(environment, options.release, options.seed)
        self.world.settings.rbac = options.enforced
        self.runners: list[web.AppRunner] = []
        self.public: Public | None = None
        self.keys: dict[str, dict[str, str]] = {}
        """What opens the accounts, by login."""
        self.job: dict[str, object] = {}
        """What the job of a pipeline would bring."""

    async def open(self, folder: Path) -> dict[str, object]:
        """Break what is to be broken, serve, write the kubeconfig; what the outside needs to know."""
        hosts, public = await self._brokerage(self.options.state or folder)
        hosts |= await self._registry()
        hosts |= await self._loki()
        hosts |= await self._gitlab()
        if self.options.motion:
            from rehearsal.motion import begin

            begin(self.world, self.options.motion)
        port = await self._api()
        self.world.start(asyncio.get_running_loop())
        server, told = f"https://{LOOPBACK}:{port}", self._told()
        extension = told | public | {"hosts": hosts, "ca": self.authority.pem, "password": self.password}
        extension["accounts"] = self.keys
        extension["job"] = self.job
        extension["commit"] = commit_of(self.options.release)
        context = self.environment.cluster.context
        path = folder / "kubeconfig"
        write_private(path, kubeconfig(context, server, self.authority.pem, self.token, extension))
        urls = {"kubernetes": server} | {f"https://{host}": f"https://{place}" for host, place in hosts.items()}
        return {"kubeconfig": str(path), "pid": os.getpid(), "urls": urls, **told}

    async def close(self) -> None:
        """Stop serving."""
        for each in self.runners:
            await each.cleanup()
        if self.public is not None:
            await self.public.close()

    def _told(self) -> dict[str, object]:
        options = self.options
        return {
            "environment": self.environment.name,
            "release": options.release,
            "seed": options.seed,
            "faults": options.fault,
        }

    async def _brokerage(self, state: Path) -> tuple[dict[str, str], dict[str, Any]]:
        """Serve all that is public: where each host is, and how a harness gets there by its public address."""
        from rehearsal.brokerage import Brokerage
        from rehearsal.public import Public

        about = (self.environment, self.options.release, self.options.seed, self.password)
        brokerage = Brokerage(*about, state / BOOKS)
        self.keys = {login: vars(each) for login, each in brokerage.clients.doors.credentials.items()}
        if self.options.fault:
            from rehearsal.faults import apply

            apply(self.options.fault, self.world, brokerage)
        self.public = Public(self.world.front, brokerage, self.authority)
        told = await self.public.open()
        return dict.fromkeys(self.environment.hosts, f"{LOOPBACK}:{self.public.port}"), told

    async def _registry(self) -> dict[str, str]:
        from rehearsal.registry import Registry

        registry = Registry(self.world)
        if not registry.hosts:
            return {}
        port = await self._serve(registry.app(), LOOPBACK, "localhost", *registry.hosts)
        return dict.fromkeys(registry.hosts, f"{LOOPBACK}:{port}")

    async def _loki(self) -> dict[str, str]:
        from rehearsal.loki import Loki

        loki = Loki(self.world)
        if not loki.hosts:
            return {}
        port = await self._serve(loki.app(), LOOPBACK, "localhost", *loki.hosts)
        return dict.fromkeys(loki.hosts, f"{LOOPBACK}:{port}")

    async def _gitlab(self) -> dict[str, str]:
        from rehearsal.gitlab import GitLab

        gitlab = GitLab(self.world)
        if not gitlab.hosts:
            return {}
        self.job = gitlab.job()
        port = await self._serve(gitlab.app(), LOOPBACK, "localhost", *gitlab.hosts)
        return dict.fromkeys(gitlab.hosts, f"{LOOPBACK}:{port}")

    async def _api(self) -> int:
        """Serve the Kubernetes API, unless nobody is to listen there or somebody else answers in its place."""
        app, state = Api(self.world, self.token).app(), self.world.settings.port
        port = await self._serve(app, LOOPBACK, "localhost", authority=Authority() if state == "intercepted" else None)
        if state == "closed":
            await self.runners.pop().cleanup()
        return port

    async def _serve(self, app: web.Application, *names: str, authority: Authority | None = None) -> int:
        # A watcher that has gone must not be kept: its handler is cancelled with its connection.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0, ssl_context=(authority or self.authority).server(*names))
        await site.start()
        self.runners.append(runner)
        return int(runner.addresses[0][1])


def until_parent_ends(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """End when standard input closes: whoever started this is gone, and may not have had time to say so."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True).start()


async def serve(options: argparse.Namespace, environment: Environment, folder: Path) -> None:
    """Serve until a signal, or until the parent ends."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if options.watch_parent:
        until_parent_ends(loop, stop)
    stage = Stage(environment, options)
    try:
        told = await stage.open(folder)
        print(json.dumps(told), flush=True)  # noqa: T201  (the one line that is the interface)
        await stop.wait()
    finally:
        await stage.close()


def main(argv: list[str] | None = None) -> int:
    """Serve until told to end; 4 with one clear message where the arguments make no sense."""
    options = arguments(argv)
    try:
        environment = load(options.env)
        know(options.fault, environment.name)
        options.enforced = rbac.read(options.rbac) if options.rbac else None
    except (EnvironmentFileError, UnknownEnvironment, LookupError, rbac.NotRbac) as error:
        print(error.args[0], file=sys.stderr)  # noqa: T201
        return BAD_USAGE
    if options.state:
        options.state.mkdir(parents=True, exist_ok=True)
    if options.dir:
        options.dir.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve(options, environment, options.dir))
        return 0
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        asyncio.run(serve(options, environment, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
