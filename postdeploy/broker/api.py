"""One synthetic account at the brokerage: logged in once, leased to this run, proven before anything is changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from postdeploy.broker import models, paths
from postdeploy.broker.line import Line, Reply
from postdeploy.broker.totp import MARGIN_S, next_code
from postdeploy.broker.undo.lease import Lease
from postdeploy.environment import Account
from postdeploy.verdict import Unverified

BAD = (400, 401, 403, 423, 429)
"""Answers to a login after which nobody logs in any more in this run."""
STALE_S = 60.0
"""A session with less time left is renewed before it is used."""


class LoginRefused(AssertionError):
    """The API answered, and the account has no usable session."""


@dataclass
class Gate:
    """Shared by all accounts of a run: the first bad answer to a credential stops every further login."""

    closed: str = ""


@dataclass(frozen=True)
class Keys:
    """What opens an account."""

    password: SecretStr | None
    totp: SecretStr | None = None
    why: str = ""
    """Why there is no password."""


@dataclass
class Session:
    """A logged-in account; its tokens are shown nowhere."""

    account: str
    token: SecretStr
    refresh: SecretStr
    expires_in_s: float
    since: float = 0.0

    def __repr__(self) -> str:
        return f"<session of {self.account}, {self.expires_in_s:g} s>"


Made = Callable[[str, Reply], Reply]
"""Hears under which name a reply was made."""


@dataclass
class Client:
    """One account: what it asks, it asks with its own session."""

    account: Account
    keys: Keys = field(repr=False)
    line: Line = field(repr=False)
    lease: Lease = field(repr=False)
    gate: Gate = field(repr=False)
    margin_s: float = MARGIN_S
    clock: Callable[[], float] = time.time
    session: Session | None = None
    _tried: bool = False

    def __repr__(self) -> str:
        return f"<{self.account.login} at {self.line.host}>"

    def log_in(self, made: Made) -> None:
        """Try to get a session, once in a run, whatever comes of it. Raises Unverified where it may not be tried."""
        if self._tried:
            return
        if self.gate.closed:
            raise Unverified(f"nobody logs in any more in this run: {self.gate.closed}")
        if self.keys.password is None:
            raise Unverified(self.keys.why)
        self.lease.take()
        self._tried = True
        password = self.keys.password.get_secret_value()
        reply = made("password", self._post(paths.LOGIN, paths.login_body(self.account.login, password), password))
        challenge, _ = models.read(models.Challenge, reply.said)
        if challenge is not None and reply.kept.status == 200:
            reply = made("code", self._confirm(challenge.challenge))
        if reply.kept.status in BAD:
            self.gate.closed = f"{self.account.login} got {reply.kept.status} to its credentials"
        self._begin(reply)

    def get(self, path: str, **values: str) -> Reply:
        """Read something. Raises LoginRefused without a session."""
        return self._authorised("GET", paths.query(path, **values))

    def post(self, path: str, body: Any, key: str = "", *, once: bool = True) -> Reply:
        """Change something, once: not even a missed connection is tried again."""
        return self._authorised("POST", path, body, key, once=once)

    def refresh(self) -> Reply:
        """A new session in place of this one."""
        secret = self._live().refresh.get_secret_value()
        reply = self._post(paths.REFRESH, {"refresh_token": secret}, secret)
        self._begin(reply)
        return reply

    def log_out(self) -> Reply:
        """End the session; it is kept here so that a claim can try whether it is dead."""
        return self._authorised("POST", paths.LOGOUT)

    def _authorised(self, method: str, path: str, body: Any = None, key: str = "", *, once: bool = False) -> Reply:
        from postdeploy.broker.transport import Ask

        live = self._live()
        if self.clock() - live.since > live.expires_in_s - STALE_S and path not in (paths.REFRESH, paths.LOGOUT):
            self.refresh()
            live = self._live()
        ask = Ask(method, path, body, live.token.get_secret_value(), key=key)
        return self.line.send(ask, once=once)

    def _live(self) -> Session:
        if self.session is None:
            raise LoginRefused(f"{self.account.login} has no session")
        return self.session

    def _confirm(self, challenge: str) -> Reply:
        seed = self.keys.totp
        if seed is None:
            self.gate.closed = f"{self.account.login} is asked for a one-time code"
            raise Unverified(f"{self.account.login} is asked for a one-time code, and no seed of it is known here")
        code = next_code(seed, self.clock(), self.lease.last_step(seed), self.margin_s)
        self.line.rest(code.wait_s)
        self.lease.use_step(seed, code.step)
        digits = code.digits.get_secret_value()
        # A used code opens nothing any more, and six digits registered as a secret would mask half of every report.
        return self._post(paths.CODE, paths.code_body(challenge, digits))

    def _post(self, path: str, body: Any, *secrets: str) -> Reply:
        from postdeploy.broker.transport import Ask

        return self.line.send(Ask("POST", path, body), secrets=secrets)

    def _begin(self, reply: Reply) -> None:
        granted, _ = models.read(models.Granted, reply.said)
        usable = reply.kept.status == 200 and granted is not None and granted.token.strip() and granted.expires_in > 0
        if usable and granted is not None:
            token, refresh = SecretStr(granted.token), SecretStr(granted.refresh_token)
            self.session = Session(self.account.login, token, refresh, granted.expires_in, self.clock())
