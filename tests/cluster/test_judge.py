"""Any dump that kubectl prints is judged, with its objects as each other's context; a wrong file is said to be one."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime

import pytest
from ruamel.yaml import YAML

from postdeploy.cluster.dump import NotAnObject, latest, read_dump
from postdeploy.cluster.judge import judge_files, judge_objects, render, to_json
from tests.cluster import build


@pytest.fixture
def dump(tmp_path):
    def write(text, name="dump.json"):
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return str(path)

    return write


def verdicts(*raw):
    return {f"{each.kind}/{each.name}": each.verdict for each in judge_objects(list(raw))}


def reason(*raw):
    return judge_objects(list(raw))[0].reason


def yaml(*documents):
    stream = io.StringIO()
    YAML().dump_all(documents, stream)
    return stream.getvalue()


LIST = {"apiVersion": "v1", "kind": "List", "items": [build.deployment(), build.replicaset(), build.pod()]}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(LIST),
        yaml(LIST),
        yaml(*LIST["items"]),
        "\n".join(json.dumps(each) for each in LIST["items"]) + "\n",
        json.dumps(LIST["items"]),
    ],
    ids=["list", "yaml-list", "yaml-documents", "json-lines", "json-array"],
)
def test_every_form_of_a_dump_gives_the_same(dump, text):
    judged = judge_files([dump(text)])
    assert [(each.kind, each.verdict) for each in judged] == [
        ("Deployment", "passed"),
        ("ReplicaSet", "passed"),
        ("Pod", "passed"),
    ]


def test_items_of_a_typed_list_get_its_kind(dump):
    items = [{key: value for key, value in build.pod().items() if key not in ("kind", "apiVersion")}]
    judged = judge_files([dump({"kind": "PodList", "apiVersion": "v1", "items": items})])
    assert [(each.kind, each.namespace, each.name) for each in judged] == [("Pod", "crm", "web-2-a")]


def test_empty_list_judges_nothing(dump):
    assert judge_files([dump({"kind": "List", "apiVersion": "v1", "items": None})]) == []
    assert render([]) == "no objects"


def test_standard_input_is_a_file_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(build.pod()).encode())))
    assert judge_files(["-"])[0].verdict == "passed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ('{"kind": "Pod", ', "is not valid JSON (line 1"),
        ("kind: [Pod\nname: }", "neither JSON nor YAML"),
        ("kind: Pod\nkind: Pod", "neither JSON nor YAML"),
        ("just words", "a bare value"),
        ('{"name": "web"}', "without `kind`, keys 'name'"),
        ("{}", "keys none"),
        ('{"kind": "Pod"}', "a Pod without `metadata`"),
        ('{"kind": "Status", "message": "pods is forbidden"}', "pods is forbidden"),
        ('{"kind": "PodList", "items": [7]}', "a bare value"),
    ],
)
def test_wrong_file_is_said_in_a_paragraph(dump, text, told):
    path = dump(text)
    with pytest.raises(NotAnObject) as error:
        judge_files([path])
    assert told in str(error.value)
    assert path in str(error.value)
    assert "\n" not in str(error.value)


def test_file_that_is_missing_or_no_text_is_said(tmp_path):
    with pytest.raises(NotAnObject, match="No such file"):
        read_dump(str(tmp_path / "nowhere.json"))
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(NotAnObject, match="is not text"):
        read_dump(str(tmp_path / "image.png"))


def test_yaml_words_stay_what_they_say(dump):
    raw = build.merge(build.pod(), {"metadata": {"labels": {"country": "no"}}})
    assert read_dump(dump(yaml(raw).replace("'no'", "no")))[0]["metadata"]["labels"]["country"] == "no"


def test_unquoted_yaml_dates_are_read(dump):
    text = yaml(build.pod()).replace(f"'{build.EARLIER}'", build.EARLIER)
    assert judge_files([dump(text)])[0].verdict == "passed"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}, "no rule for kind ConfigMap"),
        ({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {}}, "of serving.knative.dev"),
        ({"apiVersion": "kustomize.config.k8s.io/v1", "kind": "Kustomization", "metadata": {}}, "no rule for kind"),
        ({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {}}, "no rule for kind"),
        (build.pod(spec={"containers": "many"}), "cannot be read as a Pod"),
    ],
)
def test_what_no_rule_knows_is_unverified(raw, told):
    judged = judge_objects([raw])[0]
    assert judged.verdict == "unverified"
    assert told in judged.reason


def named(kind, version, **more):
    return build.merge({"kind": kind, "apiVersion": version, "metadata": {"name": "x", "namespace": "crm"}}, more)


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        (build.statefulset(), "passed"),
        (build.daemonset(), "passed"),
        (build.job(), "passed"),
        (build.cronjob(), "passed"),
        (build.event("web", "BackOff"), "failed"),
        (
            build.event("web", "Killing", "Container web failed liveness probe, will be restarted", type="Normal"),
            "failed",
        ),
        (build.event("web", "BackOff", 'Back-off pulling image "x"', type="Normal"), "failed"),
        (build.event("web", "Pulled", "pulled", type="Normal"), "passed"),
        (build.event("web", "Unhealthy", "Readiness probe failed: 503"), "passed"),
        (build.event("web", "Unhealthy", "Readiness probe failed: 503", count=9), "failed"),
        (build.event("web", "Unhealthy", "Liveness probe failed: 503"), "failed"),
        (build.event("web", "FailedToUpdateEndpointSlices"), "passed"),
        ({"kind": "Event", "apiVersion": "v1", "metadata": {}, "reason": "X", "type": "Warning"}, "failed"),
        (named("HorizontalPodAutoscaler", "autoscaling/v2"), "pending"),
        (named("PodDisruptionBudget", "policy/v1"), "pending"),
        (named("PersistentVolumeClaim", "v1", status={"phase": "Pending"}), "pending"),
        (named("CustomResourceDefinition", "apiextensions.k8s.io/v1"), "pending"),
        (named("EndpointSlice", "discovery.k8s.io/v1"), "failed"),
        (named("Service", "v1", spec={"selector": {"app": "web"}}), "unverified"),
        (named("Rollout", "argoproj.io/v1alpha1"), "pending"),
        (named("Canary", "flagger.app/v1beta1", status={"phase": "Succeeded"}), "passed"),
        (named("HelmRelease", "helm.toolkit.fluxcd.io/v2"), "pending"),
        (build.deployment(apiVersion="extensions/v1beta1"), "passed"),
        (build.deployment(apiVersion=None), "passed"),
        (build.deployment(status={"terminatingReplicas": 1}), "pending"),
    ],
)
def test_every_kind_alone(raw, verdict):
    assert judge_objects([raw])[0].verdict == verdict


SERVICE = named("Service", "v1", metadata={"name": "web"}, spec={"selector": {"app": "web"}})
OLD_SET = build.replicaset("web-1", "1", replicas=0)


def old(**more):
    return build.pod("web-1-a", ("ReplicaSet", "uid-web-1"), **more)


def slice_of(*uids, name="web-x"):
    labels = {"kubernetes.io/service-name": "web"}
    found = [{"addresses": ["10.0.0.1"], "targetRef": {"uid": each}} for each in uids]
    return named("EndpointSlice", "discovery.k8s.io/v1", metadata={"name": name, "labels": labels}, endpoints=found)


def test_service_is_judged_by_the_pods_beside_it():
    assert verdicts(SERVICE, *build.whole())["Service/web"] == "passed"
    assert verdicts(SERVICE, build.deployment(), build.replicaset(), OLD_SET, old())["Service/web"] == "failed"


def test_endpoints_are_judged_by_the_pods_beside_them():
    assert verdicts(slice_of("uid-web-2-a"), *build.whole())["EndpointSlice/web-x"] == "passed"
    assert verdicts(slice_of("uid-web-1-a"), *build.whole(), OLD_SET, old())["EndpointSlice/web-x"] == "failed"


def test_empty_slice_beside_a_full_one_is_well():
    assert verdicts(slice_of(), slice_of("uid-a", name="web-y"))["EndpointSlice/web-x"] == "passed"


def test_old_pods_are_no_part_of_the_release_and_keep_their_workload_pending():
    found = verdicts(*build.whole(), OLD_SET, old())
    assert (found["Pod/web-1-a"], found["Deployment/web"]) == ("not-applicable", "pending")


def test_pods_without_a_uid_are_nobodys_old_pods():
    raw = [build.deployment(), build.replicaset(), OLD_SET, old(), build.pod()]
    for each in raw[3:]:
        each["metadata"].pop("uid")
    assert verdicts(*raw)["Pod/web-2-a"] == "passed"


def test_on_delete_is_judged_by_the_pods_beside_it():
    raw = build.statefulset(spec={"updateStrategy": {"type": "OnDelete"}})
    assert verdicts(raw, build.member(0, "db-1"))["StatefulSet/db"] == "failed"


@pytest.mark.parametrize(
    "raw", [build.deployment(spec={"replicas": 0}), build.daemonset(status={"desiredNumberScheduled": 0})]
)
def test_scaled_to_zero_fails(raw):
    for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "updatedNumberScheduled"):
        raw["status"].pop(field, None)
    assert "scaled to zero" in reason(raw)


@pytest.mark.parametrize(
    "other",
    [
        named("Canary", "flagger.app/v1beta1", spec={"targetRef": {"kind": "Deployment", "name": "web"}}),
        named("Rollout", "argoproj.io/v1alpha1", spec={"workloadRef": {"kind": "Deployment", "name": "web"}}),
    ],
)
def test_scaled_to_zero_is_intended_where_something_else_runs_the_pods(other):
    raw = build.deployment(spec={"replicas": 0}, status={"replicas": 0, "updatedReplicas": 0})
    assert verdicts(raw, other)["Deployment/web"] == "passed"


CLAIM = named("PersistentVolumeClaim", "v1", spec={"storageClassName": "late"}, status={"phase": "Pending"})


def test_claim_that_waits_for_a_pod_is_a_warning():
    late = {"kind": "StorageClass", "apiVersion": "storage.k8s.io/v1", "metadata": {"name": "late"}}
    judged = judge_objects([CLAIM, late | {"volumeBindingMode": "WaitForFirstConsumer"}])[0]
    assert (judged.verdict, judged.reason[:8]) == ("passed", "warning:")
    assert judge_objects([CLAIM, late | {"volumeBindingMode": "Immediate"}])[0].verdict == "pending"
    event = build.event("x", "WaitForFirstConsumer", type="Normal", kind="PersistentVolumeClaim")
    assert judge_objects([build.merge(CLAIM, {"metadata": {"uid": "uid-x"}}), event])[0].verdict == "passed"


def test_reason_is_one_line_with_the_usual_cause():
    found = reason(build.unready(build.waiting("ErrImagePull", "manifest\nunknown")))
    assert "\n" not in found
    assert "never built or pushed" in found


def test_now_is_the_latest_time_in_the_dump_unless_given():
    raw = build.unready(build.waiting("ImagePullBackOff", "i/o timeout"))
    assert judge_objects([raw])[0].verdict == "pending"
    assert judge_objects([raw], now=datetime(2026, 11, 21, tzinfo=UTC))[0].verdict == "failed"


def test_clock_of_a_dump_is_its_latest_time_but_never_a_deadline():
    raw = {
        "metadata": {"creationTimestamp": build.EARLIER, "deletionTimestamp": "2030-01-01T00:00:00Z"},
        "items": [{"lastTransitionTime": build.NOW, "time": None}, {"finishedAt": "soon"}],
        "startTime": datetime(2026, 1, 1),  # noqa: DTZ001 - what YAML makes of a time without a zone
    }
    assert latest(raw) == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert latest({}) is None


def test_json_has_the_five_keys_of_the_contract():
    found = json.loads(to_json(judge_objects([build.pod()])))
    expected = {"kind": "Pod", "namespace": "crm", "name": "web-2-a", "verdict": "passed", "reason": "ready"}
    assert found == [expected]


def test_table_is_aligned_and_counted():
    lines = render(judge_objects([build.pod(), build.deployment(), build.job(done=False)])).splitlines()
    assert lines[0].index("crm/") == lines[1].index("crm/") == lines[2].index("crm/")
    assert lines[-1] == "3 objects: 2 passed, 1 pending"


def way_in(kind, group, status, **spec):
    return named(kind, f"{group}/v1", spec=spec, status=status)


BACKEND = {"service": {"name": "web", "port": {"number": 80}}}


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        (way_in("Ingress", "networking.k8s.io", {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}), "passed"),
        (way_in("Ingress", "networking.k8s.io", {}), "pending"),
        (way_in("Gateway", "gateway.networking.k8s.io", {}), "pending"),
        (way_in("HTTPRoute", "gateway.networking.k8s.io", {}), "pending"),
        (way_in("Gateway", "istio.example", {}), "unverified"),
    ],
)
def test_ways_in_are_judged_by_what_their_controller_says(raw, verdict):
    assert judge_objects([raw])[0].verdict == verdict


def test_an_ingress_is_held_against_the_services_of_its_namespace():
    ingress = way_in("Ingress", "networking.k8s.io", {}, defaultBackend=BACKEND)
    other = named("Service", "v1", metadata={"name": "other"})
    assert judge_objects([ingress])[0].verdict == "pending"
    assert verdicts(ingress, other)["Ingress/x"] == "failed"
