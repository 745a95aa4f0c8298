"""Reading a cluster: complete or said why not, never more than reading, and no credential in sight."""

from __future__ import annotations

import ast
import dataclasses
import json
import logging
import os
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from anyio.from_thread import start_blocking_portal

import postdeploy.cluster
from postdeploy.cluster import answers, client
from postdeploy.cluster.answers import gap_of
from postdeploy.cluster.client import Reader, connect, together
from postdeploy.cluster.kubeconfig import locate
from postdeploy.cluster.objects import Gap, Pod
from postdeploy.cluster.objects_access import REVIEWS, RULES_REVIEW
from postdeploy.cluster.session import NotReadOnly, proxy_for
from postdeploy.deadline import Deadline
from postdeploy.verdict import Unverified
from tests.cluster.canned import CONTEXT, TOKEN, Canned, Reply, listing, pod, refusal, serving

pytestmark = pytest.mark.anyio
PODS = "/api/v1/namespaces/crm/pods"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def canned(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Canned]:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    async with serving() as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
async def reader(canned: Canned, tmp_path: Path, pauses: list[float]) -> AsyncIterator[Reader]:
    async with await connect(canned.kubeconfig(tmp_path), CONTEXT) as made:
        made._sleep = noted(pauses)
        yield made


def noted(pauses: list[float]) -> client.Sleep:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    return sleep


def names(pods: tuple[Pod, ...]) -> list[str]:
    return [each.metadata.name for each in pods]


def executable(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


# --- listing ---------------------------------------------------------------------------------------------------------


async def test_a_list_is_read_over_all_its_pages(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, listing(pod("a"), pod("b"), token="next+/=&page"), listing(pod("c")))
    pods, gap = await reader.list(PODS, Pod)
    assert (names(pods), gap) == (["a", "b", "c"], None)
    assert canned.asked(PODS) == ["limit=500", "limit=500&continue=next%2B/%3D%26page"]


async def test_the_cache_is_never_asked_and_the_answer_is_compressed(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, listing(pod("a")))
    await reader.list(PODS, Pod)
    [(method, path, headers)] = canned.requests
    assert (method, headers["Accept-Encoding"], headers["Authorization"]) == ("GET", "gzip", f"Bearer {TOKEN}")
    assert "resourceVersion" not in path


async def test_a_filter_in_the_path_stays(canned: Canned, reader: Reader) -> None:
    canned.answer("/api/v1/namespaces/crm/events", listing())
    await reader.list("/api/v1/namespaces/crm/events?fieldSelector=type%3DWarning", Pod)
    assert canned.asked("/api/v1/namespaces/crm/events") == ["fieldSelector=type%3DWarning&limit=500"]


async def test_an_expired_continue_token_starts_from_scratch(canned: Canned, reader: Reader) -> None:
    expired = refusal(410, "The provided continue parameter is too old")
    canned.answer(PODS, listing(pod("old"), token="1"), expired, listing(pod("a"), token="2"), listing(pod("b")))
    pods, gap = await reader.list(PODS, Pod)
    assert (names(pods), gap) == (["a", "b"], None)


async def test_restarting_a_list_has_an_end(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, refusal(410, "too old"))
    pods, gap = await reader.list(PODS, Pod)
    assert (pods, gap) == ((), Gap("pods", "crm", "410 Gone: too old"))
    assert len(canned.requests) == client.RESTARTS + 1


async def test_a_continue_token_that_repeats_is_not_followed_for_ever(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, listing(pod("a"), token="same"))
    _, gap = await reader.list(PODS, Pod)
    assert gap == Gap("pods", "crm", "cut off at page 2: the server repeats its continue token")


async def test_answer_that_a_cache_has_just_fetched_is_as_good_as_the_servers_own(
    canned: Canned, reader: Reader
) -> None:
    canned.answer(PODS, Reply({"items": []}, headers={"Age": "0"}))
    assert await reader.list(PODS, Pod) == ((), None)


async def test_page_that_fewer_objects_came_on_than_announced_is_a_gap(canned: Canned, reader: Reader) -> None:
    first = {"resourceVersion": "7", "continue": "1", "remainingItemCount": 2}
    canned.answer(PODS, Reply({"metadata": first, "items": [pod("a")]}), listing(pod("b")))
    pods, gap = await reader.list(PODS, Pod)
    assert names(pods) == ["a", "b"]
    assert gap is not None
    assert gap.reason.startswith("cut off at page 2: 2 of 3 objects came (metadata.remainingItemCount)")


async def test_what_was_read_before_a_cut_is_kept_and_the_cut_is_said(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, listing(pod("a"), token="1"), refusal(403, "pods is forbidden"))
    pods, gap = await reader.list(PODS, Pod)
    assert (names(pods), gap) == (["a"], Gap("pods", "crm", "cut off at page 2: 403 Forbidden: pods is forbidden"))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            refusal(403, 'pods is forbidden: User "v" cannot list'),
            '403 Forbidden: pods is forbidden: User "v" cannot list',
        ),
        (Reply(b"<html>sign in</html>", 403), "403 Forbidden"),
        (Reply(b"[1]", 418), "418 I'm a Teapot"),
        (Reply(b"{}", 499), "499"),
        (refusal(404, "the server could not find the requested resource"), "not served by this cluster"),
        (Reply(b'{"items": [{"metadata": {"na'), "answer cut off or not what was asked for: Input data was truncated"),
        (Reply(b"<html>sign in</html>"), "HTML instead of JSON: a proxy or a login page answers in place of *API"),
        (Reply(b"sign in"), "answer cut off or not what was asked for: JSON is malformed: *"),
        (
            Reply({"items": [], "metadata": {"remainingItemCount": 4}}),
            "4 more objects are announced (metadata.remainingItemCount), yet no way to them*",
        ),
        (
            Reply({"items": []}, headers={"Age": "340"}),
            "an answer 340 s old, out of a cache between us and the API server (Age)",
        ),
        (Reply({"kind": "Status", "status": "Success"}), "answer cut off or not what was asked for: *`items`"),
        (Reply({"items": [{"metadata": 7}]}), "answer cut off or not what was asked for: Expected `object`*"),
        (Reply([]), "answer cut off or not what was asked for: *"),
        (Reply(None, 302, {"Location": "https://sso.example/"}), "redirected to https://sso.example/: not followed"),
    ],
)
async def test_what_is_not_a_list_is_a_gap_and_never_an_empty_list(
    canned: Canned, reader: Reader, reply: Reply, reason: str
) -> None:
    canned.answer(PODS, reply)
    pods, gap = await reader.list(PODS, Pod)
    assert gap is not None
    assert (pods, gap.resource, gap.namespace) == ((), "pods", "crm")
    start, _, end = reason.partition("*")
    assert gap.reason.startswith(start)
    assert gap.reason.endswith(end)


