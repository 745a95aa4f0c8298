"""Restarts and memory are judged since the rollout, by what the containers remember and the first look saw of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from postdeploy.cluster import restarts, snapshot
from postdeploy.cluster.objects import Base, Held, Incident, LogExcerpt, Settled, Snapshot
from postdeploy.cluster.stability import StabilityClaims, unsteady_pods
from postdeploy.environment import Component
from postdeploy.verdict import Judgement, State
from tests.cluster import build
from tests.cluster.build import EARLIER, LONG_AGO, NOW, component, condition, merge, pod, ran, seen, whole

Obj = dict[str, Any]
ROLLED_OUT = datetime.fromisoformat(EARLIER)
LATE = "2026-11-20T09:58:00Z"
ACCEPTED = {"component": "web", "allowed": 2, "owner": "platform", "reason": "OPS-1", "expires": "2026-12-31"}


def at(seconds: float) -> str:
    """So long after the rollout."""
    return (ROLLED_OUT + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def died(finished: str, code: int = 1, reason: str = "Error", started: str = EARLIER) -> Obj:
    over = {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": finished}
    return {"lastState": {"terminated": over}, "state": {"running": {"startedAt": finished}}}


def with_status(name: str, *statuses: Obj, ready_since: str = EARLIER, **more: Any) -> Obj:
    conditions = [condition("PodScheduled"), condition("Ready", since=ready_since)]
    return merge(pod(name), {"status": {"containerStatuses": list(statuses), "conditions": conditions}} | more)


def release(*pods: Obj, complete: str = EARLIER, **more: Any) -> list[Obj]:
    """The Deployment `web`, with these of its three pods replaced."""
    deployment, replicaset, *rest = whole()
    done = condition("Progressing", reason="NewReplicaSetAvailable") | {"lastUpdateTime": complete}
    deployment["status"]["conditions"] = [condition("Available"), done]
    names = {each["metadata"]["name"] for each in pods}
    return [deployment | more, replicaset, *(each for each in rest if each["metadata"]["name"] not in names), *pods]


def claims(*raw: Obj, over: tuple[Component, ...] = (), base: Snapshot | None = None, **more: Any) -> StabilityClaims:
    last = build.snapshot(*raw)
    first = base or last
    last = msgspec.structs.replace(last, baseline=restarts.changed(first.pods, last.pods))
    return StabilityClaims(last, build.environment(*(over or (component(),)), **more), build.RELEASE)


def restarted(*pods: Obj, **more: Any) -> Judgement:
    return claims(*release(*pods, complete=more.pop("complete", EARLIER)), **more).restarts(component())


# --- what counts as a restart between two looks ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "times"),
    [
        ({}, 0),
        ({"restartCount": 3}, 1),
        ({"restartCount": 5}, 3),
        ({"containerID": "c2"}, 1),
        ({"state": {"running": {"startedAt": NOW}}}, 1),
        ({"restartCount": 0, "containerID": "c2"}, 1),
        ({"restartCount": 1}, 1),
        ({"state": build.ended(1)}, 0),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": build.ended(1)}, 0),
    ],
)
def test_restarts_are_told_by_count_id_and_start(now: Obj, times: int) -> None:
    before = seen(with_status("a", ran(restartCount=2, containerID="c1")))
    after = seen(with_status("a", ran(restartCount=2, containerID="c1") | now))
    base = restarts.record(before, before.status.container_statuses[0])
    assert restarts.between(base, after.status.container_statuses[0]) == times


def test_a_container_that_runs_for_the_first_time_has_not_restarted() -> None:
    before = seen(with_status("a", build.waiting("ContainerCreating")))
    base = restarts.record(before, before.status.container_statuses[0])
    assert restarts.between(base, seen(with_status("a", ran(containerID="c1"))).status.container_statuses[0]) == 0


def test_the_baseline_keeps_what_has_changed_and_nothing_else() -> None:
    before = [seen(with_status("a", ran(containerID="c1"))), seen(with_status("b", ran(containerID="c2")))]
    after = [seen(with_status("a", ran(containerID="c1"))), seen(with_status("b", ran(containerID="c3")))]
    assert [(each.uid, each.container_id) for each in restarts.changed(before, after)] == [("uid-b", "c2")]


def test_the_first_look_stays_the_baseline_through_settle_and_hold() -> None:
    looks = [[seen(with_status("a", ran(restartCount=each)))] for each in range(3)]
    settled = restarts.changed(looks[0], looks[1])
    assert [each.restarts for each in restarts.changed(looks[1], looks[2], settled)] == [0]


def test_a_pod_that_is_new_has_no_baseline() -> None:
    assert restarts.changed([], [seen(with_status("a", ran(restartCount=2)))]) == ()


# --- restarts since the rollout --------------------------------------------------------------------------------------


def test_a_release_that_never_restarted_holds() -> None:
    found = restarted()
    assert (found.state, found.seen) == (State.PASSED, "no restarts")


def test_one_failed_start_is_excused() -> None:
    found = restarted(with_status("web-2-a", ran(restartCount=1, **died(at(25))), ready_since=at(40)), complete=at(45))
    assert found.state is State.PASSED
    assert found.seen == "1 restarts: 1 at start-up"


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(ran(restartCount=2, **died(at(25))), id="a second failed start"),
        pytest.param(ran(restartCount=1, **died(at(200))), id="after the rollout was complete"),
        pytest.param(ran(restartCount=0, state={"running": {"startedAt": at(200)}}), id="a counter that began anew"),
    ],
)
def test_a_restart_after_the_pod_was_ready_is_red(status: Obj) -> None:
    found = restarted(with_status("web-2-a", status, ready_since=at(40)), complete=at(60))
    assert found.state is State.FAILED
    assert "pod web-2-a restarted" in found.seen


def test_a_long_first_life_was_no_failed_start() -> None:
    status = ran(restartCount=1, **died(at(400)))
    found = restarted(with_status("web-2-a", status, ready_since=at(410)), complete=at(500))
    assert found.state is State.FAILED


def test_a_pod_made_after_the_rollout_may_fail_its_start_too() -> None:
    made = with_status(
        "web-2-a",
        ran(restartCount=1, **died(at(320), started=at(310))),
        ready_since=at(330),
        metadata={"creationTimestamp": at(300)},
    )
    assert restarted(made, complete=at(60)).state is State.PASSED


def test_a_restart_between_two_looks_at_a_ready_pod_is_no_failed_start() -> None:
    before = build.snapshot(with_status("web-2-a", ran(containerID="c1")))
    now = with_status("web-2-a", ran(containerID="c2", restartCount=1, **died(at(20))), ready_since=at(30))
    assert restarted(now, complete=at(60), base=before).state is State.FAILED


def database(*statuses: Obj) -> tuple[list[Obj], Component]:
    """A pinned StatefulSet that was there long before the release, beside it."""
    old = {"metadata": {"creationTimestamp": LONG_AGO}, "status": {"startTime": LONG_AGO}}
    began = {"state": {"running": {"startedAt": LONG_AGO}}}
    members = [build.member(number, **old) for number in range(3)]
    for number, member in enumerate(members):
        own = statuses[number] if number < len(statuses) else ran(**began)
        member["status"]["containerStatuses"] = [own]
    pinned = component("StatefulSet", "db", tag="16.6")
    return [*whole(), build.statefulset(), *members], pinned


def judge_database(*statuses: Obj, base: Snapshot | None = None) -> tuple[Judgement, Judgement]:
    raw, pinned = database(*statuses)
    found = claims(*raw, over=(component(), pinned), base=base)
    return found.restarts(pinned), found.oom(pinned)


def test_what_restarted_long_before_the_release_is_past() -> None:
    before = "2026-11-19T00:00:00Z"
    old = ran(restartCount=7, **died(before, 137, "OOMKilled", LONG_AGO))
    restarts_, oom = judge_database(old)
    assert (restarts_.state, oom.state) == (State.PASSED, State.PASSED)


def test_a_counter_reset_by_a_reboot_long_ago_is_past() -> None:
    rebooted = ran(restartCount=0, state={"running": {"startedAt": "2026-11-19T00:00:00Z"}})
    assert judge_database(rebooted)[0].state is State.PASSED


def test_a_database_that_restarted_since_the_release_is_red_though_it_is_no_part_of_it() -> None:
    restarts_, oom = judge_database(ran(restartCount=7, **died(LATE, 137, "OOMKilled", LONG_AGO)))
    assert (restarts_.state, oom.state) == (State.FAILED, State.FAILED)


def test_a_database_that_restarts_between_two_looks_is_red() -> None:
    raw, _ = database(ran(restartCount=7, state={"running": {"startedAt": LONG_AGO}}))
    now = ran(restartCount=8, state={"running": {"startedAt": LATE}})
    found = judge_database(now, base=build.snapshot(*raw))[0]
    assert found.state is State.FAILED
    assert "restarted once" in found.seen


def test_pods_that_are_going_or_gone_do_not_count() -> None:
    status = ran(restartCount=4, **died(at(200), 137, "OOMKilled"))
    going = with_status("web-2-d", status, metadata={"deletionTimestamp": NOW})
    failed = merge(with_status("web-2-e", status), {"status": {"phase": "Failed", "reason": "Terminated"}})
    found = claims(*release(going, failed))
    assert (found.restarts(component()).state, found.oom(component()).state) == (State.PASSED, State.PASSED)


# --- budgets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "times", "state"),
    [
        ({}, 2, State.PASSED),
        ({}, 3, State.FAILED),
        ({"container": "web"}, 2, State.PASSED),
        ({"container": "istio-proxy"}, 2, State.FAILED),
        ({"expires": "2026-11-20"}, 2, State.PASSED),
        ({"expires": "2026-11-19"}, 2, State.FAILED),
    ],
)
def test_a_budget_holds_for_its_container_and_until_its_last_day(budget: Obj, times: int, state: State) -> None:
    made = with_status("web-2-a", ran(restartCount=times, **died(at(200))))
    assert restarted(made, restart_budgets=[ACCEPTED | budget]).state is state


def test_a_message_names_the_budget_that_was_exceeded() -> None:
    made = with_status("web-2-a", ran(restartCount=3, **died(at(200))))
    found = restarted(made, restart_budgets=[ACCEPTED])
    assert "restarted 3 times where 2 are allowed until 2026-12-31" in found.seen


def test_an_expired_budget_is_itself_a_finding() -> None:
    environment = build.environment(component(), restart_budgets=[ACCEPTED])
    assert environment.expired(date(2026, 12, 31)) == ()
    assert environment.expired(date(2027, 1, 1)) == environment.restart_budgets


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "state"),
    [
        (137, "OOMKilled", State.FAILED),
        (137, "Error", State.FAILED),
        (0, "OOMKilled", State.FAILED),
        (1, "Error", State.PASSED),
        (143, "Error", State.PASSED),
    ],
)
def test_an_end_for_want_of_memory_is_red_whatever_it_calls_itself(code: int, reason: str, state: State) -> None:
    made = with_status("web-2-a", ran(restartCount=1, **died(at(20), code, reason)), ready_since=at(30))
    assert claims(*release(made)).oom(component()).state is state


@pytest.mark.parametrize(
    ("about", "kind", "last", "state"),
    [
        ("web-2-a", "Pod", LATE, State.DEGRADED),
        ("node-1", "Node", LATE, State.DEGRADED),
        ("node-9", "Node", LATE, State.PASSED),
        ("other", "Pod", LATE, State.PASSED),
        ("node-1", "Node", LONG_AGO, State.PASSED),
    ],
)
def test_a_process_killed_beside_a_container_that_lived_on_is_a_finding(
    about: str, kind: str, last: str, state: State
) -> None:
    told = build.event(about, "OOMKilling", "Memory cgroup out of memory: Killed process 81", kind, lastTimestamp=last)
    assert claims(*release(), told).oom(component()).state is state


# --- held ------------------------------------------------------------------------------------------------------------


def held(*incidents: Incident, settled: str = "converged", watched: bool = True, **more: Any) -> Judgement:
    last = build.snapshot(*release(*more.pop("pods", ())))
    last = msgspec.structs.replace(
        last,
        held=Held(30.0, incidents, watched=watched),
        settled=Settled(settled, 1.0, 1),  # type: ignore[arg-type]
    )
    return StabilityClaims(last, build.environment(component(), **more), build.RELEASE).held(component())


def incident(what: Any = "restarted", whose: str = "web", in_pod: str = "web-2-a") -> Incident:
    when = datetime(2026, 11, 20, 9, 59, tzinfo=UTC)
    return Incident(when, whose, "crm", what, in_pod, "web", "exit code 1")


@pytest.mark.parametrize(("asked", "state"), [(30.0, State.PASSED), (0.0, State.PASSED), (45.0, State.UNVERIFIED)])
def test_a_hold_that_the_budget_cut_short_is_not_one(asked: float, state: State) -> None:
    last = msgspec.structs.replace(build.snapshot(*release()), held=Held(30.0, asked=asked, more_s=4.0))
    found = StabilityClaims(last, build.environment(component()), build.RELEASE).held(component())
    assert found.state is state
    assert found.seen.startswith("watched for 30 s, and 4 s more until what was under way had arrived")


def test_a_hold_without_an_incident_passes_and_says_how_it_was_watched() -> None:
    assert (held().state, held().seen) == (State.PASSED, "watched for 30 s")
    assert held(watched=False).seen == "compared by its lists for 30 s"


@pytest.mark.parametrize("what", ["restarted", "not ready", "doomed", "deleted", "replaced"])
def test_every_incident_is_red_and_says_when_what_and_to_whom(what: str) -> None:
    found = held(incident(what))
    assert found.state is State.FAILED
    assert f"09:59:00Z pod crm/web-2-a, container web {what}: exit code 1" in found.seen
    assert found.cause


def test_what_befell_others_is_no_matter_of_this_workload() -> None:
    assert held(incident(whose="api")).state is State.PASSED


def test_a_message_names_the_first_incidents_and_counts_the_rest() -> None:
    found = held(*(incident(in_pod=f"web-2-{each}") for each in "abcde"))
    assert found.seen.startswith("5 incidents in 30 s: ")
    assert found.seen.endswith("; and 2 more")


def test_a_restart_within_its_budget_is_spared_with_the_moment_it_was_not_ready() -> None:
    pods = (with_status("web-2-a", ran(restartCount=1, **died(at(200)))),)
    both = (incident("not ready"), incident())
    assert held(*both, pods=pods).state is State.FAILED
    assert held(*both, pods=pods, restart_budgets=[ACCEPTED]).state is State.PASSED
    assert held(*both, incident("not ready", in_pod="b"), pods=pods, restart_budgets=[ACCEPTED]).state is State.FAILED


def test_without_a_hold_the_claim_does_not_apply() -> None:
    assert claims(*release()).held(component()).state is State.NOT_APPLICABLE


def test_what_is_not_live_was_not_held() -> None:
    last = msgspec.structs.replace(build.snapshot(*release()), settled=Settled("budget", 9.0, 4))
    found = StabilityClaims(last, build.environment(component()), build.RELEASE).held(component())
    assert (found.state, "had not become live" in found.seen) == (State.NOT_APPLICABLE, True)


def test_a_message_quotes_the_last_log_of_a_pod_that_is_well_again() -> None:
    made = with_status("web-2-a", ran(restartCount=1, **died(at(200))))
    last = build.snapshot(*release(made), excerpts=(LogExcerpt("crm", "web-2-a", "web", True, ("KeyError: 'DSN'",)),))
    environment = build.environment(component())
    found = StabilityClaims(last, environment, build.RELEASE).restarts(component())
    assert "log of web, previous instance:\n  KeyError: 'DSN'" in found.where
    assert [each.metadata.name for each in unsteady_pods(last, environment)] == ["web-2-a"]
    assert unsteady_pods(build.snapshot(*release()), environment) == ()


# --- what is saved ---------------------------------------------------------------------------------------------------


def test_a_saved_snapshot_keeps_the_hold_and_the_baseline() -> None:
    kept = msgspec.structs.replace(
        build.snapshot(*whole()),
        held=Held(30.0, (incident(),), watched=False, interruptions=("pods: 410",)),
        baseline=(Base("uid-a", "web", "c1", ROLLED_OUT, 2, True),),
    )
    assert snapshot.load(snapshot.save(kept)) == kept


def test_what_could_not_be_read_is_not_called_stable() -> None:
    found = StabilityClaims(
        build.snapshot(*release(), gaps=(build.Gap("pods", "crm", "403 Forbidden"),)),
        build.environment(component()),
        build.RELEASE,
    )
    assert {each.state for each in (found.restarts(component()), found.oom(component()))} == {State.UNVERIFIED}
