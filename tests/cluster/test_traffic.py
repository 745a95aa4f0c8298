"""Traffic: who is behind a Service by uid, what keeps it up, and what leads to it from outside."""

from __future__ import annotations

import pytest

from postdeploy.cluster.objects import Gap
from postdeploy.cluster.sight import Sight
from postdeploy.cluster.surround_claims import autoscaler_of
from postdeploy.cluster.traffic import TrafficClaims
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import condition, merge, meta

NEG = "cloud.google.com/load-balancer-neg-ready"
WEB = build.component(service="web", autoscaled=True, public="ingress")
ROUTED = build.component(service="web", public="gateway")


def traffic(*raw, over=WEB, gaps=(), **more):
    return TrafficClaims(build.snapshot(*raw, gaps=gaps), build.environment(over, **more), build.RELEASE)


def service(name="web", **more):
    spec = {"type": "ClusterIP", "clusterIP": "10.96.0.7", "selector": {"app": "web"}}
    spec["ports"] = [{"name": "http", "port": 8000}]
    return merge({"kind": "Service", "metadata": meta(name), "spec": spec, "status": {"loadBalancer": {}}}, more)


def address(uid="uid-web-2-a", **conditions):
    reference = {"kind": "Pod", "namespace": "crm", "name": uid.removeprefix("uid-"), "uid": uid}
    return {"addresses": [f"10.8.0.{len(uid)}"], "conditions": conditions, "targetRef": reference}


def slices(*found, name="web-x", of="web"):
    labels = {"kubernetes.io/service-name": of}
    ports = [{"name": "http", "port": 8000, "protocol": "TCP"}]
    return {"kind": "EndpointSlice", "metadata": meta(name, labels=labels), "endpoints": list(found), "ports": ports}


ALL = slices(*(address(f"uid-web-2-{each}") for each in "abc"))
WHOLE = build.whole()
OLD_SET = build.replicaset("web-1", "1", replicas=0)
OLD_POD = build.pod("web-1-a", ("ReplicaSet", "uid-web-1"))


def endpoints(*raw, over=WEB, **more):
    return traffic(*raw, over=over, **more).endpoints(over)


@pytest.mark.parametrize(
    ("raw", "state", "told"),
    [
        ([service(), ALL], State.PASSED, "3 pods of the current revision"),
        ([service()], State.FAILED, "no endpoint at all (selector app=web)"),
        ([service(), slices()], State.FAILED, "no endpoint at all"),
        ([ALL], State.FAILED, "no Service web"),
        ([service(metadata={"deletionTimestamp": build.NOW}), ALL], State.FAILED, "being deleted"),
        ([service(spec={"type": "ExternalName", "selector": None})], State.PASSED, "alias"),
        ([service(spec={"type": "LoadBalancer"}), ALL], State.PENDING, "no address yet"),
        ([service(spec={"clusterIP": "None"}), ALL], State.PASSED, "3 pods"),
        ([service(spec={"selector": None}), slices({"addresses": ["10.1.1.1"]})], State.NOT_APPLICABLE, "elsewhere"),
        ([service(), slices({"addresses": ["10.1.1.1"]})], State.UNVERIFIED, "name no pod"),
        ([service(), slices(address("uid-gone"))], State.PENDING, "do not exist"),
        ([service(), slices(address(ready=False))], State.PENDING, "none of 1 endpoints is ready"),
        ([service(), slices(address())], State.DEGRADED, "2 ready pods of the current revision get no traffic"),
        (
            [service(), slices(address(ready=True, serving=True, terminating=True))],
            State.FAILED,
            "1 of 1 ready endpoints are terminating",
        ),
    ],
)
def test_endpoints_by_what_the_service_and_its_slices_say(raw, state, told):
    found = endpoints(*WHOLE, *raw)
    assert found.state is state
    assert told in found.seen