@pytest.mark.parametrize("items", [None, []])
async def test_an_empty_list_is_empty_and_complete(canned: Canned, reader: Reader, items: list[object] | None) -> None:
    canned.answer(PODS, Reply({"kind": "PodList", "metadata": {"continue": None}, "items": items}))
    assert await reader.list(PODS, Pod) == ((), None)


async def test_null_where_a_value_belongs_counts_as_absent(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, listing(pod("a", status={"phase": None, "containerStatuses": None})))
    pods, gap = await reader.list(PODS, Pod)
    assert (names(pods), gap, pods[0].status.phase) == (["a"], None, "")


# --- asking again ----------------------------------------------------------------------------------------------------


async def test_a_busy_server_is_asked_again_when_it_says(canned: Canned, reader: Reader, pauses: list[float]) -> None:
    busy = refusal(429, "too many requests", **{"Retry-After": "3"})
    dated = refusal(503, "starting", **{"Retry-After": "Fri, 20 Nov 2026 10:00:02 GMT"})
    canned.answer(PODS, busy, dated, listing(pod("a")))
    pods, gap = await reader.list(PODS, Pod)
    assert (names(pods), gap, pauses) == (["a"], None, [3.0, 2.0])


async def test_waiting_for_a_busy_server_has_an_end(canned: Canned, reader: Reader, pauses: list[float]) -> None:
    canned.answer(PODS, refusal(429, "too many requests", **{"Retry-After": "3600"}))
    _, gap = await reader.list(PODS, Pod)
    assert gap == Gap("pods", "crm", "429 Too Many Requests: too many requests")
    assert pauses == [answers.LONGEST_PAUSE_S] * (client.ATTEMPTS - 1)


