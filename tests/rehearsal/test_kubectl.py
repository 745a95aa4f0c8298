"""The stand-in is a Kubernetes API to the real kubectl."""

from __future__ import annotations

import re

import pytest

from rehearsal.motion import begin
from rehearsal.world import World
from tests.standin import standin

WEB = "app.kubernetes.io/name=crm-web"


@pytest.fixture(scope="module")
def web_pod(kubectl):
    return kubectl(
        "get", "pods", "-n", "crm", "-l", WEB, "--field-selector=status.phase=Running", "-o", "name"
    ).split()[0]


def test_wide_columns_come_from_the_server(kubectl):
    head, *rows = kubectl("get", "deployments", "-n", "crm", "-o", "wide").splitlines()
    assert head.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert any(re.match(r"crm-web\s+8/8\s+8\s+8\s", row) for row in rows)


def test_narrow_columns_leave_the_wide_ones_out(kubectl):
    assert kubectl("get", "pods", "-n", "crm").splitlines()[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]


def test_all_namespaces_are_named_in_their_own_column(kubectl):
    head, *rows = kubectl("get", "pods", "-A", "-o", "wide").splitlines()
    assert head.startswith("NAMESPACE")
    assert {row.split()[0] for row in rows} == {"crm", "crm-data", "flux-system", "observability"}


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("hpa", r"crm-web\s+Deployment/crm-web\s+cpu: 38%/70%\s+8\s+24\s+8\s"),
        ("pdb", r"crm-web\s+N/A\s+1\s+1\s"),
        ("ing", r"crm-web\s+gce\s+[a-z.,-]+example \+ 9 more\.\.\.\s+203\.0\.113\.\d+\s+80\s"),
        ("gateways", r"public\s+gke-l7-global-external-managed\s+203\.0\.113\.\d+\s+True\s"),
        ("httproutes", r"crm-api\s+\[\"?api\.uk\.northgate\.example"),
        ("endpointslices", r"crm-web-\w+\s+IPv4\s+8000\s+10\.[\d.,]+ \+ 5 more\.\.\.\s"),
    ],
)
def test_what_stands_around_the_pods_has_its_columns(kubectl, kind, row):
    assert re.search(row, kubectl("get", kind, "-n", "crm"), re.MULTILINE)


def test_volume_claims_and_their_classes_have_their_columns(kubectl):
    assert re.search(
        r"data-redis-0\s+Bound\s+pvc-\S+\s+20Gi\s+RWO\s+premium-rwo", kubectl("get", "pvc", "-n", "crm-data")
    )
    assert re.search(r"standard-rwo\s+pd.csi.storage.gke.io\s+Retain\s+WaitForFirstConsumer", kubectl("get", "sc"))


def test_one_object_as_yaml(kubectl):
    assert "kind: Deployment" in kubectl("get", "deploy/crm-web", "-n", "crm", "-o", "yaml")


def test_everyday_kinds_come_with_get_all(kubectl):
    kinds = {line.split("/")[0] for line in kubectl("get", "all", "-n", "crm", "-o", "name").splitlines()}
    assert {"pod", "deployment.apps", "replicaset.apps", "job.batch", "cronjob.batch", "service"} <= kinds


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        (WEB, 8),
        ("app.kubernetes.io/name in (crm-web,crm-api)", 14),
        (f"{WEB},pod-template-hash", 8),
        (f"{WEB},!pod-template-hash", 0),
        (f"{WEB},app.kubernetes.io/instance notin (crm)", 0),
    ],
)
def test_label_selectors_select(kubectl, selector, wanted):
    running = "--field-selector=status.phase=Running"
    assert len(kubectl("get", "pods", "-n", "crm", "-l", selector, running, "-o", "name").split()) == wanted


def test_field_selectors_select(kubectl):
    everything = kubectl.json("get", "pods", "-A")["items"]
    node = everything[0]["spec"]["nodeName"]
    found = kubectl.json("get", "pods", "-A", "--field-selector", f"spec.nodeName={node}")["items"]
    assert [each["metadata"]["uid"] for each in found] == [
        each["metadata"]["uid"] for each in everything if each["spec"]["nodeName"] == node
    ]


def test_an_unknown_field_is_refused(kubectl):
    assert (
        'field label not supported: "spec.colour"'
        in kubectl.run("get", "pods", "--field-selector", "spec.colour=x").stderr
    )


def test_pages_add_up_to_the_whole_list(kubectl):
    whole = kubectl("get", "pods", "-A", "-o", "name").split()
    assert kubectl("get", "pods", "-A", "-o", "name", "--chunk-size=7").split() == whole


def test_an_absent_object_is_not_found(kubectl):
    assert 'deployments.apps "nothing" not found' in kubectl.run("get", "deploy", "nothing", "-n", "crm").stderr


def test_describe_shows_a_pod_with_its_own_events(kubectl, web_pod):
    said = kubectl("describe", "-n", "crm", web_pod)
    assert "Successfully assigned" in said
    assert "Ready                       True" in said


@pytest.mark.parametrize(
    "workload", [("crm", "deploy/crm-web"), ("crm-data", "sts/search"), ("observability", "ds/node-log-agent")]
)
def test_a_finished_rollout_is_seen_as_finished(kubectl, workload):
    namespace, name = workload
    assert re.search("successfully rolled out|roll out complete", kubectl("rollout", "status", "-n", namespace, name))