@pytest.mark.parametrize("conditions", [{}, {"ready": None, "serving": None, "terminating": None}])
def test_absent_conditions_of_an_endpoint_mean_ready_and_staying(conditions):
    found = slices(*(address(f"uid-web-2-{each}", **conditions) for each in "abc"))
    assert endpoints(*WHOLE, service(), found).state is State.PASSED


def test_a_pod_in_two_slices_counts_once():
    again = slices(address(), address("uid-web-2-b", ready=False), name="web-y")
    assert "3 pods" in endpoints(*WHOLE, service(), ALL, again).seen


def test_slices_of_another_service_or_namespace_are_not_its_own():
    foreign = merge(slices(address("uid-other"), name="z"), {"metadata": {"namespace": "crm-data"}})
    assert endpoints(*WHOLE, service(), ALL, slices(address("uid-x"), of="api"), foreign).state is State.PASSED


def test_traffic_to_old_pods_is_pending_while_they_are_rolled_away():
    found = endpoints(*WHOLE, OLD_SET, OLD_POD, service(), slices(address(), address("uid-web-1-a")))
    assert found.state is State.PENDING
    assert "old revision: web-1-a" in found.seen


def test_traffic_to_somebody_elses_pods_is_a_failure():
    other = build.pod("blue-1", ("ReplicaSet", "uid-blue"), metadata={"labels": {"app": "blue"}})
    blue = build.replicaset("blue", owner="uid-blue-deployment")
    found = endpoints(*WHOLE, blue, other, service(), slices(address("uid-blue-1")))
    assert found.state is State.FAILED
    assert "not of this component: blue-1" in found.seen
    assert found.cause


@pytest.mark.parametrize("owner", [None, ("ReplicaSet", "uid-deleted")])
def test_pods_that_nobody_owns_are_found_by_the_selector_alone(owner):
    found = endpoints(*WHOLE, build.pod("web-0-z", owner), service(), ALL)
    assert found.state is State.FAILED
    assert "nobody owns: web-0-z" in found.seen


def test_an_unready_pod_takes_traffic_only_where_that_is_asked_for():
    unready = [build.deployment(), build.replicaset(), build.unready(build.ran(ready=False)), *WHOLE[3:]]
    assert endpoints(*unready, service(), ALL).state is State.PENDING
    asked = service(spec={"publishNotReadyAddresses": True})
    assert endpoints(*unready, asked, ALL).state is State.PASSED


@pytest.mark.parametrize(("status", "state"), [("True", State.PASSED), ("False", State.PENDING), (None, State.PENDING)])
def test_the_load_balancer_must_see_pods_that_wait_for_it(status, state):
    gate = {"spec": {"readinessGates": [{"conditionType": NEG}]}}
    said = [condition("Ready"), *([condition(NEG, status)] if status else [])]
    pods = [merge(build.pod(f"web-2-{each}"), gate | {"status": {"conditions": said}}) for each in "abc"]
    found = endpoints(build.deployment(), build.replicaset(), *pods, service(), ALL)
    assert found.state is state
    assert NEG in found.seen


def test_nobody_takes_traffic_of_what_may_be_scaled_to_zero():
    idle = build.deployment(spec={"replicas": 0}, status={"replicas": None, "updatedReplicas": None})
    over = build.component(service="web", replicas=0, may_be_zero=True)
    assert endpoints(idle, build.replicaset(replicas=0), service(), over=over).state is State.PASSED


IDLE = build.deployment(spec={"replicas": 0}, status={"replicas": None, "updatedReplicas": None})


