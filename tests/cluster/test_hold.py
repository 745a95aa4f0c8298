"""What befalls a release while it is held is an incident; what is meant to happen, or happens to others, is none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from postdeploy.cluster.client import Reader, connect
from postdeploy.cluster.hold import Patience, hold, unwatched, watching
from postdeploy.cluster.incidents import Tracker
from postdeploy.cluster.objects import Gap, Incident, Settled
from postdeploy.cluster.snapshot import LISTS, take
from postdeploy.environment import Component
from tests.cluster import build
from tests.cluster.build import NOW, component, condition, merge, pod, ran, seen, whole
from tests.cluster.canned import CONTEXT, Canned, Reply, listing, refusal, serving

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
Obj = dict[str, Any]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def tracker(*raw: Obj, over: tuple[Component, ...] = (), told: list[Incident] | None = None) -> Tracker:
    environment = build.environment(*(over or (component(),)))
    return Tracker(
        build.snapshot(*(raw or whole())), environment, lambda: AT, told.append if told is not None else None
    )


def whats(found: Tracker) -> list[tuple[str, str]]:
    return [(each.what, each.pod) for each in found.incidents()]


def fell(name: str = "web-2-a") -> Obj:
    """The pod, no longer ready."""
    conditions = [condition("PodScheduled"), condition("Ready", "False", "ContainersNotReady", since=NOW)]
    return merge(pod(name), {"status": {"conditions": conditions, "containerStatuses": [ran(ready=False)]}})


def with_status(status: Obj, name: str = "web-2-a") -> Obj:
    return merge(pod(name), {"status": {"containerStatuses": [status]}})


def going(name: str = "web-2-a", **more: Any) -> Obj:
    return merge(pod(name), {"metadata": {"deletionTimestamp": NOW}} | more)


def scaled(replicas: int, **more: Any) -> Any:
    return seen(build.deployment(spec={"replicas": replicas}, **more))


# --- pods ------------------------------------------------------------------------------------------------------------


def test_a_release_to_which_nothing_happens_has_no_incident() -> None:
    found = tracker()
    found.all_pods("crm", [seen(pod(f"web-2-{each}")) for each in "abc"])
    assert whats(found) == []


def test_a_restart_is_an_incident_and_told_at_once() -> None:
    told: list[Incident] = []
    found = tracker(told=told)
    found.pod(seen(with_status(ran(restartCount=1, state={"running": {"startedAt": NOW}}))))
    assert whats(found) == [("restarted", "web-2-a")]
    assert [each.container for each in told] == ["web"]


def test_a_pod_that_falls_and_recovers_is_an_incident() -> None:
    found = tracker()
    found.pod(seen(fell()))
    found.pod(seen(pod("web-2-a")))
    assert whats(found) == [("not ready", "web-2-a")]
    assert "ContainersNotReady" in found.incidents()[0].detail


def test_a_fall_between_two_looks_shows_in_the_time_since_which_it_is_ready() -> None:
    found = tracker()
    conditions = [condition("PodScheduled"), condition("Ready", since=NOW)]
    found.all_pods("crm", [seen(merge(pod(f"web-2-{each}"), {"status": {"conditions": conditions}})) for each in "abc"])
    assert {what for what, _ in whats(found)} == {"not ready"}


def test_a_crash_that_goes_on_is_one_incident_of_each_kind() -> None:
    found = tracker()
    crashed = build.waiting("CrashLoopBackOff", restartCount=2, lastState=build.ended(1))
    for _ in range(3):
        found.pod(seen(merge(fell(), {"status": {"containerStatuses": [crashed]}})))
    assert sorted(whats(found)) == [("doomed", "web-2-a"), ("not ready", "web-2-a"), ("restarted", "web-2-a")]


def test_the_detail_of_an_incident_holds_no_secret() -> None:
    found = tracker()
    broken = build.waiting("CreateContainerConfigError", "secret not found: password=hunter2-secret")
    found.pod(seen(with_status(broken)))
    assert [each.what for each in found.incidents()] == ["doomed"]
    assert "hunter2-secret" not in found.incidents()[0].detail


def test_a_pod_that_goes_and_is_made_anew_was_replaced() -> None:
    found = tracker()
    disrupted = {"status": {"conditions": [condition("DisruptionTarget", reason="EvictionByEvictionAPI")]}}
    found.pod(seen(going(**disrupted)))
    found.pod(seen(pod("web-2-d")))
    found.pod_deleted(seen(going()))
    assert whats(found) == [("replaced", "web-2-a")]
    assert "EvictionByEvictionAPI" in found.incidents()[0].detail


def test_a_pod_that_goes_and_does_not_come_back_was_deleted() -> None:
    found = tracker()
    found.all_pods("crm", [seen(pod("web-2-a")), seen(pod("web-2-b"))])
    assert whats(found) == [("deleted", "web-2-c")]


def test_a_stateful_pod_under_its_old_name_is_another_pod() -> None:
    db = component("StatefulSet", "db", tag="1")
    found = tracker(*whole("StatefulSet"), over=(db,))
    found.pod_deleted(seen(build.member(1)))
    found.pod(seen(build.member(1, metadata={"uid": "another"})))
    assert whats(found) == [("replaced", "db-1")]


def test_an_eviction_is_no_matter_of_readiness() -> None:
    found = tracker()
    found.pod(seen(merge(fell(), {"status": {"phase": "Failed", "reason": "Evicted"}})))
    assert [(each.what, each.detail) for each in found.incidents()] == [("deleted", "Evicted")]


# --- what is meant to happen -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("workload_first", [True, False])
def test_scaling_down_is_no_incident_whichever_watch_is_faster(workload_first: bool) -> None:
    found = tracker()
    steps = [lambda: found.workload(scaled(2)), lambda: found.pod(seen(going()))]
    for step in steps if workload_first else reversed(steps):
        step()
    assert whats(found) == []


def test_a_pod_beyond_the_scale_down_is_an_incident() -> None:
    found = tracker()
    found.workload(scaled(2))
    found.pod_deleted(seen(pod("web-2-a")))
    found.pod_deleted(seen(pod("web-2-b")))
    assert [what for what, _ in whats(found)] == ["deleted"]


def test_scaling_down_and_up_again_is_no_incident() -> None:
    found = tracker()
    found.workload(scaled(2))
    found.pod_deleted(seen(pod("web-2-a")))
    found.workload(scaled(3))
    found.pod(seen(pod("web-2-d")))
    assert whats(found) == []


def test_a_surplus_pod_may_go() -> None:
    found = tracker(*whole(), pod("web-2-d"))
    found.pod(seen(going("web-2-d")))
    assert whats(found) == []


def test_a_pod_born_in_the_hold_may_take_its_time_and_fail_its_start() -> None:
    found = tracker()
    found.workload(scaled(4))
    found.pod(seen(fell("web-2-d")))
    again = ran(ready=False, restartCount=1)
    found.pod(seen(merge(fell("web-2-d"), {"status": {"containerStatuses": [again]}})))
    found.pod(seen(pod("web-2-d")))
    assert whats(found) == []


def test_a_pod_born_in_the_hold_may_be_refused_its_image_for_a_moment() -> None:
    found = tracker()
    young = merge(pod("web-2-d"), {"metadata": {"creationTimestamp": "2026-11-20T09:59:50Z"}})
    backs_off = build.waiting("ImagePullBackOff", "Back-off pulling image")
    scheduled = [condition("PodScheduled", since="2026-11-20T09:59:50Z")]
    found.pod(seen(merge(young, {"status": {"conditions": scheduled, "containerStatuses": [backs_off]}})))
    assert whats(found) == []
    missing = build.waiting("ErrImagePull", "manifest unknown")
    found.pod(seen(merge(young, {"status": {"conditions": scheduled, "containerStatuses": [missing]}})))
    assert whats(found) == [("doomed", "web-2-d")]


def test_fewer_nodes_take_an_agent_away() -> None:
    agent = component("DaemonSet", "agent", tag="1")
    found = tracker(*whole("DaemonSet"), over=(agent,))
    found.workload(seen(build.daemonset(status={"desiredNumberScheduled": 1})))
    found.all_pods("crm", [seen(whole("DaemonSet")[1])])
    assert whats(found) == []


def test_the_pods_of_jobs_of_old_revisions_and_of_others_are_not_followed() -> None:
    others = [
        pod("run-1", ("Job", "uid-run")),
        pod("web-1-a", ("ReplicaSet", "uid-web-1")),
        pod("stranger", ("ReplicaSet", "uid-other")),
        pod("bare", None),
    ]
    found = tracker(*whole(), build.replicaset("web-1", "1", replicas=0), *others)
    for each in others:
        found.pod(seen(merge(each, {"status": fell()["status"]})))
        found.pod_deleted(seen(each))
    assert whats(found) == []


# --- workloads -------------------------------------------------------------------------------------------------------


def test_a_rollout_that_begins_in_the_hold_is_one_incident_and_not_one_for_each_pod() -> None:
    found = tracker()
    found.workload(scaled(3, metadata={"annotations": {"deployment.kubernetes.io/revision": "3"}}))
    for each in "abc":
        found.pod_deleted(seen(pod(f"web-2-{each}")))
    assert whats(found) == [("replaced", "")]
    assert "revision went from 2 to 3" in str(found.incidents()[0])


@pytest.mark.parametrize("by_list", [True, False])
def test_a_workload_that_is_deleted_is_an_incident(by_list: bool) -> None:
    found = tracker()
    found.all_workloads("Deployment", "crm", []) if by_list else found.workload_deleted(scaled(3))
    found.all_pods("crm", [])
    assert whats(found) == [("deleted", "")]


def test_lists_of_another_kind_or_namespace_say_nothing_of_it() -> None:
    found = tracker()
    found.all_workloads("StatefulSet", "crm", [])
    found.all_workloads("Deployment", "other", [])
    found.all_pods("other", [])
    assert whats(found) == []


# --- the look at the end ---------------------------------------------------------------------------------------------


def test_the_last_look_finds_what_no_watch_told() -> None:
    found = tracker()
    status = ran(restartCount=1, state={"running": {"startedAt": NOW}})
    deployment, replicaset, _, *rest = whole()
    found.look(build.snapshot(deployment, replicaset, with_status(status), *rest))
    assert whats(found) == [("restarted", "web-2-a")]


def test_pods_that_could_not_be_listed_are_not_called_gone() -> None:
    found = tracker()
    found.look(build.snapshot(*whole()[:2], gaps=(Gap("pods", "crm", "time-out after 15 s"),)))
    assert whats(found) == []


def test_a_workload_that_could_not_be_listed_is_not_called_deleted() -> None:
    found = tracker()
    found.look(build.snapshot(*whole()[1:], gaps=(Gap("deployments", "crm", "403 Forbidden"),)))
    assert whats(found) == []


# --- over a connection -----------------------------------------------------------------------------------------------


@pytest.fixture
async def canned(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Canned]:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    async with serving() as server:
        yield server


@pytest.fixture
async def reader(canned: Canned, tmp_path: Path) -> AsyncIterator[Reader]:
    async with await connect(canned.kubeconfig(tmp_path), CONTEXT) as made:
        yield made


def serve(canned: Canned, **more: list[Reply]) -> None:
    """A healthy Deployment `web`; `more` are the answers of single lists after the first one."""
    deployment, replicaset, *pods = whole()
    lists = {"deployments": [deployment], "replicasets": [replicaset], "pods": pods}
    for name, (path, _) in LISTS.items():
        where = path.format("crm").partition("?")[0]
        canned.answer(
            where, listing(*lists.get(name, [])), *more.get(name, [Reply(hang=True)] if name in lists else [])
        )
    canned.answer("/version", Reply({"gitVersion": "v1.32.4"}))


async def test_there_is_a_watch_for_the_pods_and_each_declared_kind_of_each_namespace(reader: Reader) -> None:
    parts = (component(), component("StatefulSet", "db", namespace="data"))
    environment = build.environment(*parts)
    found = tracker(over=parts)
    paths = [each.path for each in watching(reader, environment, found, lambda _: None)]  # type: ignore[arg-type,return-value]
    assert paths == [
        "/api/v1/namespaces/crm/pods",
        "/apis/apps/v1/namespaces/crm/deployments",
        "/api/v1/namespaces/data/pods",
        "/apis/apps/v1/namespaces/data/statefulsets",
    ]


class Until:
    """A hold that ends when something has happened often enough, and not by the clock."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.over = anyio.Event()

    def count(self, *_: object) -> None:
        self.left -= 1
        if not self.left:
            self.over.set()

    async def wait(self, seconds: float) -> None:
        with anyio.fail_after(10):
            await self.over.wait()

    async def sleep(self, seconds: float) -> None:
        self.count()
        await anyio.sleep_forever()


