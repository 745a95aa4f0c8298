"""The log reader over a real rehearsal: byte for byte what kubectl gives, and its gaps where there are some."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from postdeploy.cluster.client import connect
from postdeploy.cluster.logs.api import Api
from postdeploy.cluster.logs.backends import declared
from postdeploy.cluster.logs.instances import Instance, instances
from postdeploy.cluster.logs.kinds import Kinds
from postdeploy.cluster.logs.observe import observe
from postdeploy.cluster.logs.pace import Pace
from postdeploy.cluster.logs.scanner import scanner
from postdeploy.cluster.logs.seen import Logs
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.window import window
from postdeploy.cluster.sight import Sight
from postdeploy.cluster.snapshot import take
from postdeploy.environment import Environment
from postdeploy.redact import Redactor
from postdeploy.standin import read_standin
from tests.standin import Stand, standin

RELEASE = "v2026.47.1"


class Recorder(Stream):
    """Keeps what it is fed."""

    def __init__(self, kept: list[bytes]) -> None:
        super().__init__(scanner(), Kinds(Redactor().text))
        self.kept = kept

    def feed(self, chunk: bytes) -> None:
        self.kept.append(chunk)
        super().feed(chunk)


async def recorded(kubeconfig: Path, environment: Environment, wanted: Callable[[Instance], bool]) -> list[Any]:
    """What the reader read of some instances, each with its bytes."""
    async with await connect(kubeconfig, None) as reader:
        sight = Sight(await take(reader, environment, RELEASE), environment, RELEASE)
        found, blind = instances(sight, window(sight), ["istio-proxy"])
        assert not blind
        made = []
        for each in filter(wanted, found):
            kept: list[bytes] = []
            rules, pace = environment.logs, Pace(8, 4)
            api = Api(reader, window(sight), rules, pace, lambda kept=kept: Recorder(kept))
            made.append((await api.read(each), b"".join(kept)))
        return made


def test_kubectl_gives_the_same_bytes(stand, kubectl, environment):
    born = {"crm-web", "crm-celery-kyc", "crm-migrate", "crm-script-worker"}
    found = anyio.run(recorded, stand.kubeconfig, environment, lambda each: each.component in born and each.born)
    assert len(found) > 20
    assert {each.instance.container for each, _ in found} >= {"crm-web", "nginx", "wait-for-db", "crm-migrate"}
    for read, data in found:
        assert read.gaps == []
        each = read.instance
        place = ("-n", each.namespace, each.pod, "-c", each.container)
        assert kubectl("logs", "--timestamps", *place).encode() == data
        assert read.tally.size == len(data)


def look(stand: Stand, environment: Environment) -> Logs:
    """A whole look at the logs of a rehearsal, its Loki included."""

    async def looked() -> Logs:
        async with await connect(stand.kubeconfig, None) as reader:
            seen = await take(reader, environment, RELEASE)
            told = read_standin(stand.kubeconfig, environment.cluster.context)
            backend = declared(environment, told)
            return await observe(reader, seen, environment, redact=Redactor().text, open_backend=backend)

    return anyio.run(looked)


def test_every_container_is_read_once_and_none_has_a_gap(stand, environment):
    seen = look(stand, environment)
    names = [(each.pod, each.container, each.previous) for each in seen.readings]
    assert len(names) == len(set(names)) > 90
    assert not any(each.gaps for each in seen.readings)
    assert not any(each.container.startswith("istio") for each in seen.readings)
    assert seen.anchor.startswith("Kustomization")
    assert (seen.before_from, seen.unread) == ("loki", ())


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("log-refused", "refused inside a 200: unable to retrieve container logs"),
        ("log-cut", "connection cut in the middle of the answer"),
        ("log-rotated", "the log was rotated"),
    ],
)
def test_what_was_no_log_is_a_gap(fault, said, environment):
    with standin("uk-prod", faults=[fault]) as stand:
        gaps = [gap for each in look(stand, environment).readings for gap in each.gaps]
    assert gaps
    assert all(said in each for each in gaps)


def test_loki_fills_the_gap_it_can_and_is_missed_where_it_is_down(environment):
    with standin("uk-prod", faults=["log-rotated-but-kept", "log-noise-of-others"]) as stand:
        seen = look(stand, environment)
    assert [each.source for each in seen.readings if each.notes] == ["loki"]
    # Whether a CronJob of the old code has run since the rollout began depends on the hour; its log is clean.
    noisy = [each for each in seen.readings if each.bucket == "old" and each.findings]
    assert [each.source for each in noisy] == ["loki"]
    with standin("uk-prod", faults=["loki-down"]) as stand:
        seen = look(stand, environment)
    assert seen.unread
    assert "503" in seen.unread[0]


def test_the_previous_instance_is_read_once_beside_the_present_one(environment):
    with standin("uk-prod", faults=["critical-before-restart"]) as stand:
        found = [each for each in look(stand, environment).readings if each.previous]
    assert [[finding.level for finding in each.findings] for each in found] == [["critical"]]


def test_a_crash_loop_is_not_counted_twice(environment):
    with standin("uk-prod", faults=["crash-loop"]) as stand:
        seen = look(stand, environment)
    crashed = [each for each in seen.readings if any("earlier instances" in said for said in (*each.gaps, *each.notes))]
    assert crashed
    assert not any(each.previous for each in crashed)


def test_whole_logs_are_kept_only_on_request_and_redacted(stand, environment):
    kept: dict[str, bytes] = {}

    async def looked() -> None:
        async with await connect(stand.kubeconfig, None) as reader:
            seen = await take(reader, environment, RELEASE)
            redact = Redactor(["gunicorn 23.0.0"]).text
            await observe(reader, seen, environment, redact=redact, write=kept.__setitem__)

    anyio.run(looked)
    name = next(each for each in kept if each.startswith("logs/crm/crm-web-") and each.endswith("/crm-web.log.gz"))
    text = gzip.decompress(kept[name]).decode()
    assert "Listening at" in text
    assert "[redacted]" in text
    assert "23.0.0" not in text


def test_a_log_longer_than_the_limit_is_cut_and_says_so(stand, environment):
    short = environment.model_copy(update={"logs": environment.logs.model_copy(update={"limit_bytes": 150})})

    async def looked() -> Logs:
        async with await connect(stand.kubeconfig, None) as reader:
            return await observe(reader, await take(reader, short, RELEASE), short, redact=Redactor().text)

    seen = anyio.run(looked)
    cut = [each for each in seen.readings if any("cut at the limit of 150 bytes" in gap for gap in each.gaps)]
    assert cut
    assert all(each.size >= 150 for each in cut)
    assert not any(each.gaps for each in seen.readings if each.size < 150)


def test_a_spent_budget_leaves_what_was_not_read_unverified(stand, environment):
    async def looked() -> Logs:
        async with await connect(stand.kubeconfig, None) as reader:
            seen = await take(reader, environment, RELEASE)
            return await observe(reader, seen, environment, redact=Redactor().text, budget_s=0.0)

    assert "within 0 s" in anyio.run(looked).unread[0]


def test_secrets_in_a_record_are_not_kept():
    """What was logged is redacted before it is stored, as one text: a key goes over lines."""
    from postdeploy.cluster.logs.evidence import Pieces
    from tests.cluster.logs.reading import tallied

    log = (
        "[ERROR] login failed password=hunter2hunter2 for ann@client.example card 4111 1111 1111 1111\n"
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\nMIIEdef\n-----END RSA PRIVATE KEY-----\n[INFO] next\n"
    )
    pieces = Pieces()
    pieces.offer("crm-web", "a/b", tallied(log))
    (kept,) = pieces.redacted(Redactor().text)
    text = "\n".join((*kept.examples[0].lines, *kept.examples[0].before, *kept.examples[0].after))
    assert "[redacted]" in text
    assert not any(each in text for each in ("hunter2", "ann@", "4111", "MIIE"))
    assert "hunter2" not in str(tallied(log).findings())
