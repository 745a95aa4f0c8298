"""Settle: stop as soon as it is decided, never because a look failed, and always say how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from postdeploy.cluster import excerpts, settle
from postdeploy.cluster.client import Reader, connect
from postdeploy.cluster.identity import identify
from postdeploy.cluster.objects import Gap, Snapshot
from postdeploy.deadline import Deadline
from postdeploy.environment import Component, Environment
from postdeploy.environment.files import load
from postdeploy.verdict import Judgement, State
from tests.rehearsal.judged import Rehearsal
from tests.standin import standin

pytestmark = pytest.mark.anyio
RELEASE = "v2026.47.1"
LIVE = Judgement(State.PASSED, "it is live")
SLOW = Judgement(State.PENDING, "it has rolled out", "4 of 6 updated (status.updatedReplicas)\nmore")
WRONG = Judgement(State.FAILED, "it is on the release", "it runs v1")
DOOMED = Judgement(State.FAILED, "its pods run", "CrashLoopBackOff", doomed=True)
UNSEEN = Judgement(State.UNVERIFIED, "its pods run")
ABSENT = Judgement(State.NOT_APPLICABLE, "its pods run")
SOFT = Judgement(State.DEGRADED, "its pods run")
FORBIDDEN = Gap("pods", "crm", "403 Forbidden: pods is forbidden")
TIMED_OUT = Gap("pods", "crm", "time-out after 15 s")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Scripted:
    """A cluster that shows one scripted look after the other; the last one stays."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *looks: Mapping[str, Any], gaps: Sequence[Sequence[Gap]] = ()
    ) -> None:
        self.looks, self.gaps = list(looks), list(gaps)
        self.now, self.look_s = 0.0, 0.5
        self.seen: list[Snapshot] = []
        self.said: list[str] = []
        self.reader = Reader.__new__(Reader)
        self.reader.deadline = None
        self.reader.versions = {}
        monkeypatch.setattr(settle, "take", self.take)
        monkeypatch.setattr(settle, "ClusterClaims", self.claims)
        monkeypatch.setattr(excerpts, "enrich", self.enrich)

    async def take(self, reader: Reader, environment: Environment, release: str) -> Snapshot:
        assert reader.deadline is not None
        self.now += self.look_s
        gaps = self.gaps[min(len(self.seen), len(self.gaps) - 1)] if self.gaps else ()
        self.seen.append(Snapshot("uk-prod", release, datetime(2026, 11, 20, tzinfo=UTC), gaps=tuple(gaps)))
        return self.seen[-1]

    def claims(self, snapshot: Snapshot, *_: object) -> Scripted:
        return self

    def of_component(self, component: Component) -> tuple[Judgement, ...]:
        found = self.looks[min(len(self.seen), len(self.looks)) - 1][component.name]
        return found if isinstance(found, tuple) else (found,)

    async def enrich(self, reader: Reader, snapshot: Snapshot, environment: Environment) -> Snapshot:
        return snapshot

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def settle(self, budget_s: float = 60.0) -> Snapshot:
        names = self.looks[0]
        parts = {name: Component.model_construct(name=name, namespace="crm") for name in names}
        return await settle.observe(
            self.reader,
            Environment.model_construct(name="uk-prod", components=parts),
            RELEASE,
            deadline=Deadline(budget_s, clock=lambda: self.now),
            every_s=2.0,
            say=self.said.append,
            digests=None,
            clock=lambda: self.now,
            sleep=self.sleep,
        )


def ended(snapshot: Snapshot) -> tuple[str, int]:
    assert snapshot.settled is not None
    return snapshot.settled.outcome, snapshot.settled.looks


@pytest.mark.parametrize("state", [LIVE, ABSENT, SOFT, (LIVE, ABSENT), ()])
async def test_what_is_live_at_the_first_look_is_already_live(monkeypatch: pytest.MonkeyPatch, state: Any) -> None:
    cluster = Scripted(monkeypatch, {"crm-web": state})
    assert ended(await cluster.settle()) == ("already-live", 1)


async def test_a_rollout_is_watched_until_it_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": SLOW, "api": LIVE}, {"web": SLOW, "api": SLOW}, {"web": LIVE, "api": LIVE})
    snapshot = await cluster.settle()
    assert ended(snapshot) == ("converged", 3)
    assert snapshot.settled is not None
    assert (snapshot.settled.seconds, snapshot.settled.why) == (5.5, ())


async def test_a_line_per_look_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": SLOW, "api": LIVE}, {"web": LIVE, "api": LIVE})
    await cluster.settle()
    assert cluster.said == [
        "settling uk-prod v2026.47.1: 1 of 2 components live (web: 4 of 6 updated), 0.5 s",
        "settling uk-prod v2026.47.1: 2 of 2 components live, 3.0 s",
    ]


async def test_a_line_stays_short_however_much_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    long = Judgement(State.PENDING, "x", "y" * 500)
    cluster = Scripted(monkeypatch, {f"part-{number}": long for number in range(30)})
    snapshot = await cluster.settle(0)
    assert len(cluster.said[0]) < 250
    assert cluster.said[0].endswith("…; 28 more), 0.5 s")
    assert snapshot.settled is not None
    assert (len(snapshot.settled.why), snapshot.settled.why[-1]) == (settle.REASONS + 1, "and 25 more")


