"""What people type into a kubectl every day works on the stand-in, with the kubectl of the tests and the machine's."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.rehearsal.conftest import Kubectl
from tests.standin import kubectl_programs, standin

WEB = "app.kubernetes.io/name=crm-web"


@pytest.fixture(scope="module", params=kubectl_programs(), ids=["ours", "the machine's"][: len(kubectl_programs())])
def everyday(request, stand, tmp_path_factory):
    return Kubectl(stand.kubeconfig, tmp_path_factory.mktemp("kubectl"), request.param)


@contextmanager
def following(kubectl: Kubectl, *arguments: str) -> Iterator[Iterator[str]]:
    """The lines of a kubectl that does not end by itself."""
    process = subprocess.Popen(kubectl.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        yield iter(process.stdout)
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_everything_everyday_is_got_in_one_go(everyday):
    said = everyday("get", "all", "-n", "crm")
    for each in ("pod/", "service/", "deployment.apps/", "replicaset.apps/", "job.batch/", "cronjob.batch/"):
        assert f"\n{each}" in f"\n{said}"


def test_resources_are_listed_with_their_short_names(everyday):
    rows = [line.split() for line in everyday("api-resources").splitlines()]
    assert ["pods", "po", "v1", "true", "Pod"] in rows
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in rows
    assert ["namespaces", "ns", "v1", "false", "Namespace"] in rows


def test_resources_of_one_group_are_listed_alone(everyday):
    names = everyday("api-resources", "--api-group=batch", "-o", "name").split()
    assert names == ["cronjobs.batch", "jobs.batch"]


def test_what_one_may_do_is_listed(everyday):
    rows = [line.split() for line in everyday("auth", "can-i", "--list", "-n", "crm").splitlines()]
    assert rows[0][:1] == ["Resources"]
    assert any(row[0] == "deployments.apps" and "list" in row[-2] for row in rows)


@pytest.mark.parametrize(
    ("selector", "field", "value"),
    [("type=Warning", "type", "Warning"), ("reason=Scheduled", "reason", "Scheduled")],
)
def test_events_are_selected_by_their_own_fields(everyday, selector, field, value):
    events = everyday.json("get", "events", "-n", "crm", "--field-selector", selector)["items"]
    assert {each[field] for each in events} == {value}


def test_events_are_selected_by_what_they_are_about(everyday):
    selector = "involvedObject.kind=Pod,type=Normal"
    events = everyday.json("get", "events", "-n", "crm", "--field-selector", selector)["items"]
    assert {(each["involvedObject"]["kind"], each["type"]) for each in events} == {("Pod", "Normal")}


def test_events_are_grouped_by_the_newer_command(everyday):
    head, *rows = everyday("events", "-n", "crm", "--types=Warning").splitlines()
    assert head.split()[:4] == ["LAST", "SEEN", "TYPE", "REASON"]
    assert all("Warning" in row for row in rows)


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("condition=Available", ["deployment/crm-web"]),
        ("condition=Ready", ["pod", "-l", WEB, "--field-selector=status.phase=Running"]),
        ("jsonpath={.status.readyReplicas}=8", ["deployment/crm-web"]),
        ("delete", ["pod/of-yesterday"]),
    ],
)
def test_a_condition_that_is_met_is_not_waited_for(everyday, condition, what):
    everyday("wait", "-n", "crm", f"--for={condition}", *what, "--timeout=20s")


def test_a_condition_that_is_not_met_times_out(everyday):
    late = everyday.run("wait", "-n", "crm", "--for=condition=Available=False", "deployment/crm-web", "--timeout=100ms")
    assert late.returncode == 1
    assert "timed out waiting" in late.stderr


def test_the_revisions_of_a_deployment_are_told(everyday):
    revision = everyday.json("get", "deployment/crm-web", "-n", "crm")["metadata"]["annotations"]
    told = everyday("rollout", "history", "-n", "crm", "deployment/crm-web").split()
    assert revision["deployment.kubernetes.io/revision"] in told


def test_a_watch_begins_with_what_is_there(everyday):
    names = set(everyday("get", "pods", "-n", "crm-data", "-o", "name").split())
    with following(everyday, "get", "pods", "-n", "crm-data", "-w", "-o", "name") as lines:
        assert {next(lines).strip() for _ in names} == names


def test_a_watch_tells_what_changes_while_a_rollout_moves(everyday):
    with standin("uk-prod", motion=1.0) as stand:
        moving = Kubectl(stand.kubeconfig, everyday.cache / "moving", everyday.program)
        with following(moving, "get", "deployments", "-n", "crm", "-w", "--output-watch-events") as lines:
            assert any(line.startswith("MODIFIED") for line in lines)
