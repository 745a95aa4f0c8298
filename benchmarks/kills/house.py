"""A brokerage on loopback, in a thread of its own: over real TLS, with its books in a file that outlives everything."""

from __future__ import annotations

import asyncio
import base64
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from postdeploy.environment import Environment
from postdeploy.standin import Standin
from rehearsal.brokerage import Brokerage
from rehearsal.doors import Credential
from rehearsal.moods import ApiSettings
from rehearsal.psp import ENDED
from rehearsal.trust import Authority

PASSWORD = "correct horse battery"
RELEASE = "v2026.47.1"
BOOKS = "brokerage.sqlite"


@dataclass
class House:
    """A running brokerage."""

    environment: Environment
    brokerage: Brokerage
    standin: Standin
    books: Path
    loop: asyncio.AbstractEventLoop

    @property
    def api(self) -> ApiSettings:
        """How it behaves: changed at any time."""
        return self.brokerage.api

    def run(self, act: Callable[[], Any]) -> Any:
        """Do something where the brokerage lives."""

        async def acting() -> Any:
            return act()

        return asyncio.run_coroutine_threadsafe(acting(), self.loop).result(timeout=30)

    def rotate(self) -> dict[str, list[str]]:
        """New seeds for every account, as after a rotation; password and seed by login."""

        def rotated() -> dict[str, list[str]]:
            doors = self.brokerage.clients.doors
            for login, known in doors.credentials.items():
                seed = base64.b32encode(secrets.token_bytes(20)).decode()
                doors.credentials[login] = Credential(known.password, seed)
            doors.bank.run("delete from codes")
            return {login: [each.password, each.totp] for login, each in doors.credentials.items()}

        keys: dict[str, list[str]] = self.run(rotated)
        return keys

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What its books say, read as after a crash: from the file."""
        self.run(self.brokerage.clients.psp.advance)
        with sqlite3.connect(self.books) as db:
            return db.execute(sql, values).fetchall()

    def audit(self) -> Audit:
        """Whether the books are as if nobody had ever been there."""
        self.run(self.brokerage.clients.psp.advance)
        return audit_of(self.books)


@dataclass(frozen=True)
class Audit:
    """What the double-entry ledger says in the end."""

    deposits: int
    standing: tuple[str, ...]
    """Keys of deposits that are not undone."""
    doubles: tuple[str, ...]
    """Keys that made more than one deposit."""
    refunded_twice: tuple[str, ...]
    unbalanced: int
    """Transactions whose entries do not add up."""
    coins_left: int
    """What clients have more than they began with."""
    failed_logins: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing at all is left."""
        return not (self.standing or self.doubles or self.refunded_twice or self.unbalanced or self.coins_left)


def audit_of(books: Path) -> Audit:
    """What books say that nobody has open, or somebody else."""
    ended = ", ".join(f"'{each}'" for each in ENDED)
    clients = "from entries e join transactions t on t.id = e.txn where e.book like 'client:%'"
    with closing(sqlite3.connect(books)) as db:

        def column(sql: str) -> tuple[Any, ...]:
            return tuple(each[0] for each in db.execute(sql))

        return Audit(
            deposits=column("select count(*) from payments")[0],
            standing=column(f"select key from payments where state not in ({ended})"),
            doubles=column("select key from payments group by account, key having count(*) > 1"),
            refunded_twice=column("select payment from refunds group by payment having count(*) > 1"),
            unbalanced=len(column("select txn from entries group by txn, currency having sum(amount) != 0")),
            coins_left=column(f"select coalesce(sum(e.amount), 0) {clients} and t.kind != 'opening'")[0],
            failed_logins=column("select count(*) from logins where outcome != 'granted'")[0],
        )


@contextmanager
def house(environment: Environment, folder: Path) -> Iterator[House]:
    """A brokerage that ends with the block; its books stay in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ready, made = threading.Event(), list[House]()
    stop: list[Callable[[], object]] = []

    def live() -> None:
        asyncio.run(_serve(environment, folder, made, stop, ready))

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    assert ready.wait(30), "the brokerage did not start"
    try:
        yield made[0]
    finally:
        made[0].loop.call_soon_threadsafe(stop[0])
        thread.join(timeout=10)


async def _serve(
    environment: Environment, folder: Path, made: list[House], stop: list[Callable[[], object]], ready: threading.Event
) -> None:
    brokerage = Brokerage(environment, RELEASE, 1, PASSWORD, folder / BOOKS)
    authority, end = Authority(), asyncio.Event()
    runner = web.AppRunner(brokerage.app(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server("localhost", *environment.hosts)).start()
    place = f"127.0.0.1:{runner.addresses[0][1]}"
    known = brokerage.clients.doors.credentials
    standin = Standin(
        environment=environment.name,
        release=RELEASE,
        seed=1,
        faults=(),
        hosts=dict.fromkeys(environment.hosts, place),
        ca_pem=authority.pem,
        password=SecretStr(PASSWORD),
        accounts={login: (SecretStr(each.password), SecretStr(each.totp)) for login, each in known.items()},
    )
    made.append(House(environment, brokerage, standin, folder / BOOKS, asyncio.get_running_loop()))
    stop.append(end.set)
    ready.set()
    await end.wait()
    await runner.cleanup()
    brokerage.clients.bank.close()