async def test_without_a_word_from_the_server_pauses_grow(canned: Canned, reader: Reader, pauses: list[float]) -> None:
    canned.answer(PODS, refusal(500, "oops", **{"Retry-After": "soon"}))
    await reader.list(PODS, Pod)
    assert [0.25, 0.5, 1.0] <= pauses <= [0.5, 1.0, 2.0]


async def test_a_connection_that_breaks_is_made_again(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, Reply({"items": [pod("a")]}, cut=True), listing(pod("a")))
    pods, gap = await reader.list(PODS, Pod)
    assert (names(pods), gap, reader.looks[-1].attempts) == (["a"], None, 2)


async def test_a_connection_that_stays_broken_is_a_gap(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, Reply({"items": [pod("a")]}, cut=True))
    _, gap = await reader.list(PODS, Pod)
    assert gap == Gap("pods", "crm", "connection cut in the middle of the answer")


async def test_a_server_that_is_gone_is_a_gap(canned: Canned, reader: Reader, pauses: list[float]) -> None:
    reader.server = "https://127.0.0.1:1"
    _, gap = await reader.version()
    assert gap is not None
    assert gap.reason.startswith("connection cut: Cannot connect to host 127.0.0.1:1")
    assert len(pauses) == client.ATTEMPTS - 1


async def test_nothing_is_asked_again_beyond_the_deadline(canned: Canned, reader: Reader, pauses: list[float]) -> None:
    reader.deadline = Deadline(2.0, clock=lambda: 0.0)
    canned.answer(PODS, *[refusal(429, "busy", **{"Retry-After": str(each)}) for each in (1, 3, 1)])
    await reader.list(PODS, Pod)
    assert (pauses, len(canned.requests)) == ([1.0], 2)


