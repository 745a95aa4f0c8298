"""The claims: each state of a workload, four parts to a failure, and nothing green that was not seen."""

from __future__ import annotations

import msgspec
import pytest

from postdeploy.cluster.claims import most_useful_pods
from postdeploy.cluster.objects import Gap, LogExcerpt, Snapshot
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import claims, component, condition, unready, waiting

WEB = component()
DB = component("StatefulSet", "db")
AGENT = component("DaemonSet", "agent")
CRASH = waiting("CrashLoopBackOff", restartCount=5, lastState=build.ended(1))
PARTS = {"Deployment": WEB, "StatefulSet": DB, "DaemonSet": AGENT}


@pytest.mark.parametrize("kind", PARTS)
def test_healthy_workload_holds_in_every_claim(kind):
    part = PARTS[kind]
    judgements = claims(*build.whole(kind), over=(part,)).of_component(part)
    assert len(judgements) == 6
    assert {each.state for each in judgements} == {State.PASSED}


def test_batch_components_have_their_own_claims():
    job, cron = component("Job", "migrate"), component("CronJob", "nightly", image=build.SCRIPT)
    found = claims(build.job(), build.cronjob(), over=(job, cron))
    assert [each.state for part in (job, cron) for each in found.of_component(part)] == [State.PASSED] * 4


@pytest.mark.parametrize("kind", PARTS)
def test_missing_workload_fails_every_claim(kind):
    part = PARTS[kind]
    judgements = claims(over=(part,)).of_component(part)
    assert {each.state for each in judgements} == {State.FAILED}
    assert "not found" in judgements[0].why


@pytest.mark.parametrize("kind", PARTS)
def test_missing_workload_that_could_not_be_read_is_unverified(kind):
    part = PARTS[kind]
    resource = f"{kind.lower()}s"
    judgements = claims(over=(part,), gaps=(Gap(resource, "", "403 Forbidden"),)).of_component(part)
    assert {each.state for each in judgements} == {State.UNVERIFIED}
    assert "403 Forbidden" in judgements[0].seen


@pytest.mark.parametrize(
    ("resource", "claim"),
    [
        ("deployments", "rollout"),
        ("replicasets", "rollout"),
        ("deployments", "scale"),
        ("pods", "old_pods"),
        ("replicasets", "old_pods"),
        ("pods", "pods_ready"),
        ("pods", "pods_doomed"),
        ("replicasets", "pods_doomed"),
    ],
)
def test_nothing_passes_over_a_gap(resource, claim):
    found = claims(*build.whole(), gaps=(Gap(resource, "crm", "cut off at page 3"),))
    assert getattr(found, claim)(WEB).state is State.UNVERIFIED


def test_gap_elsewhere_does_not_matter():
    found = claims(*build.whole(), gaps=(Gap("pods", "observability", "403"), Gap("events", "crm", "403")))
    assert {each.state for each in found.of_component(WEB)} == {State.PASSED}


def test_failure_that_was_seen_stands_beside_a_gap():
    raw = [build.deployment(), build.replicaset(), unready(CRASH)]
    assert claims(*raw, gaps=(Gap("pods", "crm", "cut off"),)).pods_doomed(WEB).state is State.FAILED


def test_rollout_needs_a_replicaset_of_its_own_revision():
    found = claims(build.deployment(), build.replicaset("web-1", "1"))
    assert found.rollout(WEB).state is State.PENDING
    assert "revision 2" in found.rollout(WEB).seen


def test_counters_of_the_rollout_are_told_with_their_fields():
    judgement = claims(build.deployment(status={"updatedReplicas": 1}), build.replicaset()).rollout(WEB)
    assert "status.updatedReplicas" in judgement.why


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("StatefulSet", [build.statefulset(spec={"updateStrategy": {"type": "OnDelete"}}), build.member(0, "db-1")]),
        (
            "DaemonSet",
            [
                build.daemonset(spec={"updateStrategy": {"type": "OnDelete"}}),
                build.pod("a", ("DaemonSet", "uid-agent"), metadata={"labels": {"pod-template-generation": "1"}}),
            ],
        ),
    ],
)
def test_on_delete_is_judged_by_the_pods_themselves(kind, raw):
    part = PARTS[kind]
    judgement = claims(*raw, over=(part,)).rollout(part)
    assert (judgement.state, judgement.doomed) == (State.FAILED, True)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("Deployment", build.deployment(spec={"replicas": 0})),
        ("StatefulSet", build.statefulset(spec={"replicas": 0})),
        ("DaemonSet", build.daemonset(status={"desiredNumberScheduled": 0})),
    ],
)
def test_zero_is_a_failure_unless_declared(kind, raw):
    part = PARTS[kind]
    assert claims(raw, over=(part,)).scale(part).state is State.FAILED
    declared = part.model_copy(update={"may_be_zero": True})
    assert claims(raw, over=(declared,)).scale(declared).state is State.PASSED


