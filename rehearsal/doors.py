"""Who may come in: passwords, one-time codes, locks and sessions. Every attempt is kept, for tests to count."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from postdeploy.environment import Environment
from rehearsal import canaries
from rehearsal.bank import Bank
from rehearsal.moods import ApiSettings

ATTEMPTS_BEFORE_LOCK = 5
TOKEN_LIFETIME_S = 900
STEP_S = 30


@dataclass(frozen=True)
class Credential:
    """What opens one account."""

    password: str
    totp: str
    """Seed in base32."""


def credentials(environment: Environment, password: str) -> dict[str, Credential]:
    """By login: the trader has the given password, the others passwords made from it, all have seeds."""
    made = {}
    for role, account in environment.api.accounts:
        own = password if role == "trader" else f"{canaries.MARK}-{_derived(f'password {role}', password)[:16]}"
        seed = base64.b32encode(bytes.fromhex(_derived(f"seed {role}", password))[:20]).decode()
        made[account.login] = Credential(own, seed)
    return made


class Doors:
    """Logs accounts in and out."""

    def __init__(self, environment: Environment, bank: Bank, settings: ApiSettings, password: str) -> None:
        self.bank, self.settings = bank, settings
        self.credentials = credentials(environment, password)

    def enter(self, login: str, password: str) -> tuple[int, str]:
        """Status and challenge of a password: 423 once five failed logins in a row, whatever comes after them."""
        if self.failed(login) >= ATTEMPTS_BEFORE_LOCK:
            return self._noted(login, "locked", 423)
        known = self.credentials.get(login)
        right = known is not None and hmac.compare_digest(password.encode(), known.password.encode())
        if not right or self.settings.login_refused:
            return self._noted(login, "wrong password" if not right else "refused", 401)
        challenge = canaries.secret("challenge")
        self.bank.run("insert into challenges values (?, ?)", challenge, login)
        return 200, challenge

    def confirm(self, challenge: str, code: str) -> tuple[int, str]:
        """Status and login name of a one-time code; a step is used once, until the seed is another one."""
        row = self.bank.one("select login from challenges where id = ?", challenge)
        if row is None:
            return 400, ""
        login = str(row["login"])
        self.bank.run("delete from challenges where id = ?", challenge)
        step = self._step_of(login, code)
        if step is None:
            return self._noted(login, "wrong code", 401)
        self.bank.run("insert or replace into codes values (?, ?, ?)", login, _hash(self.credentials[login].totp), step)
        self._noted(login, "granted", 200)
        return 200, login

    def open(self, login: str) -> dict[str, object]:
        """A new session of an account."""
        row = self.bank.one("select id from accounts where login = ?", login)
        assert row is not None
        return self._session(row["id"])

    def refresh(self, token: str) -> dict[str, object] | None:
        """A new session in place of the one whose refresh token this is."""
        row = self.bank.one("select token, account from sessions where refresh = ? and live", _hash(token))
        if row is None or self.settings.refresh_refused:
            return None
        self.bank.run("update sessions set live = 0 where token = ?", row["token"])
        return self._session(row["account"])

    def leave(self, token: str) -> None:
        """End a session."""
        if not self.settings.logout_keeps:
            self.bank.run("update sessions set live = 0 where token = ?", _hash(token))

    def account(self, token: str) -> str | None:
        """Whose session it is, if it lives."""
        sql = "select account from sessions where token = ? and live and expires > ?"
        row = self.bank.one(sql, _hash(token), self.bank.clock())
        return str(row["account"]) if row else None

    def failed(self, login: str) -> int:
        """Failed logins since the last one that was granted."""
        sql = """select count(*) n from logins where login = ?1 and outcome like 'wrong%' and n >
                 coalesce((select max(n) from logins where login = ?1 and outcome = 'granted'), 0)"""
        row = self.bank.one(sql, login)
        return int(row["n"]) if row else 0

    def spoil(self, login: str, times: int) -> None:
        """Somebody gave wrong passwords."""
        for _ in range(times):
            self._noted(login, "wrong password", 401)

    def _session(self, account: str) -> dict[str, object]:
        token, refresh = canaries.secret("session", 24), canaries.secret("refresh", 24)
        expires = self.bank.clock() + TOKEN_LIFETIME_S
        self.bank.run("insert into sessions values (?, ?, ?, ?, 1)", _hash(token), _hash(refresh), account, expires)
        told: dict[str, object] = {"token": "" if self.settings.empty_token else token, "token_type": "Bearer"}
        return told | {"expires_in": TOKEN_LIFETIME_S, "refresh_token": refresh}

    def _step_of(self, login: str, code: str) -> int | None:
        now, seed = int(self.bank.clock() + self.settings.ahead_s) // STEP_S, self.credentials[login].totp
        row = self.bank.one("select step from codes where login = ? and seed = ?", login, _hash(seed))
        used = int(row["step"]) if row else -1
        fresh = (step for step in (now, now - 1, now + 1) if step > used)
        return next((step for step in fresh if hmac.compare_digest(one_time(seed, step), code)), None)

    def _noted(self, login: str, outcome: str, status: int) -> tuple[int, str]:
        self.bank.run("insert into logins(login, at, outcome) values (?, ?, ?)", login, self.bank.clock(), outcome)
        return status, ""


def one_time(seed: str, step: int) -> str:
    """The code of a step (RFC 6238), written here anew so that the harness's library is held against something."""
    mac = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), hashlib.sha1).digest()
    place = mac[-1] & 15
    return f"{(int.from_bytes(mac[place : place + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _derived(what: str, password: str) -> str:
    return hashlib.sha256(f"{what}/{password}".encode()).hexdigest()
