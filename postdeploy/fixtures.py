"""What tests ask for, by name: the environment, and facades whose unverifiable answers are raised.

A test only asserts: `health = web.health(host); assert health.holds, health.why`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.environment import Accepted, Environment, Waiver
from postdeploy.evidence.results import Attempt
from postdeploy.outcome import Outcome
from postdeploy.reporting import KEY, RUN
from postdeploy.run import Run
from postdeploy.verdict import Judgement, NotApplicable, State, Unverified, Verdict

if TYPE_CHECKING:
    from postdeploy.broker.api import Session


class Judges:
    """Claims as a test sees them: what could not be looked at is raised, what is soft is noted."""

    def __init__(self, claims: Any, outcome: Outcome) -> None:
        self._claims = claims
        self._outcome = outcome

    def __getattr__(self, rule: str) -> Callable[..., Judgement]:
        judge = getattr(self._claims, rule)

        def judged(*subjects: object) -> Judgement:
            answer = self._answer(judge(*subjects))
            self._note_looks(getattr(self._claims, "looks", _once)(rule, *subjects), answer)
            return answer

        return judged

    def _note_looks(self, looks: tuple[Attempt, ...], answer: Judgement) -> None:
        """A claim that holds after a failed look is flaky; every look goes into the results."""
        self._outcome.attempts += looks
        failed = [each for each in looks if each.outcome is not Verdict.PASSED]
        if answer.holds and failed:
            count = f"{len(failed)} failed look{'s' * (len(failed) > 1)}"
            self._outcome.note(Verdict.FLAKY, f"held after {count}; first: {failed[0].reason}")

    def _answer(self, judgement: Judgement) -> Judgement:
        match judgement.state:
            case State.UNVERIFIED:
                raise Unverified(judgement.why)
            case State.NOT_APPLICABLE:
                raise NotApplicable(judgement.why)
            case State.PASSED:
                self._outcome.seen.append(judgement.why)
            case State.DEGRADED:
                self._outcome.note(Verdict.DEGRADED, judgement.why)
        return judgement


def _once(rule: str, *subjects: object) -> tuple[Attempt, ...]:
    """For claims over a snapshot: it was looked at once for all of them."""
    return ()


def _named(accepted: Accepted | Waiver) -> str:
    """What was accepted, in words: 'tolerance: check infra.images.tag, subject crm-web'."""
    terms = {"owner", "approver", "reason", "ticket", "expires"}
    about = accepted.model_dump(mode="json", exclude=terms, exclude_none=True)
    return f"{type(accepted).__name__.lower()}: {', '.join(f'{name} {value}' for name, value in about.items())}"


class Declared:
    """Claims about the environment file itself."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def tolerances(self) -> Judgement:
        """Nothing that was accepted for a while is past its term; an expired one is a finding, not an outage."""
        environment = self._run.environment
        claim = f"every tolerance, waiver, suppression and restart budget of {environment.name} is within its term"
        expired = environment.expired(self._run.today)
        if not expired:
            return Judgement(State.PASSED, claim)
        seen = "; ".join(
            f"{_named(each)} expired on {each.expires} (owner {each.owner}: {each.reason})" for each in expired
        )
        where = f"environments/{environment.name}.yaml or environments/base.yaml, whatever has an `expires`"
        return Judgement(State.DEGRADED, claim, seen, where, "renew it with a reason, or mend what it excused")


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Run:
    """The verification this test is part of."""
    found = request.config.stash[RUN]
    if found is None or not found.began:
        raise Unverified("no environment is being verified in this pytest run")
    return found


@pytest.fixture(scope="session")
def environment(run: Run) -> Environment:
    """What should be: the environment as declared."""
    return run.environment


@pytest.fixture(scope="session")
def release(run: Run) -> str:
    """The tag that must be live."""
    return run.record.release


@pytest.fixture
def outcome(request: pytest.FixtureRequest, run: Run) -> Outcome:
    """What becomes of this check; `outcome.note(Verdict.DEGRADED, why)` adds a soft finding without failing it."""
    return run.outcome(request.node.stash[KEY])


@pytest.fixture
def declared(run: Run, outcome: Outcome) -> Judges:
    """Claims about the environment file: `declared.tolerances()`."""
    return Judges(Declared(run), outcome)