def test_scaled_to_zero_is_told_by_its_own_claim_only():
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)
    found = claims(build.deployment(spec={"replicas": 0}, status=counts), build.replicaset(replicas=0))
    assert [each.claim for each in found.of_component(WEB) if not each.holds] == [found.scale(WEB).claim]


OLD_SET = build.replicaset("web-1", "1", replicas=0)


def old(**more):
    return build.pod("web-1-a", ("ReplicaSet", "uid-web-1"), **more)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ([OLD_SET, old()], "still run"),
        ([OLD_SET, old(metadata={"deletionTimestamp": build.NOW})], "metadata.deletionTimestamp"),
        ([build.pod("web-0-a", ("ReplicaSet", "uid-web-0"))], "belong to no ReplicaSet"),
    ],
)
def test_what_is_left_of_an_old_revision_is_pending_and_named(raw, told):
    judgement = claims(*build.whole(), *raw).old_pods(WEB)
    assert judgement.state is State.PENDING
    assert told in judgement.seen
    assert "web-" in judgement.seen


def test_many_names_are_cut_short():
    raw = [build.pod(f"web-1-{each}", ("ReplicaSet", "uid-web-1")) for each in range(9)]
    assert "and 6 more" in claims(*build.whole(), OLD_SET, *raw).old_pods(WEB).seen


def test_pod_that_terminates_does_not_stand_in_for_a_ready_one():
    going = build.pod("web-2-c", metadata={"deletionTimestamp": build.NOW})
    raw = [build.deployment(), build.replicaset(), build.pod("web-2-a"), build.pod("web-2-b"), going]
    judgement = claims(*raw).pods_ready(WEB)
    assert judgement.state is State.PENDING
    assert "2 of 3 pods" in judgement.seen
    assert claims(*raw).old_pods(WEB).state is State.PASSED


def test_leftovers_of_lost_nodes_are_counted_and_no_failure():
    evicted = build.pod("web-2-x", status={"phase": "Failed", "reason": "Evicted"})
    judgement = claims(*build.whole(), evicted).pods_ready(WEB)
    assert judgement.state is State.PASSED
    assert "1 leftovers" in judgement.seen


def test_one_pod_that_is_not_ready_is_pending():
    judgement = claims(*build.whole(), unready(build.ran(ready=False), name="web-2-d")).pods_ready(WEB)
    assert judgement.state is State.PENDING
    assert "1 of 4 pods" in judgement.seen


def test_doomed_pod_ends_the_wait():
    found = claims(build.deployment(), build.replicaset(), unready(CRASH))
    assert found.pods_doomed(WEB).doomed
    assert found.pods_ready(WEB).doomed


def test_doom_of_an_old_revision_is_no_finding_about_the_release():
    crashing = unready(CRASH, name="web-1-a")
    crashing["metadata"]["ownerReferences"] = old()["metadata"]["ownerReferences"]
    assert claims(*build.whole(), OLD_SET, crashing).pods_doomed(WEB).state is State.PASSED