@pytest.mark.parametrize(
    ("raw", "state", "told"),
    [
        ([], State.PASSED, "scaled to zero"),
        ([slices()], State.PASSED, "scaled to zero"),
        ([slices(address("uid-blue-1", ready=False))], State.PASSED, "scaled to zero"),
        ([slices(address("uid-blue-1"))], State.FAILED, "not of this component: blue-1"),
        ([build.pod("web-0-z", None), slices(address("uid-web-0-z"))], State.FAILED, "nobody owns: web-0-z"),
        ([slices(address("uid-gone"))], State.PENDING, "do not exist"),
    ],
)
def test_what_is_scaled_to_zero_leaves_its_traffic_to_nobody_else(raw, state, told):
    over = build.component(service="web", replicas=0, may_be_zero=True)
    blue = [build.replicaset("blue", owner="uid-b"), build.pod("blue-1", ("ReplicaSet", "uid-blue"))]
    found = endpoints(IDLE, build.replicaset(replicas=0), *blue, service(), *raw, over=over)
    assert found.state is state
    assert told in found.seen


def test_a_service_without_a_selector_is_not_judged_by_what_is_idle():
    over = build.component(service="web", replicas=0, may_be_zero=True)
    alias = service(spec={"selector": None})
    found = endpoints(IDLE, build.replicaset(replicas=0), alias, slices({"addresses": ["10.1.1.1"]}), over=over)
    assert found.state is State.NOT_APPLICABLE


TWO_PORTS = service(spec={"ports": [{"name": "http", "port": 8000}, {"name": "grpc", "port": 9000}]})
UNNAMED = service(spec={"ports": [{"port": 8000}]})
PORTLESS = service(spec={"clusterIP": "None", "ports": None})


def on(*ports, found=ALL, name="web-x"):
    return merge(found, {"ports": list(ports), "metadata": {"name": name}})


HTTP, GRPC = {"name": "http", "port": 8000}, {"name": "grpc", "port": 9000}


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ([service(), on()], State.FAILED),
        ([service(), ALL | {"ports": None}], State.FAILED),
        ([service(), on({"name": "http", "port": None})], State.FAILED),
        ([service(), on(GRPC)], State.FAILED),
        ([TWO_PORTS, on(GRPC)], State.FAILED),
        ([TWO_PORTS, on(GRPC), on(HTTP, found=slices(address(ready=False)), name="web-y")], State.FAILED),
        ([TWO_PORTS, on(HTTP, GRPC)], State.PASSED),
        ([TWO_PORTS, on(GRPC), on(HTTP, found=slices(address()), name="web-y")], State.PASSED),
        ([UNNAMED, on({"port": 8080})], State.PASSED),
        ([UNNAMED, on({"name": "", "port": 8080})], State.PASSED),
        ([UNNAMED, on({"name": None, "port": 8080})], State.PASSED),
        ([UNNAMED, on(HTTP)], State.FAILED),
        ([PORTLESS, ALL | {"ports": None}], State.PASSED),
        ([service(spec={"clusterIP": "None"}), on()], State.DEGRADED),
        ([service(spec={"selector": None}), on({"name": "http", "port": 1})], State.PASSED),
        ([service(), on(found=slices(address(ready=False)))], State.PENDING),
        ([service(), {key: value for key, value in ALL.items() if key != "ports"}], State.PASSED),
    ],
)
def test_every_port_of_the_service_is_one_that_a_ready_endpoint_takes(raw, state):
    found = endpoints(*WHOLE, *raw)
    assert found.state is state
    if state in (State.FAILED, State.DEGRADED):
        assert "no ready endpoint takes traffic on port" in found.seen


def test_a_port_that_comes_with_the_new_pods_may_be_missing_while_they_come():
    rolling = build.deployment(status={"updatedReplicas": 1})
    found = endpoints(rolling, *WHOLE[1:], OLD_SET, OLD_POD, TWO_PORTS, on(HTTP))
    assert found.state is State.PENDING
    assert "port grpc" in found.seen


def told_to_go(at, grace=30):
    """A pod of the current revision that was told to go at a time, by when its time to go ends."""
    ends = {"deletionTimestamp": at, "deletionGracePeriodSeconds": grace}
    return merge(build.pod("web-2-d"), {"metadata": ends})


