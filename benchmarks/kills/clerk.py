"""A small process that runs the very flow of the smoke tier, forked anew for each time it is killed.

`python -m benchmarks.kills.clerk SPEC` imports everything once and reads one JSON command a line. Each is carried out
in a child of its own, which nobody cleans up after: a SIGKILL there is a SIGKILL of the harness.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr

from benchmarks.kills.house import RELEASE, House
from postdeploy.broker import transport
from postdeploy.broker.recording import Recording
from postdeploy.broker.undo.journal import Journal
from postdeploy.broker.undo.store import Store
from postdeploy.business import Opening, Patience, keys_of, open_desk, origin_of
from postdeploy.deadline import Deadline
from postdeploy.environment import Environment
from postdeploy.standin import Standin
from postdeploy.verdict import Held, Residue

ROOT = Path(__file__).parents[2]
RESIDUE, DISTURBED = 12, 3
BEFORE = ("smoke.login.", "smoke.account.")
"""What comes before any money: a flow that is held by it was answered too slowly, and never began."""
ANSWER_S = 0.4
"""Longest wait for an answer: a product that falls silent is silent for ever."""
IN_FLIGHT_S = 0.15


@dataclass(frozen=True)
class Job:
    """One child: what it does, and when it is killed."""

    run_id: str
    pipeline: str = ""
    act: str = "flow"
    """flow: sweep, deposit, undo; sweep: only the first of them."""
    methods: tuple[str, ...] = ("card",)
    kill_at: int = 0
    """The step boundary at which it kills itself: before and after each entry of the journal and each request."""
    kill_after_s: float = 0.0
    """The moment at which it is killed from outside."""
    state: str = ""
    answer_s: float = ANSWER_S
    in_flight_s: float = IN_FLIGHT_S
    """As long as an unanswered request may still arrive."""
    keys: dict[str, list[str]] = field(default_factory=dict)
    """Password and seed by login; the clerk fills them in."""


@dataclass(frozen=True)
class Ended:
    """How the child ended."""

    code: int
    """Exit code, or less than 0: the signal that killed it."""
    boundaries: int
    """How many step boundaries it passed."""
    seconds: float

    @property
    def was_killed(self) -> bool:
        """Whether it did not get to its end."""
        return self.code == -signal.SIGKILL


@dataclass
class Clerk:
    """The process that forks them."""

    process: subprocess.Popen[str]
    house: House
    in_flight_s: float = IN_FLIGHT_S

    def do(self, job: Job) -> Ended:
        """Carry out one job and wait for its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        # A one-time code is good once, and nobody waits half a minute between two kills: each child has new seeds.
        job = replace(job, keys=self.house.rotate(), in_flight_s=self.in_flight_s)
        self.process.stdin.write(json.dumps(asdict(job)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the clerk is gone"
        return Ended(**json.loads(line))


@contextmanager
def clerk(house: House, state: Path) -> Iterator[Clerk]:
    """A clerk at that house, whose journal is in that folder."""
    spec: dict[str, Any] = {
        "environment": house.environment.model_dump(mode="json"),
        "hosts": dict(house.standin.hosts),
    }
    spec |= {"ca": house.standin.ca_pem, "state": str(state)}
    path = state.with_suffix(".spec.json")
    path.write_text(json.dumps(spec), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.kills.clerk", str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Clerk(process, house)
    finally:
        process.communicate(timeout=30)


def main(path: str) -> None:
    """Fork a child for each command, and say how it ended."""
    spec = json.loads(Path(path).read_text(encoding="utf-8"))
    environment = Environment.model_validate_json(json.dumps(spec["environment"]))
    standin = Standin(environment.name, RELEASE, 1, (), spec["hosts"], spec["ca"], SecretStr(""))
    _warm_up(environment)
    for line in sys.stdin:
        job = Job(**json.loads(line))
        print(json.dumps(asdict(_forked(job, environment, standin, job.state or spec["state"]))), flush=True)


def _warm_up(environment: Environment) -> None:
    """Import what a flow imports on its way, and let the database compile its statements, before the first fork."""
    import pyotp
    import sqlalchemy

    from postdeploy.broker.undo.lease import Lease

    assert pyotp
    assert sqlalchemy
    with TemporaryDirectory() as folder:
        store = Store(folder)
        lease = Lease(store, "nobody", "warm-up")
        lease.take()
        lease.last_step(SecretStr("A"))
        lease.give_back()
        journal = Journal(store, origin_of(environment.name, RELEASE, "warm-up", {}))
        journal.open()
        store.close()
    for name in ("visit", "desk", "teller", "till", "guard", "undo.undoing"):
        importlib.import_module(f"postdeploy.broker.{name}")


def _forked(job: Job, environment: Environment, standin: Standin, state: str) -> Ended:
    read, write = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(read)
        os._exit(_child(job, environment, standin, state, write))
    os.close(write)
    if job.kill_after_s:
        time.sleep(job.kill_after_s)
        os.kill(child, signal.SIGKILL)
    passed = 0
    while os.read(read, 1):
        passed += 1
    os.close(read)
    _, status = os.waitpid(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), passed, round(time.monotonic() - began, 4))


def _child(job: Job, environment: Environment, standin: Standin, state: str, write: int) -> int:
    _mark_boundaries(job.kill_at, write)
    try:
        return work(job, environment, standin, state)
    except BaseException as error:  # noqa: BLE001  the child ends here, whatever it was
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def work(job: Job, environment: Environment, standin: Standin, state: str) -> int:
    """What the smoke tier does: sweep, deposit by each method, look, undo, the latest first."""
    accounts = {login: (SecretStr(pair[0]), SecretStr(pair[1])) for login, pair in job.keys.items()}
    standin = replace(standin, accounts=accounts)
    opening = Opening(
        environment=environment,
        origin=origin_of(environment.name, RELEASE, job.run_id, {"CI_PIPELINE_ID": job.pipeline}),
        state=state,
        recording=Recording(),
        keys=keys_of(environment, standin),
        deadline=Deadline(60.0),
        headers={},
        standin=standin,
        patience=Patience(0.01, job.in_flight_s, 10.0, job.answer_s, 1.0, 0.0),
    )
    with open_desk(opening) as desk:
        try:
            desk.is_clean()
            if job.act == "flow":
                tried = [_tried(lambda m=m: desk.deposit_credited(environment.deposits[m])) for m in job.methods]
                if not all(tried):
                    return DISTURBED
        except Residue:
            return RESIDUE
        return RESIDUE if desk.undo_all() else 0


def _tried(act: Callable[[], Any]) -> bool:
    """Whether it came to money at all; held, refused or failed: the undoing comes in any case."""
    try:
        act()
    except Held as held:
        return not held.check_id.startswith(BEFORE)
    except Exception as error:  # noqa: BLE001
        if os.environ.get("CLERK_TALKS"):
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return True


def _mark_boundaries(kill_at: int, write: int) -> None:
    """Count before and after each entry of the journal and each request, and die at the one that was asked for."""
    count = itertools.count(1)

    def boundary() -> None:
        number = next(count)
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(write, b".")

    def between(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **options: Any) -> Any:
            boundary()
            done = act(*arguments, **options)
            boundary()
            return done

        return acting

    for owner, name in ((Journal, "intend"), (Journal, "note"), (Journal, "found"), (transport, "exchange")):
        setattr(owner, name, between(getattr(owner, name)))


if __name__ == "__main__":
    main(sys.argv[1])
