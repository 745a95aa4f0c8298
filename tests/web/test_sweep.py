"""A sweep as it is saved and judged again: the same bytes, the same verdicts, no secret, no client."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from postdeploy.environment import load as environment_of
from postdeploy.web.questions import MISSING, STRANGER, hosts_to_resolve, questions, redirects
from postdeploy.web.replies import Fault, Reply, Sweep, load, save
from tests.web.public import at, judged, small

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def healthy() -> Sweep:
    return at(small())


def test_saved_sweep_is_the_same_sweep_and_the_same_bytes(healthy):
    again = load(save(healthy))
    assert again == healthy
    assert save(again) == save(healthy)
    assert judged(again, small()) == judged(healthy, small())


def test_each_declared_request_is_sent_once(healthy):
    sent = [(each.host, each.path) for each in healthy.replies if each.probe == "endpoint"]
    assert sorted(sent) == sorted((each.host, each.path) for each in small().expected)


def test_every_reply_has_its_evidence(healthy):
    for reply in healthy.replies:
        assert reply.fault is None, reply
        assert reply.phases.total_s > 0
        assert reply.link.address
        assert set(reply.link.chain) <= healthy.certificates.keys()
        assert not reply.link.tls or reply.link.verified


def test_every_address_is_asked_for_the_version_several_times(healthy):
    told = [(each.host, each.about) for each in healthy.replies if each.probe == "version"]
    for host in small().secure_hosts:
        addresses = {about for name, about in told if name == host}
        assert len(addresses) == 2, "one of each family"
        assert all(told.count((host, about)) == small().web.replies for about in addresses)


def test_old_protocols_are_really_offered(healthy):
    assert {each.offered for each in healthy.handshakes} == {"TLSv1", "TLSv1.1"}
    assert {each.outcome for each in healthy.handshakes} == {"refused"}


def test_latency_has_its_samples_and_the_warm_up_apart(healthy):
    (samples,) = healthy.samples
    assert len(samples.seconds) == 20
    assert samples.warm_up_s > 0


def test_feed_is_heard_and_its_token_is_not_kept(healthy):
    (heard,) = healthy.heard
    assert heard.logged_in
    assert set(heard.subscribed) == {"BTCUSD", "XAUUSD"}
    assert heard.stranger.startswith("refused")


def test_nothing_secret_is_kept(healthy):
    text = gzip.decompress(save(healthy)).decode()
    assert "canary-" not in text, "a cookie's value"
    assert '"name":"session"' in text, "its name is"


def test_questions_are_the_environments_alone():
    environment = environment_of("uk-prod")
    asked = questions(environment)
    assert list(asked) == list(environment.hosts)
    assert all(each.host == host for host, of in asked.items() for each in of)
    assert asked["crl.uk.northgate.example"][0].scheme == "http"
    assert not any(each.path == MISSING for each in asked["crl.uk.northgate.example"]), "nobody asks more of it"
    assert {each.about for each in asked[environment.api.host] if each.probe == "preflight"} >= {STRANGER, "null"}
    former = [each for each in redirects(environment) if each.host == "albion-brokers.example"]
    assert [(each.subject, each.scheme) for each in former] == [("albion-trade.example", "http")]
    assert {"www.northgate.example", "albion-brokers.example"} <= set(hosts_to_resolve(environment))


def sweep_of(*replies: Reply) -> Sweep:
    return Sweep(environment="uk-test", run_id="r", taken=NOW, replies=replies)


def gone(host: str, fault: Fault | None, probe: str = "endpoint") -> Reply:
    return Reply(host=host, path="/", probe=probe, fault=fault)


@pytest.mark.parametrize(
    ("replies", "offline"),
    [
        ([gone("a", Fault.CONNECT), gone("b", Fault.RESOLVE)], True),
        ([gone("a", Fault.CONNECT), gone("b", None)], False),
        ([gone("a", Fault.CONNECT), gone("b", Fault.CERTIFICATE)], False),
        ([gone("a", Fault.NOT_LOOKED)], False),
        ([gone("a", Fault.CONNECT), gone("c", None, "control")], False),
        ([gone("a", None), gone("c", Fault.CONNECT, "control")], True),
        ([gone("a", Fault.CONNECT), gone("c", Fault.CERTIFICATE, "control")], False),
        ([], False),
    ],
)
def test_control_host_decides_whether_we_are_offline(replies, offline):
    assert sweep_of(*replies).is_offline is offline


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", gzip.compress(b"{}", mtime=0), gzip.compress(b"x" * 99, mtime=0)[:-9]],
    ids=["empty", "nonsense", "another shape", "cut off"],
)
def test_what_is_not_a_sweep_is_refused_with_one_kind_of_error(data):
    with pytest.raises(ValueError, match="not a sweep"):
        load(data)


def test_judging_needs_no_client():
    clients = "{'httpx', 'httpcore', 'websockets', 'dns', 'cryptography'}"
    code = f"import sys, postdeploy.web.claims, postdeploy.broker.desk; sys.exit(bool({clients} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
