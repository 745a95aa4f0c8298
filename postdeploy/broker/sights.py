"""Where the desk's claims get what they judge: taken once from the living brokerage, or out of the recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from postdeploy.broker import claims_identity
from postdeploy.broker.looks import Look, Seen
from postdeploy.broker.recording import Recording
from postdeploy.broker.visit import Visit
from postdeploy.environment import Deposit, Environment
from postdeploy.evidence.results import Attempt
from postdeploy.verdict import Held, Unverified

LOGIN = "smoke.login.token"
SWEPT = "smoke.journal.clean"


class Sights:
    """Named sights, each taken when a claim first asks for it."""

    def __init__(self, environment: Environment, recording: Recording, visit: Visit | None = None) -> None:
        """`visit`: the living brokerage; without one everything comes out of the recording."""
        self.environment, self.recording, self.visit = environment, recording, visit
        self.host, self.accounts = environment.api.host, environment.api.accounts
        self._judged_by: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<desk of {self.environment.name}, {len(self.recording.sights)} sights>"

    def looks(self, rule: str, *subjects: Any) -> tuple[Attempt, ...]:
        """The tries behind a rule's answer, where a request had to be sent again."""
        name = self._judged_by.get(named(rule, subjects), "")
        sight = self.recording.sights.get(name)
        return Seen(self.recording, sight).attempts() if sight else ()

    def _strangers(self, rule: str) -> Seen:
        seen = self._seen("strangers", named(rule, ()), lambda visit, look: visit.strangers(look))
        seen.expect()
        return seen

    def _login(self, rule: str) -> Seen:
        strangers = self._strangers(rule)
        return self._seen("login", named(rule, ()), lambda visit, look: visit.log_in(look, strangers))

    def _other(self, rule: str) -> Seen:
        strangers = self._strangers(rule)
        self._expect_login()
        seen = self._seen("session", named(rule, ()), lambda visit, look: visit.session(look, strangers))
        seen.expect()
        if not seen.has("refresh"):
            answer = seen.last("code") if seen.has("code") else seen.last("password")
            raise Unverified(f"account {self.accounts.other.login} cannot log in: status {answer.status}")
        return seen

    def _me(self, rule: str) -> Seen:
        return self._trading(rule, "me", lambda visit, look: visit.me(look))

    def _instruments(self, rule: str, *subjects: Any) -> Seen:
        return self._trading(rule, "instruments", lambda visit, look: visit.instruments(look), *subjects)

    def _quotes(self, rule: str) -> Seen:
        return self._trading(rule, "quotes", lambda visit, look: visit.quotes(look))

    def _sweep(self, rule: str) -> Seen:
        me = self._me(rule)
        return self._seen("sweep", named(rule, ()), lambda visit, look: visit.sweep(look, me))

    def _deposit(self, rule: str, deposit: Deposit) -> Seen:
        """Made once, after what earlier runs left was undone; while that cannot be done nothing is spent."""
        me = self._may_spend()
        name = f"deposit {deposit.method}"
        seen = self._seen(name, named(rule, (deposit,)), lambda visit, look: visit.deposit(look, deposit, me))
        seen.expect()
        return seen

    def _may_spend(self) -> Seen:
        """The account as it says it is, once what earlier runs left was undone. Raises Held where it could not be."""
        self._expect_login()
        me = self._me("is_synthetic")
        swept = self._sweep("is_clean").sight
        if swept.residue or swept.facts.get("silent"):
            raise Held(SWEPT)
        Seen(self.recording, swept).expect()
        return me

    def _trading(self, rule: str, name: str, look: Callable[[Visit, Look], None], *subjects: Any) -> Seen:
        """A sight that needs the trader's session. Raises Held when the login failed."""
        self._expect_login()
        seen = self._seen(name, named(rule, subjects), look)
        seen.expect()
        return seen

    def _expect_login(self) -> None:
        seen = self._login("logs_in")
        if seen.sight.unseen:
            raise Held(LOGIN) if not seen.sight.held_by else Held(seen.sight.held_by)
        if not claims_identity.grants_session(self.host, self.accounts.trader.login, seen).holds:
            raise Held(LOGIN)

    def _seen(self, name: str, judged: str, look: Callable[[Visit, Look], None]) -> Seen:
        """The sight of that name, taken now if it was not yet."""
        if name not in self.recording.sights and self.visit is not None:
            taken, error = Look(), None
            try:
                look(self.visit, taken)
            except Unverified as unverified:
                error = unverified
            self.recording.sights[name] = taken.sight(error)
        return self._kept(name, judged)

    def _kept(self, name: str, judged: str) -> Seen:
        self._judged_by[judged] = name
        sight = self.recording.sights.get(name)
        if sight is None:
            raise Unverified(f"the recording holds nothing about {name!r}: it was not looked at")
        return Seen(self.recording, sight)


def named(rule: str, subjects: Iterable[Any]) -> str:
    """A rule and what it was asked about, as one name."""
    names = (each if isinstance(each, str) else getattr(each, "method", "") for each in subjects)
    return " ".join([rule, *names]).strip()
