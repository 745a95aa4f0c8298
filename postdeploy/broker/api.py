"""The brokerage's API as one client account uses it; logs in once, and never tries a credential twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from postdeploy import polling
from postdeploy.broker import claims
from postdeploy.broker.models import INSTRUMENTS, LOGIN, Session
from postdeploy.broker.recording import Exchange, Fault, Recording
from postdeploy.deadline import Deadline
from postdeploy.evidence.results import Attempt
from postdeploy.redact import Redactor
from postdeploy.verdict import Judgement, ProductDown, Unverified, Verdict

if TYPE_CHECKING:
    import httpx


class NotConnected(Exception):
    """Nothing has been sent, so that sending it now is no repetition."""

    def __init__(self, kept: Exchange) -> None:
        super().__init__(f"{kept.fault}: {kept.error}")
        self.kept = kept


class LoginRefused(AssertionError):
    """The API answered, and the test account has no usable session."""


@dataclass(frozen=True)
class Line:
    """How to reach the API: the client, where exchanges are kept, and how much time there is."""

    client: httpx.Client
    recording: Recording
    host: str
    server_name: str | None = None
    """The name to ask a certificate for, where the client connects to an address instead."""
    deadline: Deadline = field(default_factory=lambda: Deadline(float("inf")))
    rest: Callable[[float], None] = time.sleep


class BrokerApi:
    """One account at the brokerage."""

    def __init__(self, account: str, password: SecretStr, line: Line) -> None:
        self.account = account
        self.line = line
        self._password = password
        self._secrets = {password.get_secret_value()}
        self._looks: dict[str, list[Attempt]] = {}
        self._login: tuple[Exchange, Session | None] | None = None

    def __repr__(self) -> str:
        return f"<{self.account} at {self.line.host}>"

    def looks(self, rule: str, *_: Any) -> tuple[Attempt, ...]:
        """Every look behind a rule's answer: a claim that holds after more than one of them is flaky."""
        return tuple(self._looks.get(rule, ()))

    def login(self) -> Session:
        """The account's session, the same for every caller. Raises LoginRefused or ProductDown, every time."""
        answer, session = self._log_in_once()
        if session is not None:
            return session
        judgement = claims.grants_session(self.line.host, self.account, answer)
        raise (ProductDown if answer.is_down else LoginRefused)(judgement.why)

    def logs_in(self) -> Judgement:
        """Whether the account gets a usable session: a token, and one that expires."""
        answer, _ = self._log_in_once()
        return claims.grants_session(self.line.host, self.account, answer)

    def refuses_strangers(self) -> Judgement:
        """Whether the API answers 401 to a request without a token."""
        return claims.refuses_strangers(self.line.host, self._ask("refuses_strangers", "GET", INSTRUMENTS)[0])

    def is_offered(self, session: Session, symbols: Iterable[str]) -> Judgement:
        """Whether the account may trade all of these instruments."""
        answer, _ = self._ask("is_offered", "GET", INSTRUMENTS, token=session.token)
        return claims.offers(self.line.host, self.account, answer, symbols)

    def _log_in_once(self) -> tuple[Exchange, Session | None]:
        if self._login is None:
            body = {"username": self.account, "password": self._password.get_secret_value()}
            answer, said = self._ask("logs_in", "POST", LOGIN, body=body)
            usable = claims.grants_session(self.line.host, self.account, answer).holds
            session = Session(self.account, SecretStr(said["token"]), said["expires_in"]) if usable else None
            self._login = answer, session
        return self._login

    def _ask(
        self, rule: str, method: str, path: str, *, token: SecretStr | None = None, body: Any = None
    ) -> tuple[Exchange, Any]:
        """The exchange as it is kept, and what was said, secrets included; sent again only if nothing was sent."""
        from postdeploy.broker.transport import Ask, exchange  # late: httpx is paid for by a run that asks

        line, looks = self.line, self._looks.setdefault(rule, [])
        ask = Ask(method, path, body, token.get_secret_value() if token else None, line.server_name)

        def send() -> tuple[Exchange, Any]:
            left = line.deadline.left()
            if left <= 0:
                raise Unverified(f"the run's time was spent before {method} https://{line.host}{path} was sent")
            raw = exchange(line.client, ask, left)
            kept = line.recording.add(raw, self._redactor(raw.response))
            looks.append(_attempt(kept))
            if kept.fault is Fault.CONNECT:
                raise NotConnected(kept)
            return kept, raw.response

        try:
            return polling.read(send, attempts=[], deadline=line.deadline, retry_on=NotConnected, sleep=line.rest)
        except NotConnected as last:
            return last.kept, None

    def _redactor(self, said: Any) -> Redactor:
        """One that knows the password and every token given out so far, this answer's included."""
        if isinstance(said, dict) and isinstance(said.get("token"), str):
            self._secrets.add(said["token"])
        return Redactor(self._secrets, keep=(self.account,))


class Trader:
    """The test account, logged in: what the smoke checks ask about business."""

    def __init__(self, api: BrokerApi, session: Session) -> None:
        self.api = api
        self.session = session

    def __repr__(self) -> str:
        return f"<trader {self.session.account}>"

    def is_offered(self, symbols: Iterable[str]) -> Judgement:
        """Whether every one of these instruments is offered to the account and may be traded."""
        return self.api.is_offered(self.session, symbols)

    def looks(self, rule: str, *_: Any) -> tuple[Attempt, ...]:
        """Every look behind a rule's answer."""
        return self.api.looks(rule)


def _attempt(kept: Exchange) -> Attempt:
    if kept.fault is None:
        return Attempt(kept.at, kept.duration_s, Verdict.PASSED, f"answered {kept.status}")
    return Attempt(kept.at, kept.duration_s, Verdict.FAILED, f"{kept.fault}: {kept.error}")