@pytest.mark.parametrize(
    ("pod", "conditions", "state"),
    [
        (told_to_go("2026-11-20T10:00:27Z"), {}, State.PENDING),
        (told_to_go("2026-11-20T09:59:52Z", 0), {}, State.PENDING),
        (told_to_go("2026-11-20T10:00:15Z"), {}, State.FAILED),
        (told_to_go("2026-11-20T09:59:30Z", 0), {}, State.FAILED),
        (told_to_go("2026-11-20T10:00:29Z"), {"ready": True, "terminating": True}, State.FAILED),
        (told_to_go("2026-11-20T10:00:15Z"), {"ready": False, "serving": True, "terminating": True}, State.PASSED),
    ],
)
def test_an_endpoint_may_be_a_blink_older_than_its_pod(pod, conditions, state):
    four = [*ALL["endpoints"], address("uid-web-2-d", **conditions)]
    assert endpoints(*WHOLE, pod, service(), slices(*four)).state is state


@pytest.mark.parametrize("resource", ["endpointslices", "services", "pods", "replicasets", "deployments"])
def test_endpoints_that_could_not_be_compared_are_unverified(resource):
    raw = [each for each in WHOLE if each["kind"] not in ("ReplicaSet", "Pod")]
    found = endpoints(*raw, service(), ALL, gaps=(Gap(resource, "crm", "403 Forbidden"),))
    assert found.state is State.UNVERIFIED
    assert resource in found.seen


def hpa(*conditions, **more):
    target = {"kind": "Deployment", "name": "web"}
    active = [] if any(each["type"] == "ScalingActive" for each in conditions) else [condition("ScalingActive")]
    said = [condition("AbleToScale"), *active, *conditions]
    status = {"currentReplicas": 3, "desiredReplicas": 3, "conditions": said}
    base = {"kind": "HorizontalPodAutoscaler", "metadata": meta("web-hpa"), "spec": {"scaleTargetRef": target}}
    return merge(base | {"status": status}, more)


SINCE = "2026-11-20T09:58:40Z"
NO_METRIC = condition("ScalingActive", "False", "FailedGetResourceMetric", since=SINCE)


def autoscaler(*raw, **more):
    return traffic(*raw, **more).autoscaler(WEB)


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (hpa(), State.PASSED),
        (hpa(NO_METRIC), State.FAILED),
        (hpa(condition("ScalingLimited", "True", "TooManyReplicas")), State.DEGRADED),
        (hpa(status={"conditions": [condition("AbleToScale", "False", "FailedGetScale")]}), State.FAILED),
        (hpa(spec={"scaleTargetRef": {"name": "web-v1"}}), State.FAILED),
        (hpa(metadata={"namespace": "crm-data"}), State.FAILED),
        (hpa(status={"desiredReplicas": 5}), State.DEGRADED),
        (hpa(status={"desiredReplicas": 5, "lastScaleTime": "2026-11-20T09:58:00Z"}), State.PASSED),
    ],
)
def test_autoscaler_of_the_component(raw, state):
    assert autoscaler(*WHOLE, raw).state is state


@pytest.mark.parametrize(
    ("progressive", "target", "is_found"),
    [
        ("rollout", {"kind": "Rollout", "name": "web"}, True),
        ("rollout", {"kind": "Deployment", "name": "web"}, False),
        ("canary", {"kind": "Deployment", "name": "web-primary"}, True),
        ("canary", {"kind": "Deployment", "name": "web"}, False),
    ],
)
def test_autoscaler_of_what_is_delivered_progressively_scales_what_carries_the_traffic(progressive, target, is_found):
    part = build.component(progressive=progressive, autoscaled=True)
    sight = Sight.of(build.snapshot(hpa(spec={"scaleTargetRef": target})), build.environment(part), build.RELEASE)
    assert (autoscaler_of(sight, part) is not None) is is_found


