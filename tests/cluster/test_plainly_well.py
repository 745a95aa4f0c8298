"""What is told at once of nearly every pod is what the rules say of it at length, whatever state it is in."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postdeploy.cluster import pods, restarts
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import condition, ended, ran, seen, waiting

NOW = datetime.fromisoformat(build.NOW)
OWN = restarts.Window(datetime.fromisoformat(build.LONG_AGO), own=True)
STARTED = {"running": {"startedAt": build.EARLIER}}

moments = st.sampled_from([build.LONG_AGO, build.EARLIER, build.NOW])
ends = st.builds(ended, st.sampled_from([0, 1, 137]), st.sampled_from(["Completed", "Error", "OOMKilled"]))
states = st.one_of(
    st.builds(lambda at: {"running": {"startedAt": at}}, moments),
    ends,
    st.just({"waiting": {"reason": "CrashLoopBackOff"}}),
    st.just({}),
)
statuses = st.builds(
    ran,
    name=st.sampled_from(["web", "wait-for-db", "mesh"]),
    ready=st.booleans(),
    started=st.booleans(),
    restartCount=st.integers(0, 2),
    state=states,
    lastState=st.one_of(st.just({}), ends),
)
conditions = st.builds(
    condition,
    st.sampled_from(["PodScheduled", "ContainersReady", "Ready", "example.com/gate"]),
    st.sampled_from(["True", "False", "Unknown"]),
    since=moments,
)


def pod(phase, found, init, usual, debug):
    status = {
        "phase": phase,
        "conditions": found,
        "containerStatuses": usual,
        "initContainerStatuses": init,
        "ephemeralContainerStatuses": debug,
    }
    containers = [{"name": name, "image": "app:1"} for name in ("web", "mesh")]
    inits = [{"name": "wait-for-db", "image": "app:1"}, {"name": "mesh", "image": "mesh:1", "restartPolicy": "Always"}]
    return seen(build.pod(spec={"containers": containers, "initContainers": inits}, status=status))


@settings(max_examples=300)
@given(
    st.builds(
        pod,
        st.sampled_from(["Running", "Pending", "Failed", "Unknown"]),
        st.lists(conditions, max_size=4),
        st.lists(statuses, max_size=2),
        st.lists(statuses, max_size=2),
        st.just([]),
    )
)
def test_no_rule_objects_to_a_pod_that_is_plainly_well(found):
    if pods.is_plainly_well(found):
        assert pods.pod(found, now=NOW) == pods.WELL
        assert pods.doom(found, NOW) is None
        assert list(restarts.counts([found], OWN, {})) == []
        assert list(restarts.killed([found], OWN, {})) == []


def test_a_pod_as_most_are_is_plainly_well():
    done, sidecar = ran("wait-for-db", state=ended(0, "Completed")), ran("mesh", state=STARTED)
    assert pods.is_plainly_well(seen(build.pod(status={"initContainerStatuses": [done, sidecar]})))


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Pending"},
        {"conditions": [condition("Ready", "Unknown")]},
        {"conditions": [condition("Ready"), condition("ContainersReady", "False")]},
        {"conditions": []},
        {"containerStatuses": [ran(restartCount=1)]},
        {"containerStatuses": [ran(ready=False)]},
        {"containerStatuses": [waiting("CrashLoopBackOff")]},
        {"containerStatuses": [ran(lastState=ended(137))]},
        {"containerStatuses": [ran(state={"running": {"startedAt": build.NOW}})]},
        {"initContainerStatuses": [ran("wait-for-db", state=ended(1))]},
        {"initContainerStatuses": [ran("wait-for-db", state=ended(0, "OOMKilled"))]},
        {"initContainerStatuses": [ran("mesh", state=STARTED, ready=False)]},
        {"initContainerStatuses": [ran("mesh", state=STARTED, restartCount=1)]},
        {"initContainerStatuses": [ran("mesh", state=STARTED, lastState=ended(0))]},
        {"initContainerStatuses": [ran("mesh", state={"running": {"startedAt": build.NOW}})]},
        {"initContainerStatuses": [waiting("PodInitializing")]},
        {"ephemeralContainerStatuses": [ran("debug")]},
    ],
    ids=str,
)
def test_anything_out_of_the_ordinary_is_left_to_the_rules(status):
    assert not pods.is_plainly_well(seen(build.pod(status=status)))


def test_a_pod_that_is_going_is_left_to_the_rules():
    going = build.pod(metadata={"deletionTimestamp": build.NOW})
    assert not pods.is_plainly_well(seen(going))
    assert pods.pod(seen(going), now=NOW).state is State.NOT_APPLICABLE
