"""What was added to the pods is reported and never failed: debug containers, two versions of an injected proxy."""

from __future__ import annotations

from postdeploy.cluster.guest_claims import GuestClaims
from postdeploy.cluster.objects import Gap
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import EARLIER, RELEASE, component, ended, ran

PROXY = "mesh.example/proxyv2"
WEB = component()
DB = component("StatefulSet", "db", namespace="data")


def guests(*pods, gaps=(), parts=(WEB,)):
    seen = build.snapshot(build.deployment(), build.replicaset(), *pods, gaps=gaps)
    return GuestClaims(seen, build.environment(*parts), RELEASE)


def debugged(state=None, name="debug-1"):
    found = {"name": name, "state": state or {"running": {"startedAt": EARLIER}}}
    spec = {"ephemeralContainers": [{"name": name, "image": "netshoot:v1"}]}
    return build.pod(spec=spec, status={"ephemeralContainerStatuses": [found]})


def test_pods_without_debug_containers_pass():
    assert guests(build.pod()).debug(WEB).state is State.PASSED


def test_debug_container_degrades_with_its_image_and_pod():
    judgement = guests(debugged()).debug(WEB)
    assert judgement.state is State.DEGRADED
    assert "debug-1 (netshoot:v1) in pod web-2-a runs" in judgement.seen


def test_debug_container_that_ended_is_still_reported():
    assert "ended" in guests(debugged(ended(1))).debug(WEB).seen
    waiting = build.pod(spec={"ephemeralContainers": [{"name": "late"}]})
    assert "late (image unknown) in pod web-2-a has not started" in guests(waiting).debug(WEB).seen


def test_pods_that_could_not_be_read_leave_it_unverified():
    assert guests(gaps=(Gap("pods", "crm", "403"),)).debug(WEB).state is State.UNVERIFIED
    assert guests(gaps=(Gap("pods", "crm", "403"),)).proxies().state is State.UNVERIFIED


def injected(name, image, *, init=False, image_id=""):
    more = [{"name": "proxy", "image": image}]
    spec = {"initContainers": more} if init else {"containers": [*build.containers(), *more]}
    return build.pod(name, spec=spec, status={"containerStatuses": [ran(), ran("proxy", imageID=image_id)]})


def test_nothing_injected_is_not_applicable():
    assert guests(build.pod()).proxies().state is State.NOT_APPLICABLE


def test_one_version_passes_whether_it_is_a_sidecar_or_not():
    pods = injected("web-2-a", f"{PROXY}:1.27"), injected("web-2-b", f"{PROXY}:1.27", init=True)
    assert guests(*pods).proxies().state is State.PASSED


def test_two_versions_in_one_namespace_are_a_skew_and_no_failure():
    judgement = guests(injected("web-2-a", f"{PROXY}:1.27"), injected("web-2-b", f"{PROXY}:1.28")).proxies()
    assert judgement.state is State.DEGRADED
    assert "proxy version skew" in judgement.seen
    assert "web-2-b/proxy" in judgement.where


def test_two_proxies_of_different_make_are_no_skew():
    assert guests(injected("web-2-a", f"{PROXY}:1.27"), injected("web-2-b", "vault.example/agent:2")).proxies().holds


def test_versions_may_differ_between_namespaces():
    member = build.member(0, metadata={"namespace": "data"})
    member["spec"]["containers"] = [*build.containers(), {"name": "proxy", "image": f"{PROXY}:1.28"}]
    owner = build.statefulset(metadata={"namespace": "data"})
    judgement = guests(injected("web-2-a", f"{PROXY}:1.27"), owner, member, parts=(WEB, DB)).proxies()
    assert judgement.state is State.PASSED
    assert "2" in judgement.seen


def test_untagged_proxies_are_told_apart_by_what_runs():
    one, other = (f"{PROXY}@sha256:{letter * 64}" for letter in "ab")
    same = [injected("web-2-a", PROXY, image_id=one), injected("web-2-b", PROXY, image_id=one)]
    assert guests(*same).proxies().state is State.PASSED
    skewed = [injected("web-2-a", PROXY, image_id=one), injected("web-2-b", PROXY, image_id=other)]
    assert guests(*skewed).proxies().state is State.DEGRADED