async def test_the_hold_keeps_how_it_settled_and_what_restarted_since_the_first_look(
    canned: Canned, reader: Reader
) -> None:
    again = with_status(ran(restartCount=1, state={"running": {"startedAt": NOW}}))
    deployments = [refusal(403, "no watch"), listing(build.deployment())]
    pods = [refusal(403, "no watch"), listing(again, *whole()[3:])]
    serve(canned, pods=pods, deployments=deployments, replicasets=[listing(build.replicaset())])
    environment, said, refused = build.environment(component()), list[str](), Until(2)
    live = await take(reader, environment, build.RELEASE)
    settled = msgspec.structs.replace(live, settled=Settled("converged", 1.0, 2))
    kept = await hold(reader, environment, settled, Patience(30.0), said.append, wait=refused.wait, sleep=refused.sleep)
    assert kept.settled == settled.settled
    assert kept.held is not None
    assert [(each.what, each.pod) for each in kept.held.incidents] == [("restarted", "web-2-a")]
    assert not kept.held.watched
    assert [each.restarts for each in kept.baseline] == [0]
    assert [each.partition(":")[0] for each in said] == ["in the hold"]
    gaps = [each for each in kept.gaps if each.resource.startswith("watch of")]
    why = "403 Forbidden: no watch; lists were compared every 2 s instead"
    assert gaps == [Gap("watch of pods, deployments", "crm", why)]


