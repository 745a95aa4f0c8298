"""Pods belong to a workload by uid through every owner between, and only those of its current revision count."""

from __future__ import annotations

import pytest

from postdeploy.cluster.owners import Family
from tests.cluster import build
from tests.cluster.build import seen


def names(pods):
    return sorted(each.metadata.name for each in pods)


def family(*raw):
    return Family(build.snapshot(*raw))


OLD_SET = build.replicaset("web-1", "1", replicas=0)


def old_pod(name="web-1-a", **more):
    return build.pod(name, ("ReplicaSet", "uid-web-1"), **more)


def test_current_pods_are_those_of_the_replicaset_of_the_revision():
    found = family(*build.whole(), OLD_SET, old_pod())
    assert names(found.current(seen(build.deployment()))) == ["web-2-a", "web-2-b", "web-2-c"]
    assert names(found.old(seen(build.deployment()))) == ["web-1-a"]


def test_replicaset_of_a_namesake_is_not_ours():
    namesake = build.replicaset("web-2", "2", owner="uid-of-a-deleted-namesake")
    assert family(namesake).current_replicaset(seen(build.deployment())) is None


def test_newest_replicaset_counts_where_no_revision_is_written():
    raw = build.deployment()
    raw["metadata"].pop("annotations")
    assert (
        family(build.replicaset("web-9", "9"), build.replicaset("web-10", "10"))
        .current_replicaset(seen(raw))
        .metadata.name
        == "web-10"
    )
    unmarked = build.replicaset("web-x", "")
    unmarked["metadata"].pop("creationTimestamp")
    assert family(unmarked).current_replicaset(seen(raw)).metadata.name == "web-x"


def test_leftovers_of_an_old_revision_are_not_left():
    found = family(*build.whole(), OLD_SET, old_pod(status={"phase": "Failed", "reason": "Evicted"}))
    assert found.old(seen(build.deployment())) == []


def test_pods_of_a_deleted_replicaset_are_strays():
    orphan = build.pod("web-0-a", ("ReplicaSet", "uid-web-0"))
    bare = build.pod("web-debug", None)
    found = family(*build.whole(), orphan, bare)
    assert names(found.strays(seen(build.deployment()))) == ["web-0-a", "web-debug"]


def test_completed_and_job_pods_with_the_same_labels_are_no_strays():
    done = build.pod("web-0-a", ("ReplicaSet", "uid-web-0"), status={"phase": "Succeeded"})
    of_job = build.pod("task-x", ("Job", "uid-task"))
    assert family(*build.whole(), done, of_job).strays(seen(build.deployment())) == []


def test_empty_selector_has_no_strays():
    raw = build.deployment(spec={"selector": {"matchLabels": None}})
    assert family(build.pod("bare", None)).strays(seen(raw)) == []


@pytest.mark.parametrize(("label", "is_current"), [("db-2", True), ("2", True), ("db-1", False), (None, True)])
def test_statefulset_pods_are_told_by_their_revision_label(label, is_current):
    pod = build.member(0)
    pod["metadata"]["labels"] = {"controller-revision-hash": label} if label else {}
    assert bool(family(pod).current(seen(build.statefulset()))) is is_current


def test_statefulset_without_an_update_revision_has_no_old_pods():
    raw = build.statefulset(status={"updateRevision": None})
    assert family(build.member(0, "db-1")).old(seen(raw)) == []


def test_pods_below_the_partition_are_not_left_but_kept():
    raw = build.statefulset(spec={"updateStrategy": {"rollingUpdate": {"partition": 1}}})
    found = family(build.member(0, "db-1"), build.member(1, "db-1"), build.member(2))
    assert names(found.old(seen(raw))) == ["db-1"]


def daemon_pod(generation=None, image=f"{build.REPO}:{build.RELEASE}"):
    labels = {"pod-template-generation": generation} if generation else {}
    spec = {"containers": build.containers(image)}
    return build.pod("agent-a", ("DaemonSet", "uid-agent"), metadata={"labels": labels}, spec=spec)


@pytest.mark.parametrize(
    ("pod", "is_current"),
    [
        (daemon_pod("2"), True),
        (daemon_pod("1"), False),
        (daemon_pod(), True),
        (daemon_pod(image=f"{build.REPO}:{build.OLD}"), False),
    ],
)
def test_daemonset_pods_are_told_by_generation_else_by_what_they_run(pod, is_current):
    found, owner = family(pod), seen(build.daemonset(status={"updatedNumberScheduled": 1}))
    assert bool(found.current(owner)) is is_current
    assert bool(found.old(owner)) is not is_current


def test_daemonset_that_was_changed_back_has_its_first_pods_again():
    """Kubernetes tells them by their hash and never replaces them: they keep the generation of their first time."""
    first, other = daemon_pod("1"), daemon_pod("1", f"{build.REPO}:{build.OLD}")
    owner = seen(build.daemonset(metadata={"annotations": {"deprecated.daemonset.template.generation": "3"}}))
    assert names(family(first).current(owner)) == ["agent-a"]
    assert names(family(other).old(owner)) == ["agent-a"]
    unseen = seen(build.daemonset(status={"observedGeneration": 1}))
    assert names(family(first).old(unseen)) == ["agent-a"]


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ["front"], False),
        ("In", ["debug"], True),
        ("NotIn", ["debug"], False),
        ("NotIn", ["front"], True),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
        ("Near", [], False),
    ],
)
def test_stray_must_satisfy_the_expressions_of_a_selector_too(operator, values, matches):
    expression = {"key": "tier", "operator": operator, "values": values}
    raw = build.deployment(spec={"selector": {"matchLabels": {"app": "web"}, "matchExpressions": [expression]}})
    bare = build.pod("bare", None, metadata={"labels": {"app": "web", "tier": "debug"}})
    assert bool(family(bare).strays(seen(raw))) is matches


def test_pod_with_an_odd_name_counts_as_the_first():
    raw = build.statefulset()
    odd = build.pod("db", ("StatefulSet", "uid-db"), metadata={"labels": {"controller-revision-hash": "db-1"}})
    assert names(family(odd).old(seen(raw))) == ["db"]


def test_jobs_belong_to_their_cronjob():
    job = build.job("nightly-1", metadata=build.meta("nightly-1", owner=("CronJob", "uid-nightly")))
    assert [each.metadata.name for each in family(job).jobs_of(seen(build.cronjob()))] == ["nightly-1"]
