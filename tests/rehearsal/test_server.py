"""The API's manners: who may ask, in which form it answers, and how it misbehaves on request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from rehearsal.answers import Refused
from rehearsal.kinds import BY_NAME
from rehearsal.listing import KEPT, Pages, Shape
from rehearsal.proxy import meddle
from rehearsal.server import Api

PODS = "/api/v1/namespaces/crm/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@pytest.fixture
def ask(world):
    """Ask several things of one server; gives (status, body, headers) of each."""

    async def conversation(questions: tuple[dict[str, Any], ...]) -> list[tuple[int, Any, Any]]:
        async with TestClient(TestServer(Api(world, "token").app())) as client:
            return [await one(client, dict(each)) for each in questions]

    async def one(client: TestClient, question: dict[str, Any]) -> tuple[int, Any, Any]:
        headers = {"Authorization": "Bearer token"} | question.pop("headers", {})
        method, path = question.pop("method", "GET"), question.pop("path")
        async with client.request(method, path, headers=headers, **question) as response:
            text = await response.text()
            body = json.loads(text) if response.content_type == "application/json" else text
            return response.status, body, response.headers

    return lambda *questions: asyncio.run(
        conversation(tuple(each if isinstance(each, dict) else {"path": each} for each in questions))
    )


def test_without_the_token_nothing_is_told(ask):
    [(status, body, _)] = ask({"path": PODS, "headers": {"Authorization": "Bearer wrong"}})
    assert (status, body["kind"], body["reason"]) == (401, "Status", "Unauthorized")


def test_the_version_is_told_to_anyone(ask):
    [(status, body, _)] = ask({"path": "/version", "headers": {"Authorization": ""}})
    assert (status, body["gitVersion"]) == (200, "v1.32.4-rehearsal")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_there_are_no_write_verbs(ask, method):
    [(status, body, _)] = ask({"path": f"{PODS}/any", "method": method, "data": b"{}"})
    assert (status, body["reason"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v2/pods", "/api/v1/secrets", "/apis/apps/v1/pods", f"{PODS}/x/exec"]
)
def test_what_is_not_served_is_not_found(ask, path):
    assert ask(path)[0][0] == 404


def test_a_list_says_which_version_and_time_it_is_of(ask, world):
    [(_, body, headers)] = ask(PODS)
    assert body["kind"] == "PodList"
    assert body["metadata"]["resourceVersion"] == str(world.version)
    assert headers["Date"].endswith("GMT")


def test_pages_are_of_one_moment(world):
    """Later pages tell what was there at the first, as an etcd revision does."""
    pages, shape, pods = Pages(world), Shape(BY_NAME["Pod"], as_table=False), world.all("Pod", "crm")
    first = json.loads(pages.answer(shape, "crm", {"limit": "5"}))
    world.remove(pods[7])
    rest = json.loads(pages.answer(shape, "crm", {"limit": "500", "continue": first["metadata"]["continue"]}))
    assert first["metadata"]["remainingItemCount"] == len(rest["items"]) == len(pods) - 5
    assert rest["items"][2]["metadata"]["name"] == pods[7]["metadata"]["name"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_list_in_pieces_is_forgotten_after_many_others(world):
    pages, shape = Pages(world), Shape(BY_NAME["Pod"], as_table=False)
    first = json.loads(pages.answer(shape, "crm", {"limit": "5"}))
    for _ in range(KEPT):
        pages.answer(shape, "crm", {"limit": "5"})
    with pytest.raises(Refused, match="too old"):
        pages.answer(shape, "crm", {"limit": "5", "continue": first["metadata"]["continue"]})


def test_a_page_that_nobody_remembers_is_gone(ask):
    [(_, first, _)] = ask(f"{PODS}?limit=5")
    [(status, body, _)] = ask(f"{PODS}?limit=5&continue={first['metadata']['continue']}")
    assert (status, body["reason"]) == (410, "Expired")


def test_a_broken_token_is_a_bad_request(ask):
    assert ask(f"{PODS}?limit=5&continue=nonsense")[0][0] == 400


def test_big_answers_are_compressed_only_when_asked(ask):
    (_, one, plain), (_, other, packed) = ask(
        {"path": "/api/v1/pods", "headers": {"Accept-Encoding": "identity"}},
        {"path": "/api/v1/pods", "headers": {"Accept-Encoding": "gzip"}},
    )
    assert one == other
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"


def test_a_table_carries_as_much_of_the_object_as_asked(ask):
    some, none, whole = (
        ask({"path": f"{PODS}{more}", "headers": {"Accept": TABLE}})[0][1]["rows"][0]["object"]
        for more in ("", "?includeObject=None", "?includeObject=Object")
    )
    assert (some["kind"], none, whole["kind"]) == ("PartialObjectMetadata", None, "Pod")


def test_discovery_is_told_in_both_forms(ask):
    (_, new, headers), (_, old, _), (_, groups, _), (_, core, _) = ask(
        {"path": "/apis", "headers": {"Accept": DISCOVERY}}, "/apis/apps/v1", "/apis", "/api"
    )
    assert headers["Content-Type"].endswith("as=APIGroupDiscoveryList")
    assert "deployments" in json.dumps(new)
    assert "deployments" in {each["name"] for each in old["resources"]}
    assert "apps" in {each["name"] for each in groups["groups"]}
    assert core["versions"] == ["v1"]


def test_a_review_in_json_is_answered_too(ask):
    asked = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    [(status, body, _)] = ask({"path": path, "method": "POST", "json": asked})
    assert (status, body["status"]["allowed"]) == (201, True)


@pytest.mark.parametrize(
    ("forbidden", "path", "status"),
    [
        ("pods", PODS, 403),
        ("pods", "/apis/apps/v1/deployments", 200),
        ("pods@crm", PODS, 403),
        ("pods@crm", "/api/v1/pods", 403),
        ("pods@crm", "/api/v1/namespaces/crm-data/pods", 200),
        ("*", "/apis/batch/v1/jobs", 403),
    ],
)
def test_a_forbidden_resource_is_refused_as_rbac_does(ask, world, forbidden, path, status):
    world.settings.forbidden.add(forbidden)
    assert ask(path)[0][0] == status


def test_too_many_requests_pass_after_a_while(ask, world):
    world.settings.too_many["pods"] = 1
    (first, _, headers), (second, _, _) = ask(PODS, PODS)
    assert (first, second, headers["Retry-After"]) == (429, 200, "1")


def test_a_list_may_be_gone_on_its_second_page(ask, world):
    world.settings.gone_on_page["pods"] = 1
    (first, body, _), (second, _, _) = ask(PODS, PODS)
    assert (first, body["code"], second) == (410, 410, 200)


def test_a_body_may_break_off(ask, world):
    world.settings.truncate.add("pods")
    with pytest.raises(aiohttp.ClientError):
        ask(PODS)


def test_a_resource_may_be_broken_for_a_while(ask, world):
    world.settings.broken["pods"] = 1
    (first, body, _), (second, _, _) = ask(PODS, PODS)
    assert (first, body["reason"], second) == (500, "InternalError", 200)


def test_a_connection_may_be_reset_once(ask, world):
    world.settings.reset["pods"] = 1
    with pytest.raises(aiohttp.ClientError):
        ask({"path": PODS, "method": "HEAD"})
    assert ask(PODS)[0][0] == 200


def test_a_token_may_be_good_for_so_many_requests_only(ask, world):
    world.settings.token_lasts = 1
    (first, _, _), (second, _, _), (third, _, _) = ask(PODS, PODS, "/version")
    assert (first, second, third) == (200, 401, 200)


def test_pages_may_be_shorter_than_asked_for(ask, world):
    world.settings.page_at_most = 3
    [(_, body, _)] = ask(f"{PODS}?limit=500")
    assert len(body["items"]) == 3
    assert body["metadata"]["remainingItemCount"] == len(world.all("Pod", "crm")) - 3


def test_a_login_page_in_place_of_a_list_is_html_with_status_200(ask, world):
    world.settings.proxied["pods"] = "signs in"
    [(status, body, headers)] = ask(PODS)
    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert "Sign in" in body


def test_a_list_out_of_a_cache_says_how_old_it_is(ask, world):
    world.settings.proxied["pods"] = "caches"
    [(status, body, headers)] = ask(PODS)
    assert (status, body["kind"], headers["Age"]) == (200, "PodList", "5400")


def test_a_proxy_may_drop_the_continue_token_and_nothing_else(ask, world):
    world.settings.proxied["pods"] = "drops the token"
    [(_, body, _)] = ask(f"{PODS}?limit=3")
    assert "continue" not in body["metadata"]
    assert body["metadata"]["remainingItemCount"] == len(world.all("Pod", "crm")) - len(body["items"])


def test_a_proxy_may_take_objects_out_of_later_pages(world):
    pods, shape = world.all("Pod", "crm"), Shape(BY_NAME["Pod"], as_table=False)
    body = Pages(world).answer(shape, "crm", {})
    whole, thinned = (json.loads(meddle("thins out", body, first=first).body)["items"] for first in (True, False))
    assert (len(whole), len(thinned)) == (len(pods), len(pods) - len(pods) // 3)


def test_a_proxy_may_cut_a_body_and_correct_its_length():
    assert meddle("cuts", b'{"items": []}', first=True).body == b'{"item'


def test_the_whole_api_may_be_out_of_reach(ask, world):
    world.settings.unreachable = True
    with pytest.raises(aiohttp.ClientError):
        ask(PODS)


def test_a_slow_resource_exceeds_a_short_time_out(ask, world):
    world.settings.slow_s["pods"] = 60
    with pytest.raises(TimeoutError):
        ask({"path": PODS, "timeout": aiohttp.ClientTimeout(total=0.05)})


@pytest.fixture
def watch(world):
    """The first events of a watch during which something happens; the client goes when it has seen them."""

    async def follow(path: str, count: int, act: Any) -> list[dict[str, Any]]:
        headers = {"Authorization": "Bearer token"}
        server = TestServer(Api(world, "token").app())
        async with TestClient(server) as client, client.get(path, headers=headers) as response:
            act()
            return [json.loads(await response.content.readline()) for _ in range(count)]

    return lambda path, count, act=lambda: None: asyncio.run(follow(path, count, act))


def test_a_watch_list_ends_its_first_part_with_a_bookmark(watch, world):
    count = len(world.all("Pod", "crm"))
    *added, mark = watch(f"{PODS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true", count + 1)
    assert {each["type"] for each in added} == {"ADDED"}
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_tells_what_changes(watch, world):
    pod = world.pods_of("crm-web")[0]
    path = f"{PODS}?watch=true&resourceVersion={world.version}"
    seen = watch(path, 2, lambda: (world.put(pod), world.remove(pod)))
    assert [each["type"] for each in seen] == ["MODIFIED", "DELETED"]


def test_what_no_longer_fits_a_selector_is_deleted_for_its_watcher(watch, world):
    pod = world.pods_of("crm-web")[0]
    name = pod["metadata"]["name"]

    def ends() -> None:
        pod["status"]["phase"] = "Succeeded"
        world.put(pod)

    seen = watch(f"{PODS}?watch=true&fieldSelector=status.phase=Running,metadata.name={name}", 2, ends)
    assert [each["type"] for each in seen] == ["ADDED", "DELETED"]


def test_a_watch_from_the_past_replays_what_was_missed(watch, world):
    version = world.version
    world.put(world.of_component("crm-web"))
    [missed] = watch(f"/apis/apps/v1/deployments?watch=true&resourceVersion={version}", 1)
    assert missed["object"]["metadata"]["name"] == "crm-web"


def test_a_watch_from_too_long_ago_is_gone(watch):
    [error] = watch(f"{PODS}?watch=true&resourceVersion=5", 1)
    assert (error["type"], error["object"]["code"]) == ("ERROR", 410)


def test_a_watcher_that_has_gone_is_forgotten(watch, world):
    watch(f"{PODS}?watch=true", 1)
    assert not world.watchers