async def test_a_watch_sees_what_is_well_again_at_the_end(canned: Canned, reader: Reader) -> None:
    _, _, *pods = whole()
    steps = [{"type": "MODIFIED", "object": each} for each in (fell(), pod("web-2-a"))]
    stream = Reply(b"".join(json.dumps(each).encode() + b"\n" for each in steps))
    serve(canned, pods=[stream, listing(*pods)], replicasets=[listing(build.replicaset())])
    canned.answer("/apis/apps/v1/namespaces/crm/deployments", listing(build.deployment()))
    environment, seen_it, said = build.environment(component()), Until(1), list[str]()

    def say(line: str) -> None:
        said.append(line)
        seen_it.count()

    live = await take(reader, environment, build.RELEASE)
    kept = await hold(reader, environment, live, Patience(30.0), say, wait=seen_it.wait, sleep=anyio.sleep)
    assert kept.held is not None
    assert [(each.what, each.pod) for each in kept.held.incidents] == [("not ready", "web-2-a")]
    assert len(said) == 1


GROWING = build.deployment(spec={"replicas": 4}, status={"replicas": 4})


@pytest.mark.parametrize(
    ("deployments", "more_s", "waited"),
    [
        ([GROWING, build.deployment()], 8.0, 2.0),
        ([GROWING], 8.0, 8.0),
        ([GROWING], 0.0, 0.0),
        ([build.deployment()], 8.0, 0.0),
        ([build.deployment(spec={"template": build.template(f"{build.REPO}:{build.OLD}")})], 8.0, 0.0),
    ],
    ids=["arrives", "does not arrive", "no patience", "calm", "contradicted"],
)
async def test_the_last_look_waits_for_what_is_under_way_and_for_nothing_else(
    canned: Canned, reader: Reader, deployments: list[Obj], more_s: float, waited: float
) -> None:
    """An autoscaler that adds a pod just then, or Flux at its interval, is no release that did not stay."""
    refused = refusal(403, "no watch")
    replies = {"deployments": [refused, *map(listing, deployments)], "pods": [refused, listing(*whole()[2:])]}
    serve(canned, **replies, replicasets=[listing(build.replicaset())])
    environment, watching_ends = build.environment(component()), Until(2)
    live = await take(reader, environment, build.RELEASE)
    patience = Patience(30.0, 30.0, more_s, 2.0)
    kept = await hold(
        reader, environment, live, patience, lambda _: None, wait=watching_ends.wait, sleep=watching_ends.sleep
    )
    assert kept.held is not None
    assert (kept.held.seconds, kept.held.more_s, kept.held.incidents) == (30.0, waited, ())
    assert [seen.spec.replicas for seen in kept.deployments] == [deployments[-1]["spec"]["replicas"]]


async def test_a_watch_that_saw_everything_leaves_no_gap(reader: Reader) -> None:
    environment = build.environment(component())
    assert list(unwatched(watching(reader, environment, tracker(), lambda _: None))) == []  # type: ignore[arg-type,return-value]