@pytest.mark.parametrize(("born", "state"), [("2026-11-20T09:58:30Z", State.PASSED), (build.EARLIER, State.FAILED)])
def test_new_pods_are_not_measured_for_two_minutes(born, state):
    pods = [merge(each, {"metadata": {"creationTimestamp": born}}) for each in WHOLE[2:]]
    assert autoscaler(*WHOLE[:2], *pods, hpa(NO_METRIC)).state is state


@pytest.mark.parametrize(
    ("reason", "since", "state"),
    [
        ("FailedGetPodsMetric", SINCE, State.PASSED),
        ("FailedGetContainerResourceMetric", SINCE, State.PASSED),
        ("FailedGetExternalMetric", SINCE, State.FAILED),
        ("FailedGetObjectMetric", SINCE, State.FAILED),
        ("FailedGetResourceMetric", build.LONG_AGO, State.FAILED),
    ],
)
def test_new_pods_excuse_only_what_they_can_cause(reason, since, state):
    born = {"metadata": {"creationTimestamp": "2026-11-20T09:58:40Z"}}
    raw = hpa(condition("ScalingActive", "False", reason, since=since))
    assert autoscaler(*WHOLE[:2], *(merge(each, born) for each in WHOLE[2:]), raw).state is state


@pytest.mark.parametrize(("made", "state"), [(build.EARLIER, State.PENDING), (SINCE, State.PASSED)])
def test_only_an_autoscaler_that_was_just_made_may_say_nothing(made, state):
    raw = hpa(metadata={"creationTimestamp": made}, status={"conditions": [condition("AbleToScale")]})
    assert autoscaler(*WHOLE, raw).state is state


def test_autoscalers_that_could_not_be_listed_are_unverified():
    gap = Gap("horizontalpodautoscalers", "crm", "403 Forbidden")
    assert autoscaler(*WHOLE, gaps=(gap,)).state is State.UNVERIFIED


def pdb(*conditions, name="web", **status):
    counts = {"observedGeneration": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3}
    counts |= {"disruptionsAllowed": 1, "conditions": list(conditions)}
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    base = {"kind": "PodDisruptionBudget", "metadata": meta(name, generation=1), "spec": spec, "status": counts}
    return merge(base, {"status": status})


INSUFFICIENT = condition("DisruptionAllowed", "False", "InsufficientPods")
EMPTY = dict.fromkeys(("expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed"), 0)


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ([pdb()], State.PASSED),
        ([], State.NOT_APPLICABLE),
        ([pdb(), pdb(condition("DisruptionAllowed", "False", "SyncFailed"), name="b")], State.FAILED),
        ([pdb(expectedPods=0, currentHealthy=0)], State.FAILED),
        ([pdb(INSUFFICIENT, **EMPTY)], State.FAILED),
        ([build.deployment(), pdb(INSUFFICIENT, **EMPTY)], State.FAILED),
        ([build.deployment(spec={"replicas": 0}), pdb(expectedPods=0, currentHealthy=0)], State.PASSED),
        ([build.deployment(spec={"replicas": 0}), pdb(INSUFFICIENT, **EMPTY)], State.PASSED),
        ([pdb(disruptionsAllowed=0, desiredHealthy=3)], State.DEGRADED),
        ([pdb(INSUFFICIENT, currentHealthy=2, disruptionsAllowed=0)], State.PASSED),
        ([pdb(INSUFFICIENT, currentHealthy=1, disruptionsAllowed=0)], State.PASSED),
        ([pdb(observedGeneration=0)], State.PENDING),
    ],
)
def test_disruption_budgets(raw, state):
    assert traffic(*raw).disruption().state is state


def test_the_gravest_budget_is_named_with_those_like_it():
    found = traffic(*(pdb(name=each, expectedPods=0, currentHealthy=0) for each in "dcba"), pdb(name="fine"))
    assert found.disruption().seen.startswith("crm/a: its selector matches no pod")
    assert "and 1 more" in found.disruption().seen
    assert "fine" not in found.disruption().seen


