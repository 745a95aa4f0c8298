"""Warnings since the rollout: read by their own clock, bound by uid, told apart, and honest about what is gone."""

from __future__ import annotations

import pytest

from postdeploy.cluster import warning_rules
from postdeploy.cluster.current import began
from postdeploy.cluster.event_claims import EventClaims
from postdeploy.cluster.objects import Gap
from postdeploy.cluster.warning_rules import Weight, normalised, weigh
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import merge, seen

DURING = "2026-11-20T09:55:00Z"
BEFORE = "2026-11-20T09:40:00Z"
POD = "web-2-a"


def claims(*raw, gaps=(), over=(), **more):
    environment = build.environment(*(over or (build.component(),)), **more)
    return EventClaims(build.snapshot(*raw, gaps=gaps), environment, build.RELEASE)


def warned(reason, about=POD, message="it happened", **more):
    return build.event(about, reason, message, **({"lastTimestamp": DURING} | more))


def judged(*events, whole=None, **more):
    return claims(*(whole or build.whole()), *events, **more).warnings()


UNWELL = [
    build.deployment(),
    build.replicaset(),
    build.unready(build.ran(ready=False)),
    *(build.pod(f"web-2-{each}") for each in "bc"),
]
LONG = {"firstTimestamp": "2026-11-20T09:51:00Z"}
AT_START = {"lastTimestamp": "2026-11-20T09:50:10Z"}
"""About when the pods were ready."""


def test_no_warning_passes():
    assert judged().state is State.PASSED
    assert judged().seen == "no warning"


@pytest.mark.parametrize(
    ("event", "well", "unwell"),
    [
        (warned("BackOff"), State.DEGRADED, State.FAILED),
        (warned("OOMKilling"), State.DEGRADED, State.FAILED),
        (warned("FailedScheduling", count=30), State.PASSED, State.FAILED),
        (warned("Failed", message="Failed to pull image"), State.PASSED, State.FAILED),
        (warned("FailedMount"), State.PASSED, State.PASSED),
        (warned("FailedMount", **LONG), State.PASSED, State.FAILED),
        (warned("FailedCreatePodSandBox", **LONG), State.PASSED, State.FAILED),
        (warned("Unhealthy", message="Readiness probe failed", count=2), State.PASSED, State.PASSED),
        (warned("Unhealthy", message="Readiness probe failed", count=9, **AT_START), State.PASSED, State.DEGRADED),
        (warned("Unhealthy", message="Liveness probe failed", count=9), State.DEGRADED, State.DEGRADED),
        (warned("NodeNotReady"), State.PASSED, State.PASSED),
        (warned("NobodyKnowsThis"), State.DEGRADED, State.DEGRADED),
        (warned("BackOff", type="Normal"), State.PASSED, State.PASSED),
    ],
)
def test_weight_of_a_warning_about_a_pod_that_is_well_or_not(event, well, unwell):
    assert judged(event).state is well
    assert judged(event, whole=UNWELL).state is unwell


@pytest.mark.parametrize(
    ("count", "first", "last", "state"),
    [
        (214, "09:51:00", "09:59:58", State.DEGRADED),
        (9, "09:51:00", "09:59:58", State.DEGRADED),
        (2, "09:51:00", "09:59:58", State.PASSED),
        (9, "09:48:30", "09:50:05", State.PASSED),
        (9, "09:50:10", "09:50:50", State.PASSED),
        (10, "09:48:30", "09:58:00", State.PASSED),
        (30, "09:48:30", "09:58:00", State.DEGRADED),
    ],
)
def test_a_readiness_probe_that_fails_once_its_pod_is_ready_is_no_noise_of_a_start(count, first, last, state):
    times = {"firstTimestamp": f"2026-11-20T{first}Z", "lastTimestamp": f"2026-11-20T{last}Z"}
    probed = build.containers(readinessProbe={"httpGet": {"path": "/ready", "port": 8000}, "periodSeconds": 10})
    whole = [*build.whole()[:2], build.pod(POD, spec={"containers": probed})]
    assert (
        judged(warned("Unhealthy", message="Readiness probe failed", count=count, **times), whole=whole).state is state
    )