def test_doom_of_a_release_that_is_still_to_be_replaced_does_not_end_the_wait():
    raw = build.deployment(
        spec={"template": build.template(f"{build.REPO}:{build.OLD}")},
        status={"updatedReplicas": 1, "conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]},
    )
    found = claims(raw, build.replicaset(), unready(CRASH)).of_component(WEB)
    assert State.FAILED in {each.state for each in found}
    assert not any(each.doomed for each in found)


def test_state_that_may_pass_is_not_doom():
    slow = unready(waiting("ErrImagePull", "429 Too Many Requests"))
    slow["status"]["conditions"][0]["lastTransitionTime"] = build.NOW
    assert claims(build.deployment(), build.replicaset(), slow).pods_doomed(WEB).state is State.PASSED


def failing(**more):
    raw = [
        build.deployment(status={"updatedReplicas": 1}),
        build.replicaset(),
        build.pod("web-2-a"),
        unready(build.ran(ready=False), name="web-2-b"),
        unready(CRASH, name="web-2-c"),
        build.event("web-2-c", "BackOff", "Back-off restarting failed container", count=14),
        build.event("web-2-c", "Pulled", type="Normal"),
        build.event("web", "Other", "of another object", kind="Service") | {"involvedObject": {"uid": "uid-else"}},
        build.event("web-2", "FailedCreate", "exceeded quota", kind="ReplicaSet"),
    ]
    logs = (
        LogExcerpt("crm", "web-2-c", "web", True, ("Traceback", "KeyError: 'CRM_REGION'")),
        LogExcerpt("crm", "web-2-c", "web", False, ()),
    )
    return claims(*raw, excerpts=logs, **more)


def test_failure_has_four_parts_and_the_most_useful_pod():
    judgement = failing().pods_ready(WEB)
    assert judgement.claim == "Deployment crm/web has all its pods ready"
    assert "CrashLoopBackOff" in judgement.seen
    assert "pod crm/web-2-c on node node-1: container web, waiting CrashLoopBackOff" in judgement.where
    assert "event BackOff 14 times: Back-off restarting failed container" in judgement.where
    assert "event FailedCreate: exceeded quota" in judgement.where
    assert "log of web, previous instance:\n  Traceback\n  KeyError: 'CRM_REGION'" in judgement.where
    assert "Pulled" not in judgement.where
    assert "of another object" not in judgement.where
    assert "last log lines" in judgement.cause


def test_unread_events_are_said_where_they_are_missed():
    assert "events could not be read" in failing(gaps=(Gap("events", "crm", "403"),)).pods_ready(WEB).where


@pytest.mark.parametrize(
    ("accepted", "is_shown"),
    [
        ({}, False),
        ({"component": "web"}, False),
        ({"component": "db"}, True),
        ({"expires": "2026-11-19"}, True),
        ({"message": "^something else"}, True),
        ({"event": "FailedMount"}, True),
    ],
)
def test_accepted_warnings_are_left_out_until_they_expire(accepted, is_shown):
    rule = {"event": "BackOff", "message": "restarting", "owner": "ops", "reason": "OPS-1", "expires": "2026-12-31"}
    found = failing(suppressions=[rule | accepted]).pods_ready(WEB)
    assert ("event BackOff" in found.where) is is_shown


def test_healthy_claim_needs_no_diagnosis():
    assert claims(*build.whole()).rollout(WEB).where == ""


def test_logs_are_worth_fetching_of_one_pod_per_component_in_trouble():
    cron = component("CronJob", "nightly", image=build.SCRIPT)
    job = build.job("nightly-1", f"{build.SCRIPT}:{build.RELEASE}")
    job["metadata"]["ownerReferences"] = build.meta("x", owner=("CronJob", "uid-nightly"))["ownerReferences"]
    run = build.pod("nightly-1-x", ("Job", "uid-nightly-1"), status={"phase": "Failed"})
    raw = [
        *(build.deployment(), build.replicaset(), build.pod("web-2-a")),
        *(unready(build.ran(ready=False), name="web-2-b"), unready(CRASH, name="web-2-c")),
        *build.whole("StatefulSet"),
        *(build.cronjob(), job, run),
    ]
    environment = build.environment(WEB, DB, AGENT, cron, component("Job", "migrate"))
    found = most_useful_pods(build.snapshot(*raw), environment)
    assert [each.metadata.name for each in found] == ["web-2-c", "nightly-1-x"]


def test_unready_init_container_is_described_and_a_finished_one_is_not():
    raw = unready(waiting("PodInitializing"), spec={"initContainers": [{"name": "done"}, {"name": "stuck"}]})
    raw["status"]["initContainerStatuses"] = [
        build.ran("done", ready=False, state=build.ended(0)),
        waiting("CrashLoopBackOff", name="stuck", restartCount=3),
    ]
    where = claims(build.deployment(), build.replicaset(), raw).pods_ready(WEB).where
    assert "container stuck" in where
    assert "container done" not in where


def test_unready_pod_without_containers_is_described_by_its_phase():
    raw = build.pod(status={"conditions": [condition("PodScheduled", "False", "Unschedulable")], "phase": "Pending"})
    raw["status"].pop("containerStatuses")
    raw["spec"].pop("nodeName")
    assert "pod crm/web-2-a: phase Pending" in claims(build.deployment(), build.replicaset(), raw).pods_ready(WEB).where


def test_claim_over_pods_of_unknown_state_is_unverified():
    lost = build.pod("web-2-d", status={"phase": "Unknown"})
    assert claims(*build.whole(), lost).pods_ready(WEB).state is State.UNVERIFIED


def test_two_thousand_pods_are_judged_as_one_is():
    raw = [build.pod(f"web-2-{each}") for each in range(2000)]
    whole = build.snapshot(build.deployment(spec={"replicas": 2000}), build.replicaset(), *raw)
    data = msgspec.json.encode(whole)
    seen = msgspec.json.decode(data, type=Snapshot)
    found = build.ClusterClaims(seen, build.environment(WEB), build.RELEASE)
    assert found.pods_ready(WEB).holds
    assert found.pods_doomed(WEB).holds
    assert found.image_digest(build.REPO).holds