@pytest.mark.parametrize("resource", ["poddisruptionbudgets", "persistentvolumeclaims"])
def test_an_empty_list_that_could_not_be_read_is_unverified(resource):
    claims = traffic(gaps=(Gap(resource, "crm", "403 Forbidden"),))
    found = claims.disruption() if resource == "poddisruptionbudgets" else claims.volumes()
    assert found.state is State.UNVERIFIED


def pvc(phase="Bound", name="data-db-0", **more):
    base = {"kind": "PersistentVolumeClaim", "metadata": meta(name), "spec": {"storageClassName": "fast"}}
    return merge(base | {"status": {"phase": phase}}, more)


def storage(mode="WaitForFirstConsumer"):
    return {"kind": "StorageClass", "metadata": {"name": "fast"}, "volumeBindingMode": mode}


USER = build.pod("db-0", spec={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]})


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ([pvc()], State.PASSED),
        ([], State.NOT_APPLICABLE),
        ([pvc(), pvc("Lost", name="b")], State.FAILED),
        ([pvc("Pending"), storage()], State.PASSED),
        ([pvc("Pending"), storage(), USER], State.PENDING),
        ([pvc("Pending"), storage("Immediate")], State.PENDING),
        ([pvc("Pending")], State.PENDING),
        ([pvc(status={"conditions": [condition("FileSystemResizePending")]})], State.DEGRADED),
        ([pvc(metadata={"deletionTimestamp": build.NOW})], State.FAILED),
    ],
)
def test_volume_claims(raw, state):
    assert traffic(*raw).volumes().state is state


def test_a_class_that_could_not_be_read_leaves_a_pending_claim_unverified():
    gap = Gap("storageclasses", "", "403 Forbidden")
    assert traffic(pvc("Pending"), gaps=(gap,)).volumes().state is State.UNVERIFIED


def ingress(*paths, name="web", **more):
    rules = [{"host": "a.example", "http": {"paths": list(paths or [path()])}}]
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}
    return merge({"kind": "Ingress", "metadata": meta(name), "spec": {"rules": rules}, "status": status}, more)


def path(name="web", at="/", number=8000, name_of_port=""):
    port = {"name": name_of_port} if name_of_port else {"number": number}
    return {"path": at, "backend": {"service": {"name": name, "port": port}}}


BUCKET = {"path": "/static", "backend": {"resource": {"kind": "Bucket", "name": "x"}}}


@pytest.mark.parametrize(
    ("raw", "state", "told"),
    [
        ([ingress()], State.PASSED, "at 203.0.113.9"),
        ([ingress(path(name_of_port="http"), BUCKET)], State.PASSED, ""),
        ([ingress(spec={"rules": None, "defaultBackend": path()["backend"]})], State.PASSED, ""),
        ([ingress(status={"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}})], State.PASSED, "lb.example"),
        ([], State.FAILED, "no Ingress of namespace crm leads to Service web"),
        ([ingress(path("api"))], State.FAILED, "no Ingress"),
        ([ingress(metadata={"namespace": "x"})], State.FAILED, "no Ingress"),
        ([ingress(path(), path("gone", "/r"))], State.FAILED, "a.example/r to Service gone, which does not exist"),
        ([ingress(path(number=80))], State.FAILED, "to port 80 of Service web"),
        ([ingress(path(name_of_port="web"))], State.FAILED, "to port web of Service web"),
        ([ingress(status={"loadBalancer": {"ingress": None}})], State.PENDING, "no address"),
        ([ingress(metadata={"deletionTimestamp": build.NOW})], State.FAILED, "being deleted"),
        ([ingress(), ingress(name="b", status={"loadBalancer": {"ingress": None}})], State.PENDING, "no address"),
    ],
)
def test_ingress_to_the_service(raw, state, told):
    found = traffic(*WHOLE, service(), *raw).entry(WEB)
    assert found.state is state
    assert told in found.seen


def said(*conditions, generation=2):
    return [condition(each) | {"observedGeneration": generation} for each in conditions]


def gateway(**more):
    listeners = [{"name": "https", "conditions": said("Programmed")}]
    status = {"addresses": [{"value": "203.0.113.1"}], "listeners": listeners}
    status["conditions"] = said("Accepted", "Programmed")
    return merge({"kind": "Gateway", "metadata": meta("public", generation=2), "status": status}, more)


def route(*conditions, **more):
    parent = {"name": "public"}
    parents = [{"parentRef": parent, "conditions": list(conditions) or said("Accepted", "ResolvedRefs")}]
    spec = {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "web", "port": 8000}]}]}
    base = {"kind": "HTTPRoute", "metadata": meta("web", generation=2), "spec": spec}
    return merge(base | {"status": {"parents": parents}}, more)