def test_what_is_not_of_the_release_any_more_says_nothing():
    old = [build.replicaset("web-1", "1", replicas=0), build.pod("web-1-a", ("ReplicaSet", "uid-web-1"))]
    events = [warned("BackOff", "web-1-a"), warned("BackOff", "long-gone")]
    assert judged(*events, whole=[*build.whole(), *old]).state is State.PASSED


def test_a_namesake_is_told_apart_by_uid():
    event = merge(warned("BackOff"), {"involvedObject": {"uid": "uid-of-yesterday"}})
    assert judged(event, whole=UNWELL).state is State.PASSED


def test_a_pod_on_its_way_out_may_fail_its_probes():
    going = build.pod(metadata={"deletionTimestamp": build.NOW})
    whole = [*build.whole()[:2], going, *build.whole()[3:]]
    assert judged(warned("Unhealthy", message="Liveness probe failed", count=9), whole=whole).state is State.PASSED


@pytest.mark.parametrize(
    "times",
    [
        {"lastTimestamp": BEFORE},
        {"lastTimestamp": None, "eventTime": BEFORE},
        {"lastTimestamp": None, "firstTimestamp": BEFORE},
        {"lastTimestamp": None, "metadata": {"creationTimestamp": BEFORE}},
        {"lastTimestamp": DURING, "series": {"count": 4, "lastObservedTime": BEFORE}},
    ],
)
def test_warnings_before_the_rollout_are_not_the_releases(times):
    assert judged(warned("BackOff", **times), whole=UNWELL).seen == "no warning"


def test_a_series_counts_and_dates_a_warning_of_the_newer_api():
    series = {"series": {"count": 7, "lastObservedTime": DURING}}
    event = warned("BackOff", lastTimestamp=None, eventTime=BEFORE, count=None, **series)
    assert "BackOff x7" in judged(event, whole=UNWELL).seen


def test_warnings_that_say_the_same_are_one():
    events = [
        warned("BackOff", f"web-2-{each}", f"back-off 5m0s restarting web-7c9f8d6b5-x{number}2k9 at 10.8.{number}.1")
        for number, each in enumerate("abc")
    ]
    found = judged(*events)
    assert "BackOff x3 (Pod web-2-a and 2 more)" in found.seen
    assert "kubectl get events" in found.where


def test_the_worst_is_named_first_and_noise_is_counted():
    events = [warned("BackOff"), warned("Unhealthy", "web-2-b", "Readiness probe failed")]
    found = judged(*events, whole=UNWELL)
    assert found.seen.startswith("BackOff x1")
    assert "noise of a rollout (1 different warnings)" in found.seen
    assert found.cause


SUPPRESSED = {
    "event": "BackOff",
    "message": "happened",
    "owner": "platform",
    "reason": "OPS-1",
    "expires": "2026-12-31",
}


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, State.PASSED),
        ({"component": "web"}, State.PASSED),
        ({"message": "else"}, State.FAILED),
        ({"event": "Failed"}, State.FAILED),
        ({"expires": "2026-11-19"}, State.FAILED),
    ],
)
def test_what_somebody_accepted_is_left_out_and_said(changed, state):
    found = judged(warned("BackOff", count=4), whole=UNWELL, suppressions=[SUPPRESSED | changed])
    assert found.state is state
    assert ("4 suppressed: BackOff, accepted by platform until 2026-12-31" in found.seen) is (state is State.PASSED)


def test_what_is_older_than_events_are_kept_is_said_to_be_unknown():
    old = {"metadata": {"creationTimestamp": "2026-11-20T06:00:00Z"}}
    whole = [build.deployment(), merge(build.replicaset(), old), *build.whole()[2:]]
    found = judged(whole=whole)
    assert found.state is State.PASSED
    assert "of what came before 2026-11-20 09:00 nothing is known" in found.seen


def test_without_a_trace_of_a_rollout_all_that_is_kept_is_read():
    found = judged(warned("NobodyKnowsThis", lastTimestamp=BEFORE), whole=build.whole("StatefulSet"))
    assert "when the rollout began is not known" in found.seen


