"""The account that signs in through the page: its credentials are given out once, under the same rules as any login."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from postdeploy.broker.api import Gate, Keys
from postdeploy.broker.totp import MARGIN_S, next_code
from postdeploy.broker.undo.lease import Lease
from postdeploy.environment import Account
from postdeploy.verdict import Unverified


@dataclass
class Visitor:
    """One synthetic account, leased to this run before anything of it is typed."""

    account: Account
    keys: Keys = field(repr=False)
    lease: Lease = field(repr=False)
    gate: Gate = field(repr=False)
    margin_s: float = MARGIN_S
    rest: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    _tried: bool = False

    @property
    def login(self) -> str:
        """Name that it signs in with."""
        return self.account.login

    def password(self) -> SecretStr:
        """The password, once in a run, whatever comes of it. Raises Unverified where it may not be tried."""
        if self._tried:
            raise Unverified(f"{self.login} has tried to sign in already, and does so once in a run")
        if self.gate.closed:
            raise Unverified(f"nobody logs in any more in this run: {self.gate.closed}")
        if self.keys.password is None:
            raise Unverified(self.keys.why)
        self.lease.take()
        self._tried = True
        return self.keys.password

    def code(self) -> SecretStr:
        """A one-time code that nobody has used, written down as used before it is typed. Raises Unverified."""
        seed = self.keys.totp
        if seed is None:
            raise Unverified(f"{self.login} is asked for a one-time code, and no seed of it is known here")
        code = next_code(seed, self.clock(), self.lease.last_step(seed), self.margin_s)
        self.rest(code.wait_s)
        self.lease.use_step(seed, code.step)
        return code.digits