def elsewhere():
    """A route on a Gateway of a namespace that is not looked at."""
    parent = {"name": "public", "namespace": "gateways"}
    answered = {"parentRef": parent, "conditions": said("Accepted", "ResolvedRefs")}
    return route(spec={"parentRefs": [parent]}, status={"parents": [answered]})


def between(*backends):
    return route(spec={"rules": [{"backendRefs": [{"port": 8000} | each for each in backends]}]})


def on_gateways(wanted, *answers):
    """A route that hangs on these Gateways, and what each of some Gateways says of it."""
    parents = [{"parentRef": parent, "conditions": conditions} for parent, *conditions in answers]
    return route(spec={"parentRefs": wanted}, status={"parents": parents})


REFUSED = condition("ResolvedRefs", "False", "RefNotPermitted")
PUBLIC, INTERNAL, OLD_WAY = {"name": "public"}, {"name": "internal"}, {"name": "old"}
WELL = said("Accepted", "ResolvedRefs")
NO_PARENT = condition("Accepted", "False", "NoMatchingParent") | {"observedGeneration": 1}
SECTION = PUBLIC | {"sectionName": "https"}


@pytest.mark.parametrize(
    ("raw", "state", "told"),
    [
        (between({"name": "web-old", "weight": 100}, {"name": "web", "weight": 0}), State.FAILED, "web-old gets it"),
        (between({"name": "web", "weight": 0}), State.FAILED, "nobody gets it"),
        (between({"name": "web-old", "weight": 10}, {"name": "web", "weight": 90}), State.PASSED, "accepted"),
        (between({"name": "web-old", "weight": 0}, {"name": "web"}), State.PASSED, "accepted"),
        (on_gateways([INTERNAL, PUBLIC], (INTERNAL, *WELL)), State.PENDING, "of Gateway public"),
        (on_gateways([INTERNAL, PUBLIC], (INTERNAL, *WELL), (PUBLIC, *WELL)), State.PASSED, "internal, public"),
        (on_gateways([PUBLIC], (PUBLIC, *WELL), (OLD_WAY, NO_PARENT)), State.PASSED, "accepted by public"),
        (on_gateways([PUBLIC], (OLD_WAY, *WELL)), State.PENDING, "of Gateway public"),
        (on_gateways([PUBLIC], (PUBLIC | {"namespace": "crm"}, *WELL)), State.PASSED, "accepted"),
        (on_gateways([SECTION], (PUBLIC, *WELL)), State.PASSED, "accepted"),
        (on_gateways([PUBLIC], (SECTION, *WELL)), State.PASSED, "accepted"),
        (on_gateways([SECTION], (PUBLIC | {"sectionName": "http"}, *WELL)), State.PENDING, "of Gateway public"),
        (on_gateways([], (PUBLIC, *WELL)), State.PENDING, "none is named"),
        (on_gateways([PUBLIC | {"kind": "Gateway"}, OLD_WAY], (PUBLIC, *WELL)), State.FAILED, "no Gateway old"),
        (
            on_gateways([PUBLIC, {"kind": "Service", "name": "x"}], (PUBLIC, *WELL), ({"name": "x"}, *WELL)),
            State.PASSED,
            "",
        ),
    ],
)
def test_a_route_leads_there_with_its_traffic_from_every_gateway_it_hangs_on(raw, state, told):
    around = [service(), service("web-old"), gateway(), gateway(metadata={"name": "internal"})]
    found = traffic(*WHOLE, *around, raw, over=ROUTED).entry(ROUTED)
    assert found.state is state
    assert told in found.seen