def test_a_rollout_in_motion_is_watched_to_its_end(new_kubectl, environment):
    slowest = begin(World.build(environment, "v2026.47.1", seed=1), 3.0)[0]
    with standin("uk-prod", seed=1, motion=3.0) as stand:
        said = new_kubectl(stand)("rollout", "status", "-n", "crm", f"deploy/{slowest}", "--timeout=30s")
    assert "Waiting for deployment" in said
    assert "successfully rolled out" in said


def test_reading_is_allowed_and_writing_is_not(kubectl):
    assert kubectl("auth", "can-i", "list", "pods", "-A").strip() == "yes"
    assert kubectl("auth", "can-i", "get", "pods", "--subresource=log", "-n", "crm").strip() == "yes"
    assert kubectl.run("auth", "can-i", "delete", "pods", "-n", "crm").stdout.strip() == "no"
    assert kubectl.run("auth", "can-i", "list", "secrets").stdout.strip() == "no"


def test_the_rules_list_only_reads(kubectl):
    rules = kubectl("auth", "can-i", "--list")
    assert "deployments.apps" in rules
    others = [each for each in rules.splitlines() if not each.startswith("selfsubject")]
    assert not re.search("create|delete|patch|update", "\n".join(others))


def test_an_authorizer_that_cannot_enumerate_says_so_and_answers_all_the_same(new_kubectl):
    with standin("uk-prod", faults=["rules-review-incomplete"]) as stand:
        kubectl = new_kubectl(stand)
        listed = kubectl.run("auth", "can-i", "--list", "-n", "crm")
        assert "the list may be incomplete" in listed.stderr
        assert "deployments.apps" not in listed.stdout
        assert kubectl("auth", "can-i", "get", "pods", "-n", "crm").strip() == "yes"


def test_who_may_write_is_told_so_and_still_changes_nothing(new_kubectl):
    with standin("uk-prod", faults=["may-write"]) as stand:
        kubectl = new_kubectl(stand)
        assert kubectl("auth", "can-i", "delete", "pods", "-n", "crm").strip() == "yes"
        assert "read-only" in kubectl.run("delete", "deploy/crm-web", "-n", "crm", "--wait=false").stderr


def test_nothing_can_be_changed(kubectl):
    refused = kubectl.run("delete", "deploy/crm-web", "-n", "crm", "--wait=false")
    assert refused.returncode == 1
    assert "read-only" in refused.stderr
    assert kubectl("get", "deploy/crm-web", "-n", "crm", "-o", "name")


def test_the_cluster_says_that_it_is_a_rehearsal(kubectl, environment):
    assert kubectl.json("version")["serverVersion"]["gitVersion"].endswith("-rehearsal")
    system = kubectl.json("get", "namespace", "kube-system")
    assert system["metadata"]["uid"] == environment.cluster.kube_system_uid
    assert system["metadata"]["labels"]["postdeploy/rehearsal"] == "true"


def test_flux_objects_are_served_at_the_release(kubectl):
    source = kubectl.json("get", "gitrepositories", "-n", "flux-system")["items"][0]
    assert source["status"]["artifact"]["revision"].startswith("v2026.47.1@sha1:")
    releases = kubectl.json("get", "helmreleases", "-n", "flux-system")["items"]
    deployed = {each["metadata"]["name"]: each["status"]["history"][0]["appVersion"] for each in releases}
    assert deployed == {"crm": "v2026.47.1", "crm-script": "v2026.47.1", "search": "2.19.1"}
    policies = kubectl.json("get", "imagepolicies", "-n", "flux-system")["items"]
    assert {each["status"]["latestRef"]["tag"] for each in policies} == {"v2026.47.1"}


def test_logs_can_be_cut_by_count_and_stamped(kubectl, web_pod):
    lines = kubectl("logs", "-n", "crm", web_pod, "-c", "crm-web", "--tail=1", "--timestamps").splitlines()
    assert len(lines) == 1
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \[INFO\] ", lines[0])


def test_logs_can_be_cut_by_time(kubectl, web_pod):
    assert kubectl("logs", "-n", "crm", web_pod, "-c", "crm-web", "--since-time=2020-01-01T00:00:00Z")
    assert not kubectl("logs", "-n", "crm", web_pod, "-c", "crm-web", "--since-time=2099-01-01T00:00:00Z")


def test_a_container_that_never_restarted_has_no_previous_log(kubectl, web_pod):
    refused = kubectl.run("logs", "-n", "crm", web_pod, "-c", "crm-web", "--previous")
    assert "previous terminated container" in refused.stderr


def test_a_container_that_restarted_has_one(kubectl):
    pods = kubectl.json("get", "pods", "-n", "crm-data")["items"]
    again = [each for each in pods if each["status"]["containerStatuses"][0]["restartCount"]]
    assert kubectl("logs", "-n", "crm-data", again[0]["metadata"]["name"], "--previous")


def test_an_unknown_container_has_no_log(kubectl, web_pod):
    assert "container nothing is not valid" in kubectl.run("logs", "-n", "crm", web_pod, "-c", "nothing").stderr


def test_logs_of_a_selection_are_read_together(kubectl):
    lines = kubectl(
        "logs", "-n", "crm", "-l", "app.kubernetes.io/name=crm-celery-emails", "--prefix", "--tail=1"
    ).splitlines()
    assert len({line.split("]")[0] for line in lines}) == 3