async def test_a_request_outlasts_the_deadline_by_a_little_at_most(
    canned: Canned, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LEAST_S", 0.05)
    reader.deadline = Deadline(0.0)
    canned.answer(PODS, Reply(hang=True))
    assert await reader.list(PODS, Pod) == ((), Gap("pods", "crm", "time-out after 0.05 s"))


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_refusal_is_not_asked_again(canned: Canned, reader: Reader, status: int) -> None:
    canned.answer(PODS, refusal(status, "no"))
    await reader.list(PODS, Pod)
    assert len(canned.requests) == 1


async def test_a_server_that_hangs_is_a_gap_after_the_time_out(canned: Canned, reader: Reader) -> None:
    reader._timeout_s = 0.05
    canned.answer(PODS, Reply(hang=True))
    assert await reader.list(PODS, Pod) == ((), Gap("pods", "crm", "time-out after 0.05 s"))


async def test_refused_credentials_end_the_looking(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, listing(pod("a"), token="1"), refusal(401, "Unauthorized"))
    with pytest.raises(Unverified, match=r"refuses our credentials \(401 Unauthorized: Unauthorized\).*context canned"):
        await reader.list(PODS, Pod)


async def test_a_token_that_expires_on_the_way_is_renewed_once(canned: Canned, tmp_path: Path) -> None:
    status = {"apiVersion": BETA, "kind": "ExecCredential", "status": {"token": "number-"}}
    answer = json.dumps(status).replace("number-", "number-'$(wc -l < tokens)'")
    command = executable(tmp_path / "plugin", f"#!/bin/sh\ncd {tmp_path}\necho >> tokens\necho '{answer}'\n")
    expired = refusal(401, "the token has expired")
    canned.answer(PODS, expired, listing(pod("a")))
    canned.answer("/version", Reply({"gitVersion": "v1"}))
    async with await connect(canned.kubeconfig(tmp_path, **plugin(command)), None) as reader:
        pods, gap = await reader.list(PODS, Pod)
        await reader.version()
    assert (names(pods), gap) == (["a"], None)
    sent = [headers["Authorization"] for _, _, headers in canned.requests]
    assert sent == ["Bearer number-1", "Bearer number-2", "Bearer number-2"]


async def test_looks_refused_together_share_the_new_token(canned: Canned, reader: Reader) -> None:
    keys, renewals = reader._access.api.configuration.api_key, []

    async def renew() -> None:
        renewals.append(1)
        keys["BearerToken"] = "Bearer second"

    reader._access = dataclasses.replace(reader._access, renew=renew)
    for path in ("/one", "/two", "/three"):
        canned.answer(path, refusal(401, "expired"), Reply({}))
    found = await together(*(lambda path=path: reader.fetch(path) for path in ("/one", "/two", "/three")))
    assert ([each.status for each in found], len(renewals)) == ([200, 200, 200], 1)


async def test_one_error_of_several_concurrent_looks_is_raised_bare(canned: Canned, reader: Reader) -> None:
    canned.answer(PODS, refusal(401, "Unauthorized"))
    canned.answer("/slow", Reply(hang=True))
    with pytest.raises(Unverified):
        await together(lambda: reader.fetch("/slow"), lambda: reader.list(PODS, Pod))


# --- on record -------------------------------------------------------------------------------------------------------


async def test_every_look_is_on_record(canned: Canned, reader: Reader) -> None:
    canned.answer("/version", Reply({"gitVersion": "v1.34.1-gke.1"}))
    canned.answer(PODS, refusal(403, "no"))
    assert await reader.version() == ("v1.34.1-gke.1", None)
    await reader.list(PODS, Pod)
    first, second = reader.looks
    assert (first.path, first.status, first.attempts, first.size, first.reason) == ("/version", 200, 1, 31, "")
    assert (second.path, second.status, second.reason) == (PODS + "?limit=500", 403, "403 Forbidden: no")
    assert first.duration_s > 0


async def test_now_is_the_servers_now(canned: Canned, reader: Reader) -> None:
    canned.answer("/version", Reply({}, headers={"Date": "nonsense"}), Reply({}))
    await reader.version()
    assert reader.server_time is None
    await reader.version()
    assert reader.server_time is not None
    assert reader.server_time.isoformat() == "2026-11-20T10:00:00+00:00"


async def test_an_object_that_is_none_is_a_gap(canned: Canned, reader: Reader) -> None:
    canned.answer("/version", Reply([]))
    version, gap = await reader.version()
    assert (version, gap and gap.resource) == ("", "version")


@pytest.mark.parametrize(
    ("path", "resource", "namespace"),
    [
        ("/api/v1/namespaces/crm/pods?limit=5", "pods", "crm"),
        ("/api/v1/namespaces/crm/pods/web-1/log?tailLines=25", "pods/log", "crm"),
        ("/api/v1/namespaces/kube-system", "namespaces", ""),
        ("/apis/apps/v1/deployments", "deployments", ""),
        ("/apis/apps/v1/namespaces/crm/deployments", "deployments", "crm"),
        ("/version", "version", ""),
    ],
)
def test_a_gap_names_what_could_not_be_read(path: str, resource: str, namespace: str) -> None:
    assert gap_of(path, "why") == Gap(resource, namespace, "why")


# --- read-only by construction ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_no_other_verb_leaves_the_session(canned: Canned, reader: Reader, method: str) -> None:
    with pytest.raises(NotReadOnly, match=f"{method} /api/v1/namespaces"):
        await reader._access.api.call_api(method, canned.server + "/api/v1/namespaces")
    assert canned.requests == []


def test_our_code_calls_the_client_with_get_and_once_with_post() -> None:
    folder = Path(str(postdeploy.cluster.__file__)).parent
    calls = [
        node
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call_api"
    ]
    assert [ast.literal_eval(call.args[0]) for call in calls] == ["GET", "POST"]


@pytest.mark.parametrize("path", REVIEWS)
async def test_the_two_questions_about_ourselves_are_the_only_posts(canned: Canned, reader: Reader, path: str) -> None:
    canned.answer(path, Reply({"status": {"allowed": True}}, 201))
    answer, gap = await reader.review(path, {"namespace": "crm"}, dict[str, object])
    assert (answer, gap) == ({"status": {"allowed": True}}, None)
    assert [(method, asked) for method, asked, _ in canned.requests] == [("POST", path)]


@pytest.mark.parametrize(
    "path",
    [
        *(f"{each}?dryRun=All" for each in REVIEWS),
        *(f"{each}/x" for each in REVIEWS),
        *(f"/prefix{each}" for each in REVIEWS),
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        "/apis/authorization.k8s.io/v1/namespaces/crm/localsubjectaccessreviews",
    ],
)
async def test_a_post_to_anything_else_does_not_leave_the_session(canned: Canned, reader: Reader, path: str) -> None:
    with pytest.raises(NotReadOnly):
        await reader._access.api.call_api("POST", canned.server + path, {}, {})
    assert canned.requests == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_question_is_posted_and_nothing_else(canned: Canned, reader: Reader, method: str) -> None:
    with pytest.raises(NotReadOnly):
        await reader._access.api.call_api(method, canned.server + RULES_REVIEW, {}, {})
    assert canned.requests == []


# --- getting access --------------------------------------------------------------------------------------------------


async def test_a_proxy_of_the_environment_does_not_matter_on_loopback(
    canned: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    canned.answer(PODS, listing(pod("a")))
    async with await connect(canned.kubeconfig(tmp_path), None) as reader:
        pods, gap = await reader.list(PODS, Pod)
    assert (names(pods), gap) == (["a"], None)


@pytest.mark.parametrize(
    ("server", "declared", "environment", "expected"),
    [
        ("https://10.1.2.3", None, {"https_proxy": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ("https://10.1.2.3", None, {"https_proxy": "http://p.example", "no_proxy": "10.1.2.3"}, None),
        ("https://10.1.2.3", "http://declared.example", {"https_proxy": "http://p.example"}, "http://declared.example"),
        ("https://[::1]:6443", "http://declared.example", {"https_proxy": "http://p.example"}, None),
        ("https://localhost:6443", None, {"https_proxy": "http://p.example"}, None),
        ("https://gke.example", None, {}, None),
    ],
)
def test_elsewhere_the_proxy_is_honoured(
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    declared: str | None,
    environment: dict[str, str],
    expected: str | None,
) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(server, declared) == expected


async def test_a_netrc_of_the_user_does_not_get_in_the_way(
    canned: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    canned.answer("/version", Reply({"gitVersion": "v1"}))
    async with await connect(canned.kubeconfig(tmp_path), None) as reader:
        assert await reader.version() == ("v1", None)


async def test_a_certificate_of_another_authority_is_a_gap_at_once(canned: Canned, tmp_path: Path) -> None:
    async with serving() as other:
        path = canned.kubeconfig(tmp_path)
        path.write_text(path.read_text().replace(canned.server, other.server))
        async with await connect(path, None) as reader:
            _, gap = await reader.version()
    assert gap is not None
    assert gap.reason.startswith("no trusted TLS connection: ")
    assert reader.looks[0].attempts == 1


async def test_strict_x509_is_off_since_many_cluster_authorities_fail_it(reader: Reader) -> None:
    assert not reader._access.api.rest_client.ssl_context.verify_flags & ssl.VERIFY_X509_STRICT


async def test_no_log_record_carries_the_token(
    canned: Canned, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canned.answer("/version", refusal(403, f"bad Bearer {TOKEN}"))
    async with await connect(canned.kubeconfig(tmp_path), None) as reader:
        await reader.version()
    assert TOKEN not in caplog.text


async def test_the_readers_repr_carries_no_token(reader: Reader) -> None:
    assert TOKEN not in repr(reader) + repr(reader.__dict__)


async def test_kubeconfig_is_found_where_kubectl_finds_it(
    canned: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".kube").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    default = tmp_path / ".kube" / "config"
    default.write_bytes(canned.kubeconfig(tmp_path).read_bytes())
    assert locate(None) == (default,)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}{os.pathsep}{tmp_path / 'kubeconfig'}")
    assert locate(None) == (tmp_path / "kubeconfig",)
    async with await connect(None, None) as reader:
        assert (reader.context, reader.server) == (CONTEXT, canned.server)


@pytest.mark.parametrize("how", ["named", "variable", "default"])
async def test_a_missing_kubeconfig_is_unverified_and_names_the_path(
    canned: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if how == "variable":
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "gone"))
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    expected = tmp_path / (".kube/config" if how == "default" else "gone")
    with pytest.raises(Unverified, match=f"no kubeconfig: {expected} is not a file.*Set KUBECONFIG"):
        await connect(tmp_path / "gone" if how == "named" else None, None)


async def test_a_context_that_is_not_there_is_unverified_and_the_known_ones_are_named(
    canned: Canned, tmp_path: Path
) -> None:
    with pytest.raises(Unverified, match=r"does not have a usable context 'gke-uk'.*It has: canned\."):
        await connect(canned.kubeconfig(tmp_path), "gke-uk")


async def test_a_kubeconfig_without_current_context_is_unverified(canned: Canned, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("clusters: []\ncontexts: []\nusers:\n")
    with pytest.raises(Unverified, match=r"does not have a usable current-context.*no context at all"):
        await connect(path, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"users:\n- token: 'hunter2\n", r"line \d+ is not valid YAML"),
        (b"a: \x07", "is not valid YAML"),
        (b"users:\n- token: *hunter2", "line 2 is not valid YAML: found undefined alias …"),
        (b"contexts:\n- hunter2", "is malformed: every cluster, context and user needs a name"),
        (b"current-context: a\ncontexts: [{name: a, token: hunter2}]", "does not have a usable current-context"),
        (b"current-context: a\nclusters:\n- {name: b}\ncontexts:\n- {name: a, context: {cluster: b}}", "does not"),
        (b"- one", "is not a kubeconfig"),
        (b"users: {}\nclusters: many", "is not a kubeconfig"),
        (b"\xff\xfe\xfa", "cannot be read"),
        (b"", "is not a kubeconfig"),
    ],
)
async def test_a_broken_kubeconfig_is_unverified_and_never_quoted(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(content)
    with pytest.raises(Unverified, match=problem) as raised:
        await connect(path, None)
    assert "hunter2" not in str(raised.value)


async def test_an_unusable_authority_is_unverified(canned: Canned, tmp_path: Path) -> None:
    path = canned.kubeconfig(tmp_path)
    content = json.loads(path.read_text())
    content["clusters"][0]["cluster"]["certificate-authority-data"] = "bm90IGEgY2VydGlmaWNhdGU="
    path.write_text(json.dumps(content))
    with pytest.raises(Unverified, match="the CA or the client certificate is unusable"):
        await connect(path, None)


async def test_a_client_certificate_is_a_credential_too(canned: Canned, tmp_path: Path) -> None:
    pair = canned.authority.issue_cert("verifier.example")
    (tmp_path / "tls.crt").write_bytes(b"".join(each.bytes() for each in pair.cert_chain_pems))
    (tmp_path / "tls.key").write_bytes(pair.private_key_pem.bytes())
    path = canned.kubeconfig(tmp_path, **{"client-certificate": "tls.crt", "client-key": "tls.key"})
    canned.answer("/version", Reply({"gitVersion": "v1"}))
    async with await connect(path, None) as reader:
        assert await reader.version() == ("v1", None)


@pytest.mark.parametrize("user", [{"token": ""}, {"name": "nobody"}])
async def test_nobody_asks_anonymously(canned: Canned, tmp_path: Path, user: dict[str, str]) -> None:
    with pytest.raises(Unverified, match=r"no token and no client certificate.*Going on would mean asking anonymously"):
        await connect(canned.kubeconfig(tmp_path, **user), None)


async def test_a_malformed_user_is_unverified(canned: Canned, tmp_path: Path) -> None:
    provider = {"name": "oidc", "config": {"id-token": "one.two"}}
    with pytest.raises(Unverified, match="context canned, cannot be used: oidc: JWT"):
        await connect(canned.kubeconfig(tmp_path, **{"auth-provider": provider}), None)


# --- credential plugins ----------------------------------------------------------------------------------------------

BETA = "client.authentication.k8s.io/v1beta1"


def plugin(path: Path, **more: object) -> dict[str, object]:
    return {"exec": {"apiVersion": BETA, "command": str(path), **more}}


async def test_a_plugins_token_is_used_and_it_learns_the_cluster(canned: Canned, tmp_path: Path) -> None:
    status = {"apiVersion": BETA, "kind": "ExecCredential", "status": {"token": TOKEN}}
    script = f"#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO\" > {tmp_path}/info\necho '{json.dumps(status)}'\n"
    command = executable(tmp_path / "plugin", script)
    canned.answer("/version", Reply({"gitVersion": "v1"}))
    async with await connect(canned.kubeconfig(tmp_path, **plugin(command, provideClusterInfo=True)), None) as reader:
        assert await reader.version() == ("v1", None)
    info = json.loads((tmp_path / "info").read_text())
    assert info["spec"]["interactive"] is False
    assert info["spec"]["cluster"]["server"] == canned.server
    assert canned.requests[0][2]["Authorization"] == f"Bearer {TOKEN}"


def test_a_plugin_runs_on_the_background_loop_of_a_run_too(tmp_path: Path) -> None:
    status = {"apiVersion": BETA, "kind": "ExecCredential", "status": {"token": TOKEN}}
    command = executable(tmp_path / "plugin", f"#!/bin/sh\necho '{json.dumps(status)}'\n")
    path = Canned(trustme.CA(), "https://127.0.0.1:1").kubeconfig(tmp_path, **plugin(command))
    with start_blocking_portal() as portal:
        reader = portal.call(connect, path, CONTEXT)
        portal.call(reader.aclose)
    assert reader.context == CONTEXT


async def test_a_plugins_certificate_is_used(canned: Canned, tmp_path: Path) -> None:
    pair = canned.authority.issue_cert("verifier.example")
    status = {
        "clientCertificateData": pair.cert_chain_pems[0].bytes().decode(),
        "clientKeyData": pair.private_key_pem.bytes().decode(),
    }
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"apiVersion": BETA, "kind": "ExecCredential", "status": status}))
    command = executable(tmp_path / "plugin", f"#!/bin/sh\ncat {answer}\n")
    async with await connect(canned.kubeconfig(tmp_path, **plugin(command)), None) as reader:
        assert reader._access.api.configuration.cert_file


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo reauthenticate with gcloud >&2; exit 3", "failed: exit code 3: reauthenticate with gcloud"),
        ("exit 1", "failed: exit code 1: it said nothing"),
        ("echo no json", "failed: Expecting value"),
        ("echo '[]'", "failed: its answer has no status"),
        ("""echo '{"apiVersion": "v9", "status": {}}'""", "failed: it answers in v9, the kubeconfig says"),
        (f"""echo '{{"apiVersion": "{BETA}", "status": {{}}}}'""", "no token and no client certificate after loading"),
    ],
)
async def test_a_plugin_that_fails_is_unverified_with_what_it_said(
    canned: Canned, tmp_path: Path, script: str, said: str
) -> None:
    command = executable(tmp_path / "plugin", f"#!/bin/sh\n{script}\n")
    with pytest.raises(Unverified, match=f"^credential plugin: .*{said}"):
        await connect(canned.kubeconfig(tmp_path, **plugin(command)), None)


