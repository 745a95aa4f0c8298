"""Opens the brokerage for one run: accounts, state, guards and patience, the same for the suite and for the command."""

from __future__ import annotations

import os
import shlex
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy.deadline import Deadline
from postdeploy.environment import ROLES, Account, Environment
from postdeploy.standin import Standin
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from postdeploy.broker.api import Keys
    from postdeploy.broker.desk import Desk
    from postdeploy.broker.keys import Origin
    from postdeploy.broker.recording import Exchange, Recording

STATE = "reports/state"
REHEARSALS = "rehearsal"
PIPELINES = ("CI_PIPELINE_ID", "POSTDEPLOY_PIPELINE")


@dataclass(frozen=True)
class Patience:
    """How long is waited for what."""

    every_s: float
    """Between two looks at a deposit."""
    in_flight_s: float
    """As long as an unanswered request may still arrive."""
    reserve_s: float
    """Kept back for undoing."""
    answer_s: float
    within_s: float | None
    """For an end state, where it is not the method's own."""
    margin_s: float
    """Left of a one-time code's step when it is sent."""

    @classmethod
    def of(cls, environment: Environment, *, rehearsal: bool) -> Patience:
        """A rehearsal's product answers at once, on this machine."""
        spending = environment.business.spending
        if rehearsal:
            return cls(0.05, spending.rehearsal_in_flight_s, 5.0, 5.0, 3.0, 0.5)
        return cls(2.0, spending.in_flight_s, spending.reserve_s, float("inf"), None, 3.0)


@dataclass(frozen=True)
class Opening:
    """Everything that is known before the first request."""

    environment: Environment
    origin: Origin
    state: str
    recording: Recording
    keys: Mapping[str, Keys]
    """By role."""
    deadline: Deadline
    headers: Mapping[str, str]
    standin: Standin | None = None
    is_red: Callable[[], str] = lambda: ""
    tell: Callable[[Exchange, str], None] = lambda exchange, host: None
    learn: Callable[..., None] = lambda *given_out: None
    patience: Patience | None = None
    line: Mapping[str, Any] = field(default_factory=dict)
    """What a test wants otherwise of the line."""


@contextmanager
def open_desk(how: Opening) -> Iterator[Desk]:
    """The desk over a living brokerage; what it leases is given back at the end, what it spent is not undone here."""
    from postdeploy.broker.desk import Desk
    from postdeploy.broker.transport import open_client

    host, standin = how.environment.api.host, how.standin
    address = standin.hosts[host] if standin else None
    tls = ssl.create_default_context(cadata=standin.ca_pem) if standin else None
    headers = {"Host": host, **how.headers}
    with open_client(f"https://{address or host}", headers, tls, proxied=address is None) as client:
        visit = _visit(how, client, host if address else None)
        desk = Desk(how.environment, how.recording, visit)
        try:
            yield desk
        finally:
            desk.close()
            visit.teller.journal.store.close()


def _visit(how: Opening, client: Any, server_name: str | None) -> Any:
    from postdeploy.broker.api import Client, Gate
    from postdeploy.broker.guard import Rules
    from postdeploy.broker.line import Line
    from postdeploy.broker.teller import Teller
    from postdeploy.broker.till import Till
    from postdeploy.broker.undo.journal import Journal
    from postdeploy.broker.undo.lease import Lease
    from postdeploy.broker.undo.store import Store
    from postdeploy.broker.undo.undoing import Undoer
    from postdeploy.broker.visit import Visit
    from postdeploy.broker.visitor import Visitor

    environment, rehearsal = how.environment, how.standin is not None
    patience = how.patience or Patience.of(environment, rehearsal=rehearsal)
    store, gate = Store(how.state), Gate()
    logins = tuple(account.login for _, account in environment.api.accounts)
    line = Line(client, how.recording, environment.api.host, server_name, how.deadline, tell=how.tell, keep=logins)
    line.answer_s, line.learn = patience.answer_s, how.learn
    for name, value in how.line.items():
        setattr(line, name, value)

    def parts(role: str) -> tuple[Account, Keys, Lease]:
        declared: Account = getattr(environment.api.accounts, role)
        return declared, how.keys[role], Lease(store, declared.id, how.origin.run_id)

    def account(role: str) -> Client:
        declared, keys, lease = parts(role)
        return Client(declared, keys, line, lease, gate, patience.margin_s)

    trader, other = account("trader"), account("other")
    visitor = Visitor(*parts("visitor"), gate, patience.margin_s, line.rest)

    def keep_leases() -> None:
        for each in (trader, other):
            if each.session is not None:
                each.lease.renew()

    line.pulse = keep_leases
    till, journal = Till(trader), Journal(store, how.origin)
    rules = Rules.of(environment, rehearsal=rehearsal)
    teller = Teller(till, journal, rules, patience.every_s, patience.reserve_s, patience.within_s)
    reserve = lambda: Deadline(patience.reserve_s)  # noqa: E731
    undoer = Undoer(journal, till, trader.account.id, patience.in_flight_s, patience.every_s, reserve, line.rest)
    return Visit(environment, line, trader, other, teller, undoer, visitor, how.is_red)


def replay_desk(environment: Environment, recording: Recording) -> Desk:
    """The desk over a recording: no network, no password, no journal."""
    from postdeploy.broker.desk import Desk

    return Desk(environment, recording)


def origin_of(
    environment: str, release: str, run_id: str, variables: Mapping[str, str] = os.environ, options: str = ""
) -> Origin:
    """Who spends: a pipeline, whichever of its jobs' retries this is, or else this run alone."""
    from postdeploy.broker.keys import Origin

    pipeline = next((variables[each] for each in PIPELINES if variables.get(each)), run_id)
    return Origin(pipeline, environment, release, run_id, options)


def options_of(state: str | None, *, rehearsal: bool) -> str:
    """What a command needs to find the same journal."""
    return (f" --state={shlex.quote(state)}" if state else "") + (" --rehearsal" if rehearsal else "")


def keys_of(environment: Environment, standin: Standin | None) -> dict[str, Keys]:
    """What opens the accounts, by role; where that is not known, whoever logs in is told why. Raises Unverified."""
    from postdeploy.broker.api import Keys

    accounts = environment.api.accounts
    if standin is not None:
        if any(account.login not in standin.accounts for _, account in accounts):
            raise Unverified(f"the stand-in is that of {standin.environment}, which has other accounts")
        known = {role: standin.accounts[getattr(accounts, role).login] for role in ROLES}
        return {role: Keys(*each) for role, each in known.items()}
    from postdeploy.secrets import load_secrets

    found = {}
    for role in ROLES:
        try:
            loaded = load_secrets(environment.name, role)
        except Unverified as missing:
            found[role] = Keys(None, why=str(missing))
        else:
            found[role] = Keys(loaded.password, loaded.totp)
    return found


def state_of(given: str | None, root: Path, environment: str, *, rehearsal: bool, private: Path | None = None) -> str:
    """Where a run keeps its state: as given, else below the root; a rehearsal's beside, a broken one's to itself."""
    if given is None and private is not None:
        return str(private)
    if given is not None and "://" in given:
        return given
    folder = root / (given or STATE)
    return str(folder / REHEARSALS / environment if rehearsal else folder)
