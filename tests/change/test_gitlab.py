"""GitLab's API as it answers: recorded in the shape its documentation gives, of versions with and without approvals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from postdeploy.change.clocks import witness
from postdeploy.change.gitlab import GitLab, deployment, of_run
from postdeploy.change.objects import Said, load, save
from postdeploy.change.observe import Asked, Proofs, observe, proofs_of
from postdeploy.verdict import Unverified
from tests.change.build import UK, WELL

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())
LISTED = tuple(deployment(each) for each in RECORDED["list"])


def served(answers) -> GitLab:
    def answer(request: httpx.Request) -> httpx.Response:
        return answers(request)

    return GitLab(
        httpx.Client(base_url="https://gitlab.example", transport=httpx.MockTransport(answer)), "brokerage/crm"
    )


def test_a_deployment_is_read_with_who_when_and_which_pipeline():
    found = deployment(RECORDED["one"])
    assert (found.id, found.iid, found.environment, found.by) == (42, 2, "uk-prod", "root")
    assert (found.pipeline, found.sha[:8], found.status) == ("36", "a91957a8", "success")
    assert found.began == datetime(2026, 11, 22, 14, 12, 48, tzinfo=UTC)


def test_approvals_are_read_from_both_places_each_once():
    found = deployment(RECORDED["one"])
    assert [(each.by, each.status) for each in found.approvals] == [("ann", "approved"), ("bea", "approved")]


def test_a_gitlab_without_approvals_does_not_say_that_nobody_approved():
    assert LISTED[0].approvals is None


def test_a_deployment_made_by_the_api_has_no_job():
    assert (LISTED[1].pipeline, LISTED[1].began) == ("", None)


def test_the_project_is_asked_by_its_path_and_only_by_get():
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.raw_path.decode()))
        return httpx.Response(200, json=RECORDED["one"] if request.url.path.endswith("/42") else RECORDED["list"])

    gitlab = served(answer)
    assert len(gitlab.newest()) == len(RECORDED["list"])
    assert gitlab.one(42).iid == 2
    assert [method for method, _ in asked] == ["GET", "GET"]
    assert asked[0][1].startswith("/api/v4/projects/brokerage%2Fcrm/deployments?")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (httpx.Response(401), "read_api"),
        (httpx.Response(404), "the project is not there"),
        (httpx.Response(502), "502"),
        (httpx.Response(200, text="<html>"), "could not be asked"),
        (httpx.Response(200, json=[{"id": 1}]), "is no deployment"),
    ],
)
def test_what_gitlab_does_not_say_is_unverified(reply, why):
    with pytest.raises(Unverified, match=why):
        served(lambda _: reply).newest()


def test_a_run_is_about_its_own_pipeline_then_its_commit_then_its_tag():
    mine = [each for each in LISTED if each.environment == "uk-prod"]
    assert of_run(mine, "36", "", "").iid == 4
    assert of_run(mine, "", mine[-1].sha, "").iid == mine[-1].iid
    assert of_run(mine, "nobody's", "", "v2026.47.1").iid == 4
    assert of_run(mine, "", "f" * 40, "v2026.47.1") is None


def test_what_is_blocked_has_deployed_nothing():
    blocked = [deployment({**RECORDED["one"], "status": "blocked"})]
    assert of_run(blocked, "36", "", "") is None


def test_a_caches_answer_is_as_old_as_it_says():
    moment = datetime(2026, 11, 25, 9, 0, 0, 500_000, tzinfo=UTC)
    assert witness("x", {"date": "Wed, 25 Nov 2026 09:00:00 GMT"}, moment, moment).skew_s == 0
    cached = {"date": "Wed, 25 Nov 2026 08:45:00 GMT", "age": "900"}
    assert witness("x", cached, moment, moment).skew_s == 0
    assert "no Date" in witness("x", {"date": "today"}, moment, moment).problem


def test_the_observation_is_saved_and_read_back():
    assert load(save(WELL)) == WELL
    with pytest.raises(ValueError, match="not an observation"):
        load(b"x")


def test_a_job_without_anything_leaves_everything_unknown_and_nothing_wrong(tmp_path):
    def none() -> None:
        raise Unverified("no token for GitLab")

    class Nowhere:
        def client(self, host, headers=None):
            return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)), base_url="https://x")

    found = observe(Asked(UK, "v1", "", ("c", False)), Proofs(Said()), none, Nowhere())
    assert found.gitlab_unknown == "no token for GitLab"
    assert "POSTDEPLOY_ID_TOKEN" in found.identity_unknown
    assert found.identity_wrong == ""
    assert {each.problem for each in found.witnesses} == {"its answer has no Date that can be read"}


def test_proofs_come_from_listed_variables_alone(tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    variables = {"POSTDEPLOY_ID_TOKEN": "t", "POSTDEPLOY_ID_TOKEN_KEYS": str(keys), "GITLAB_USER_LOGIN": "dora"}
    found = proofs_of(variables | {"CI_JOB_TOKEN": "never"})
    assert (found.said.actor, found.token, found.keys) == ("dora", "t", "{}")
    assert "never" not in repr(found)
    assert "'t'" not in repr(found)
    assert "cannot be read" in proofs_of({"POSTDEPLOY_ID_TOKEN_KEYS": "/nowhere"}).unknown