async def test_a_missing_plugin_is_unverified_with_the_hint_how_to_install_it(canned: Canned, tmp_path: Path) -> None:
    user = plugin(tmp_path / "gke-gcloud-auth-plugin", installHint="Install it with gcloud components install.")
    with pytest.raises(Unverified, match=r"gke-gcloud-auth-plugin' failed: .*Install it with gcloud"):
        await connect(canned.kubeconfig(tmp_path, **user), None)


async def test_a_plugin_that_hangs_is_unverified_and_is_ended(canned: Canned, tmp_path: Path) -> None:
    command = executable(tmp_path / "plugin", f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    with pytest.raises(Unverified, match=r"credential plugin: .* gave no credentials within 0.5 s"):
        await connect(canned.kubeconfig(tmp_path, **plugin(command)), None, timeout_s=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_inside_a_cluster_the_service_account_is_used(
    canned: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubernetes.aio.config import incluster_config

    (tmp_path / "token").write_text(TOKEN)
    canned.authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("HOME", str(tmp_path))
    _, _, port = canned.server.rpartition(":")
    for name, value in (("HOST", "127.0.0.1"), ("PORT", port)):
        monkeypatch.setenv(f"KUBERNETES_SERVICE_{name}", value)
        monkeypatch.setitem(os.environ, f"KUBERNETES_SERVICE_{name}", value)
    canned.answer("/version", Reply({"gitVersion": "v1"}))
    async with await connect(None, None) as reader:
        assert await reader.version() == ("v1", None)
        assert (reader.context, len(reader.ca_sha256)) == ("", 1)


async def test_a_pod_without_a_service_account_is_unverified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(Unverified, match="service account of this pod"):
        await connect(None, None)