@pytest.mark.parametrize(
    ("listeners", "state"),
    [
        ([], State.PENDING),
        ([{"name": "https", "conditions": []}], State.PENDING),
        ([{"name": "https", "conditions": [condition("Accepted"), condition("Programmed", "Unknown")]}], State.PENDING),
        ([{"name": "https", "conditions": [condition("Accepted", "Unknown"), REFUSED]}], State.FAILED),
        ([{"name": "https", "conditions": [condition("Conflicted"), condition("Accepted")]}], State.FAILED),
        ([{"name": "https", "conditions": [condition("Conflicted", "False"), condition("Accepted")]}], State.PASSED),
    ],
)
def test_every_listener_is_said_to_be_well(listeners, state):
    found = gateway(status={"listeners": listeners})
    assert traffic(*WHOLE, service(), route(), found, over=ROUTED).entry(ROUTED).state is state


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ([route(), gateway()], State.PASSED),
        ([route()], State.FAILED),
        ([elsewhere()], State.PASSED),
        ([], State.FAILED),
        ([gateway()], State.FAILED),
        ([route(*said("Accepted"), REFUSED)], State.FAILED),
        ([route(*said("Accepted")), gateway()], State.PENDING),
        ([route(*said("Accepted", "ResolvedRefs", generation=1)), gateway()], State.PENDING),
        ([route(status={"parents": []}), gateway()], State.PENDING),
        ([route(spec={"rules": [{"backendRefs": [{"name": "web", "port": 80}]}]})], State.FAILED),
        ([route(spec={"rules": [{"backendRefs": [{"name": "web"}, {"name": "gone"}]}]})], State.FAILED),
        (
            [route(spec={"rules": [{"backendRefs": [{"name": "web"}, {"name": "x", "namespace": "y"}]}]}), gateway()],
            State.PASSED,
        ),
        ([route(), gateway(status={"conditions": said("Accepted")})], State.PENDING),
        ([route(), gateway(status={"conditions": [condition("Accepted", "False", "Invalid")]})], State.FAILED),
        ([route(), gateway(status={"conditions": [condition("Accepted", "Unknown")]})], State.PENDING),
        ([route(), gateway(status={"addresses": None})], State.PENDING),
        ([route(), gateway(metadata={"deletionTimestamp": build.NOW})], State.FAILED),
        ([route(metadata={"deletionTimestamp": build.NOW})], State.FAILED),
        (
            [
                route(),
                gateway(status={"listeners": [{"name": "tls", "conditions": [condition("Programmed", "False")]}]}),
            ],
            State.FAILED,
        ),
    ],
)
def test_route_through_a_gateway(raw, state):
    assert traffic(*WHOLE, service(), *raw, over=ROUTED).entry(ROUTED).state is state


@pytest.mark.parametrize(("over", "resource"), [(WEB, "ingresses"), (ROUTED, "httproutes"), (ROUTED, "gateways")])
def test_a_way_in_that_could_not_be_read_is_unverified(over, resource):
    gap = Gap(resource, "crm", "not served by this cluster")
    assert traffic(*WHOLE, service(), over=over, gaps=(gap,)).entry(over).state is State.UNVERIFIED