@pytest.mark.parametrize("resource", ["events", "pods", "jobs"])
def test_what_could_not_be_listed_leaves_it_unverified(resource):
    assert judged(gaps=(Gap(resource, "crm", "403 Forbidden"),)).state is State.UNVERIFIED
    assert judged(warned("BackOff"), whole=UNWELL, gaps=(Gap("events", "crm", "cut off"),)).state is State.FAILED


def job_pod(phase):
    return merge(build.pod("migrate-a", ("Job", "uid-migrate")), {"status": {"phase": phase}})


@pytest.mark.parametrize(("done", "state"), [(True, State.DEGRADED), (False, State.FAILED)])
def test_only_a_job_says_whether_its_pods_came_to_a_good_end(done, state):
    over = (build.component("Job", "migrate"),)
    whole = [build.job(done=done), job_pod("Failed")]
    assert judged(warned("BackOff", "migrate-a"), whole=whole, over=over).state is state


def test_a_run_of_a_cronjob_counts_while_it_is_of_the_release():
    over = (build.component("CronJob", "nightly", image=build.SCRIPT, schedule="0 2 * * *"),)
    failing = build.condition("Failed", reason="BackoffLimitExceeded")
    for image, state in ((build.SCRIPT, State.FAILED), (f"{build.SCRIPT}-old", State.PASSED)):
        run = build.job("nightly-1", f"{image}:{build.RELEASE}", status={"conditions": [failing]})
        run["metadata"] = build.meta("nightly-1", owner=("CronJob", "uid-nightly"))
        event = warned("BackoffLimitExceeded", "nightly-1", kind="Job")
        assert judged(event, whole=[build.cronjob(), run], over=over).state is state


def around(kind, name, **more):
    return {"kind": kind, "metadata": build.meta(name)} | more


@pytest.mark.parametrize(
    ("raw", "reason", "state"),
    [
        (around("PersistentVolumeClaim", "data", status={"phase": "Lost"}), "ProvisioningFailed", State.FAILED),
        (around("PersistentVolumeClaim", "data", status={"phase": "Bound"}), "ProvisioningFailed", State.PASSED),
        (around("Service", "web"), "FailedToUpdateEndpointSlices", State.PASSED),
        (around("Ingress", "web"), "BackOff", State.FAILED),
        (around("Gateway", "public"), "NobodyKnowsThis", State.DEGRADED),
        (around("HTTPRoute", "web"), "BackOff", State.FAILED),
    ],
)
def test_warnings_about_what_stands_around_the_pods(raw, reason, state):
    event = warned(reason, raw["metadata"]["name"], kind=raw["kind"])
    assert judged(event, whole=[*build.whole(), raw]).state is state


@pytest.mark.parametrize(("status", "state"), [("True", State.PASSED), ("False", State.FAILED)])
def test_a_metric_that_was_missing_counts_while_its_autoscaler_is_not_well(status, state):
    conditions = [build.condition("AbleToScale"), build.condition("ScalingActive", status, "FailedGetResourceMetric")]
    scaler = around("HorizontalPodAutoscaler", "web", status={"conditions": conditions})
    scaler["spec"] = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}
    event = warned("FailedGetResourceMetric", kind="HorizontalPodAutoscaler", about="web")
    event["involvedObject"]["uid"] = "uid-web"
    scaler["metadata"]["uid"] = "uid-web-hpa"
    event = merge(event, {"involvedObject": {"uid": "uid-web-hpa"}})
    over = (build.component(autoscaled=True),)
    assert judged(event, whole=[*build.whole(), scaler], over=over).state is state


def test_a_metric_may_be_missing_for_the_first_two_minutes():
    found = seen(warned("FailedGetResourceMetric", lastTimestamp="2026-11-20T09:51:30Z"))
    start = seen(build.pod()).metadata.creation_timestamp
    assert weigh(found, None, start) is Weight.BENIGN
    assert weigh(found, None, start - warning_rules.PATIENCE) is Weight.STARTING


def started(*raw, **more):
    return began(claims(*raw, **more).sight)