async def test_what_is_doomed_ends_the_wait_and_is_named_first(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": SLOW, "api": SLOW}, {"web": SLOW, "api": (WRONG, DOOMED)})
    snapshot = await cluster.settle()
    assert ended(snapshot) == ("doomed", 2)
    assert snapshot.settled is not None
    assert snapshot.settled.why == ("api: CrashLoopBackOff",)


async def test_a_failure_that_may_still_mend_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": WRONG}, {"web": LIVE})
    assert ended(await cluster.settle()) == ("converged", 2)


async def test_the_wait_ends_with_the_budget_and_the_last_look_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": SLOW})
    snapshot = await cluster.settle(6.0)
    assert ended(snapshot) == ("budget", 3)
    assert cluster.now <= 6.0
    assert snapshot.settled is not None
    assert snapshot.settled.why == ("web: 4 of 6 updated (status.updatedReplicas)",)
    assert snapshot.taken == cluster.seen[-1].taken


async def test_without_any_budget_there_is_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(await Scripted(monkeypatch, {"web": SLOW}).settle(0)) == ("budget", 1)


async def test_a_look_that_failed_does_not_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(
        monkeypatch, {"web": UNSEEN}, {"web": UNSEEN}, {"web": LIVE}, gaps=[[TIMED_OUT], [TIMED_OUT], []]
    )
    assert ended(await cluster.settle()) == ("converged", 3)


async def test_what_stays_unseen_is_waited_for_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": UNSEEN}, gaps=[[TIMED_OUT, FORBIDDEN]])
    assert ended(await cluster.settle(6.0)) == ("budget", 3)


async def test_what_we_may_not_see_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": UNSEEN, "api": LIVE}, gaps=[[FORBIDDEN]])
    assert ended(await cluster.settle()) == ("budget", 2)


async def test_what_is_pending_is_waited_for_beside_what_we_may_not_see(monkeypatch: pytest.MonkeyPatch) -> None:
    look, last = {"web": UNSEEN, "api": SLOW}, {"web": UNSEEN, "api": LIVE}
    cluster = Scripted(monkeypatch, look, look, look, last, gaps=[[FORBIDDEN]])
    assert ended(await cluster.settle()) == ("budget", 4)


async def test_the_readers_deadline_ends_with_the_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Scripted(monkeypatch, {"web": LIVE})
    await cluster.settle()
    assert cluster.reader.deadline is None


# --- against a rehearsal ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "outcome", "logs"),
    [((), "already-live", False), (("crash-loop",), "doomed", True), (("pods-forbidden",), "budget", False)],
)
async def test_a_rehearsal_settles_as_its_faults_say(faults: tuple[str, ...], outcome: str, logs: bool) -> None:
    environment = load("uk-prod")
    said: list[str] = []
    with standin("uk-prod", faults=faults) as stand:
        async with await connect(stand.kubeconfig, environment.cluster.context) as reader:
            assert (await identify(reader, environment.cluster)).rehearsal
            snapshot = await settle.observe(
                reader, environment, RELEASE, deadline=Deadline(5), every_s=0.01, say=said.append, digests=None
            )
    assert snapshot.settled is not None
    assert (snapshot.settled.outcome, bool(snapshot.excerpts)) == (outcome, logs)
    assert {each.resource for each in snapshot.gaps} == ({"pods"} if outcome == "budget" else set())
    assert len(said) == snapshot.settled.looks


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("kustomization-suspended", "doomed"),
        ("helmrelease-rolled-back", "doomed"),
        ("helmrelease-stalled", "doomed"),
        ("source-suspended", "doomed"),
        ("source-behind", None),
        ("kustomization-catches-up", None),
        ("kustomization-failed", None),
        ("flux-forbidden", "already-live"),
        ("flux-controller-down", "already-live"),
    ],
)
def test_the_delivery_is_waited_for_until_it_cannot_arrive(fault: str, outcome: str | None) -> None:
    rehearsal = Rehearsal(fault)
    progress = settle.progress_of(rehearsal.snapshot(), rehearsal.environment, RELEASE, None)
    assert progress.outcome(first=True) == outcome


def test_what_flux_has_yet_to_apply_is_said_and_is_no_component() -> None:
    rehearsal = Rehearsal("kustomization-catches-up")
    progress = settle.progress_of(rehearsal.snapshot(), rehearsal.environment, RELEASE, None)
    assert list(progress.open) == ["Kustomization crm"]
    assert "24 of 24 components live (Kustomization crm: " in progress.line("uk-prod v1", 0.1)


@pytest.mark.parametrize(("fault", "outcome"), [("rollout-aborted", "doomed"), ("canary-failed", "doomed")])
def test_a_progressive_delivery_that_was_turned_back_is_a_doom(fault: str, outcome: str) -> None:
    rehearsal = Rehearsal(fault, environment=load("stage"))
    progress = settle.progress_of(rehearsal.snapshot(), rehearsal.environment, RELEASE, None)
    assert progress.outcome(first=True) == outcome