@pytest.fixture
def cluster(run: Run, outcome: Outcome) -> Judges:
    """Claims about the cluster: `cluster.rollout(workload)`, `.pods_ready(workload)`, `.image_tag(component)` …"""
    return Judges(run.claims("cluster"), outcome)


@pytest.fixture
def access(run: Run, outcome: Outcome) -> Judges:
    """Claims about our own identity in the cluster: `access.read()`, `access.readonly()`."""
    return Judges(run.claims("access"), outcome)


@pytest.fixture
def flux(run: Run, outcome: Outcome) -> Judges:
    """Claims about what delivers: `flux.source()`, `flux.kustomization(name)`, `flux.helm_release(name)` …"""
    return Judges(run.claims("flux"), outcome)


@pytest.fixture
def progression(run: Run, outcome: Outcome) -> Judges:
    """Claims about progressive delivery: `progression.promoted(component)`."""
    return Judges(run.claims("progressive"), outcome)


@pytest.fixture
def layers(run: Run, outcome: Outcome) -> Judges:
    """The claim over every layer from Git to the traffic: `layers.live()`."""
    return Judges(run.claims("release"), outcome)


@pytest.fixture
def traffic(run: Run, outcome: Outcome) -> Judges:
    """Claims about traffic: `traffic.endpoints(service)`, `.autoscaler(autoscaled)`, `.entry(entry)` …"""
    return Judges(run.claims("traffic"), outcome)


@pytest.fixture
def events(run: Run, outcome: Outcome) -> Judges:
    """Claims about events: `events.warnings()`."""
    return Judges(run.claims("events"), outcome)


@pytest.fixture
def stability(run: Run, outcome: Outcome) -> Judges:
    """Claims about whether the release stays well: `stability.held(workload)`, `.restarts(workload)`, `.oom(…)`."""
    return Judges(run.claims("stability"), outcome)


@pytest.fixture
def guests(run: Run, outcome: Outcome) -> Judges:
    """Claims about what was added to the pods: `guests.debug(workload)`, `guests.proxies()`."""
    return Judges(run.claims("guests"), outcome)


@pytest.fixture
def batch(run: Run, outcome: Outcome) -> Judges:
    """Claims about when batch work runs: `batch.schedule(cronjob)`, `batch.old_code()`."""
    return Judges(run.claims("batch"), outcome)


@pytest.fixture
def logs(run: Run, outcome: Outcome) -> Judges:
    """Claims about the logs since the rollout: `logs.critical(component)`, `.new(component)` …"""
    return Judges(run.claims("logs"), outcome)


@pytest.fixture
def web(run: Run, outcome: Outcome) -> Judges:
    """Claims about the public hosts: `web.code(host)`, `web.version(host)`, `web.chain(host)` …"""
    return Judges(run.claims("web"), outcome)


@pytest.fixture
def identity(run: Run, outcome: Outcome) -> Judges:
    """The claim over hosts and cluster at once: `identity.one_release()`."""
    return Judges(run.claims("identity"), outcome)


@pytest.fixture
def change(run: Run, outcome: Outcome) -> Judges:
    """Claims about the change: `change.independent()`, `.before()`, `.ticket()`, `.identity()`, `.suite()` …"""
    return Judges(run.claims("change"), outcome)


@pytest.fixture
def broker(run: Run, outcome: Outcome) -> Judges:
    """Claims about logging in: `broker.logs_in()`, `broker.refuses_strangers()`, `broker.asks_second_factor()` …"""
    return Judges(run.acting.desk, outcome)


@pytest.fixture
def session(run: Run) -> Session:
    """The trader's one session of this run, for who needs its token (`session.token`). Held when the login failed."""
    return run.acting.desk.session()


@pytest.fixture
def trader(run: Run, outcome: Outcome) -> Judges:
    """Claims about business as a client: `trader.is_offered(symbols)`, `trader.prices_are_fresh()`,
    `trader.deposit_credited(deposit)` … Logged in once for all of them, and held when that failed. What is deposited
    is guarded, idempotent, journalled, and undone without anybody asking for it.
    """
    return Judges(run.acting.desk, outcome)