def test_the_rollout_began_with_the_first_revision_of_its_last_burst():
    made = {"web": "2026-11-20T09:50:00Z", "api": "2026-11-20T09:45:00Z", "admin": "2026-11-20T08:00:00Z"}
    raw, over = [], []
    for name, moment in made.items():
        over.append(build.component(name=name))
        raw.append(build.deployment(name))
        created = {"metadata": {"creationTimestamp": moment}}
        raw.append(merge(build.replicaset(f"{name}-2", owner=f"uid-{name}"), created))
    assert f"{started(*raw, over=tuple(over)):%H:%M}" == "09:45"


def made(name, at, tag=build.RELEASE, revision="2"):
    spec = {"template": build.template(f"{build.REPO}:{tag}")}
    created = {"metadata": {"creationTimestamp": f"2026-11-20T{at}:00Z"}}
    return merge(build.replicaset(f"{name}-{tag}-{at}", revision, f"uid-{name}", spec=spec), created)


WEB_AND_API = (build.component(), build.component(name="api"))
BOTH = [build.deployment(), build.deployment("api")]


def test_a_release_delivered_in_steps_began_with_the_first():
    steps = [*BOTH, made("web", "09:10"), made("api", "09:45")]
    assert f"{started(*steps, over=WEB_AND_API):%H:%M}" == "09:10"
    before = [made(name, "08:00", build.OLD, "1") for name in ("web", "api")]
    assert f"{started(*steps, *before, over=WEB_AND_API):%H:%M}" == "09:10"


def test_a_revision_served_since_it_replaced_another_release_counts_for_six_hours():
    steps = [made("web", "06:00"), made("api", "09:45")]
    before = [made(name, "05:00", build.OLD, "1") for name in ("web", "api")]
    assert f"{started(*BOTH, *steps, *before, over=WEB_AND_API):%H:%M}" == "06:00"
    long_ago = [made("web", "03:00"), made("api", "09:45"), made("web", "02:00", build.OLD, "1")]
    assert f"{started(*BOTH, *long_ago, over=WEB_AND_API):%H:%M}" == "09:45"
    renewed = made("api", "09:00", build.OLD, "1")
    assert f"{started(*BOTH, *steps, *before, renewed, over=WEB_AND_API):%H:%M}" == "06:00"


def test_a_job_that_was_run_again_does_not_move_the_beginning():
    over = (build.component(), build.component("Job", "migrate"))
    again = build.job("migrate-2", metadata={"creationTimestamp": "2026-11-20T09:45:00Z"})
    assert f"{started(build.deployment(), made('web', '09:10'), again, over=over):%H:%M}" == "09:10"


def test_what_came_before_another_release_or_long_before_the_rest_is_not_of_this_rollout():
    over = (build.component(), build.component("Job", "migrate"))
    first = build.job(metadata={"creationTimestamp": "2026-11-20T09:05:00Z"})
    now = [build.deployment(), made("web", "09:50"), first]
    assert f"{started(*now, made('web', '09:30', build.OLD, '1'), over=over):%H:%M}" == "09:50"
    prepared = merge(first, {"metadata": {"creationTimestamp": "2026-11-20T07:00:00Z"}})
    assert f"{started(*now[:2], prepared, made('web', '06:00', build.OLD, '1'), over=over):%H:%M}" == "09:50"


def test_a_migration_is_part_of_the_rollout_it_came_before():
    job = build.job(metadata={"creationTimestamp": "2026-11-20T09:47:00Z"})
    over = (build.component(), build.component("Job", "migrate"))
    assert f"{started(*build.whole(), job, over=over):%H:%M}" == "09:47"


def test_a_revision_of_another_release_is_no_trace_of_this_one():
    old = build.deployment(spec={"template": build.template(f"{build.REPO}:{build.OLD}")})
    assert started(old, build.replicaset()) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dial tcp 10.8.1.2:8000: refused", "dial tcp 10.9.22.3:8000: refused"),
        ("back-off 2m40s restarting", "back-off 5m0s restarting"),
        ('pod "web-7c9f8d6b5-x2k9p" failed', 'pod "web-7c9f8d6b5-ab3cd" failed'),
        ("volume pvc-0f8fad5b-d9cb-469f-a165-70867728950e", "volume pvc-7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        ("0/8 nodes are available", "0/9 nodes  are available"),
    ],
)
def test_messages_are_the_same_but_for_what_varies(one, other):
    assert normalised(one) == normalised(other)
    assert normalised(one) != normalised("something else")
