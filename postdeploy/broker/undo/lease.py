"""One account is one run's at a time: a lease in the journal's database, which a dead run does not keep."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from postdeploy.broker.totp import seed_mark
from postdeploy.broker.undo.store import Store
from postdeploy.verdict import Unverified

LASTS_S = 300.0
"""A run that is not heard of for so long has lost its leases."""
RENEWED_S = 60.0


class Leased(Unverified):
    """Another run uses the account."""


class Lease:
    """This run's hold on one account."""

    def __init__(self, store: Store, account: str, holder: str, clock: Callable[[], float] = time.time) -> None:
        self.store, self.account, self.holder, self.clock = store, account, holder, clock
        self._renewed = float("-inf")

    def take(self) -> None:
        """Take the account, or keep it. Raises Leased while another living run has it."""
        now = self.clock()
        table = self.store.tables.leases
        mine = {"holder": self.holder, "host": socket.gethostname(), "process": _process(os.getpid())}
        with self.store.writing() as connection:
            row = connection.execute(table.select().where(table.c.account == self.account)).mappings().first()
            if row is not None and row["holder"] not in ("", self.holder) and row["until"] > now and not _is_dead(row):
                until = datetime.fromtimestamp(row["until"], UTC)
                raise Leased(
                    f"account {self.account} is in use by run {row['holder']} on {row['host']} until "
                    f"{until:%H:%M:%S} UTC at the latest; two runs on one account would undo each other's deposits"
                )
            values = {**mine, "until": now + LASTS_S}
            if row is None:
                connection.execute(table.insert().values(account=self.account, **values))
            else:
                connection.execute(table.update().where(table.c.account == self.account).values(**values))
        self._renewed = now

    def renew(self) -> None:
        """Keep it for longer where it is time to. Raises Leased when it was lost meanwhile."""
        if self.clock() - self._renewed >= RENEWED_S:
            self.take()

    def last_step(self, seed: SecretStr) -> int | None:
        """The step of the last one-time code anybody sent for the account, of this very seed."""
        table = self.store.tables.leases
        with self.store.writing() as connection:
            row = connection.execute(table.select().where(table.c.account == self.account)).mappings().first()
        return int(row["step"]) if row and row["seed"] == seed_mark(seed) and row["step"] is not None else None

    def use_step(self, seed: SecretStr, step: int) -> None:
        """Write down, before it is sent, that the code of this step is used up."""
        table = self.store.tables.leases
        with self.store.writing() as connection:
            statement = table.update().where(table.c.account == self.account, table.c.holder == self.holder)
            connection.execute(statement.values(step=step, seed=seed_mark(seed)))

    def give_back(self) -> None:
        """Let the next run have it at once."""
        table = self.store.tables.leases
        with self.store.writing() as connection:
            statement = table.update().where(table.c.account == self.account, table.c.holder == self.holder)
            connection.execute(statement.values(holder="", until=0.0))


def _is_dead(row: Mapping[Any, Any]) -> bool:
    """Whether the holder was a process of this very machine that has ended: nobody waits for its lease to run out."""
    host, process = row["host"], str(row["process"])
    number, _, _ = process.partition("@")
    return bool(host == socket.gethostname() and number.isdigit() and _process(int(number)) != process)


def _process(number: int) -> str:
    """A process by number and start, for numbers are used again; after a restart of the machine it is another one."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return f"{number}@" if _exists(number) else ""
    return f"{number}@{boot}/{stat.rpartition(')')[2].split()[19]}"


def _exists(number: int) -> bool:
    """Where there is no /proc (macOS)."""
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(number, 0)
    except OSError:
        return False
    return True
