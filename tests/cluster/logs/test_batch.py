"""Logs of one stream: whatever befalls one of them, each is read, once, as if it had been alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from anyio.lowlevel import checkpoint

from benchmarks.logs import estate
from benchmarks.logs.__main__ import bench
from postdeploy.cluster.client import connect
from postdeploy.cluster.logs import batch as batches
from postdeploy.cluster.logs import wire as wires
from postdeploy.cluster.logs.api import Api, Read
from postdeploy.cluster.logs.batch import MOST, WORTH, Batches, sizes
from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.observe import observe
from postdeploy.cluster.logs.pace import Pace
from postdeploy.cluster.logs.seen import Logs
from postdeploy.cluster.logs.wire import Wire
from postdeploy.environment import load
from postdeploy.redact import Redactor
from tests.cluster.logs.served import stream
from tests.cluster.logs.test_wire import saying
from tests.cluster.logs.times import BEGAN, TAKEN

LINE = b"2026-11-20T09:50:01.000000000Z [ERROR] one\n"
LOG = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(LINE), LINE)
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}"


class Reader:
    """As much of the client as the reading of logs asks for."""

    def __init__(self) -> None:
        self.looks: list[object] = []
        self.tokens = ["Bearer new", "Bearer old"]

    async def log_headers(self) -> dict[str, str]:
        return {"Authorization": self.tokens[-1]}

    async def is_renewed(self, _: dict[str, str]) -> bool:
        self.tokens.pop()
        return True


def pods(count: int) -> list[Instance]:
    began = datetime(2026, 11, 20, 9, 50, tzinfo=UTC)
    return [Instance("crm-web", "crm", f"pod-{n}", "node", "crm-web", "release", born=began) for n in range(count)]


def read(server: str, wanted: list[Instance]) -> tuple[list[Read], Reader]:
    reader, rules = Reader(), load("uk-prod").logs

    async def reading() -> list[Read]:
        window = SimpleNamespace(start=BEGAN, end=TAKEN, before=BEGAN)
        lines = Batches(Wire(server, None), stream, BEGAN)
        api = Api(reader, window, rules, Pace(1, 1), stream, None, lines, sleep=_no_sleep)  # type: ignore[arg-type]
        try:
            return await api.read_batch(wanted)
        finally:
            lines.close()

    return anyio.run(reading), reader


async def _no_sleep(_: float) -> None:
    await checkpoint()


def errors(found: list[Read]) -> dict[str, int]:
    return {each.instance.pod: sum(finding.count for finding in each.tally.findings()) for each in found}


@pytest.mark.parametrize("count", [1, 2, 7, 64, 300, 1000])
def test_batches_hold_every_log_and_the_last_of_them_are_small(count):
    found = list(sizes(count))
    assert sum(found) == count
    assert max(found) <= MOST
    assert found == sorted(found, reverse=True)
    assert found[-1] == 1


def test_logs_of_one_stream_are_each_told_apart():
    with saying(LOG, LOG, LOG) as (server, asked):
        found, _ = read(server, pods(3))
    assert errors(found) == {"pod-0": 1, "pod-1": 1, "pod-2": 1}
    assert len(asked) == 3


@pytest.mark.parametrize("ill", [LOG.replace(b"Length: 43", b"Length: 60"), BUSY], ids=["cut", "busy"])
def test_one_that_goes_wrong_is_read_again_and_those_behind_it_as_well(ill):
    assert b"Length: 43" in LOG
    with saying(LOG, ill, LOG, LOG, LOG, per_connection=2) as (server, asked):
        found, _ = read(server, pods(4))
    assert errors(found) == {f"pod-{n}": 1 for n in range(4)}
    assert [each.gaps for each in found] == [[]] * 4
    assert len(asked) == 5


def test_a_token_that_ran_out_in_between_is_renewed():
    with saying(LOG, REFUSED, LOG, LOG) as (server, asked):
        found, reader = read(server, pods(3))
    assert errors(found) == {"pod-0": 1, "pod-1": 1, "pod-2": 1}
    assert [b"Bearer new" in each for each in asked] == [False, False, True, True]
    assert reader.tokens == ["Bearer new"]


def test_a_token_that_cannot_be_renewed_is_a_gap_and_asked_with_but_once_for_each_log(monkeypatch):
    async def no(*_: object) -> bool:
        return False

    monkeypatch.setattr(Reader, "is_renewed", no)
    with saying(REFUSED, REFUSED) as (server, asked):
        found, _ = read(server, pods(2))
    assert [len(each.gaps) for each in found] == [1, 1]
    assert all("401" in each.gaps[0] for each in found)
    assert len(asked) == 2


def test_from_far_away_a_stream_is_given_up_for_more_of_them(monkeypatch):
    monkeypatch.setattr(wires, "FAR_S", -1.0)
    asked_together: list[int] = []
    real = Wire.read_all

    async def counting(self, asked, *rest):
        asked_together.append(len(asked))
        return await real(self, asked, *rest)

    monkeypatch.setattr(Wire, "read_all", counting)
    with saying(*[LOG] * 8) as (server, _):
        found, _ = read(server, pods(8))
    assert errors(found) == {f"pod-{n}": 1 for n in range(8)}
    assert asked_together[:3] == [8, 3, 3]


def test_other_processes_come_to_the_same_as_threads(monkeypatch):
    with bench(WORTH + 16, 20_000, 0.05) as here:
        alone = observed(here.folder, WORTH + 16, monkeypatch, count=0)
        crewed = observed(here.folder, WORTH + 16, monkeypatch, count=2)
    assert sum(finding.count for each in alone.readings for finding in each.findings) > WORTH
    assert alone.evidence
    assert crewed == alone


def observed(folder: Path, pods: int, monkeypatch, count: int) -> Logs:
    monkeypatch.setattr(batches, "worth", lambda: count)
    answered: list[bool] = []
    real = batches.Workers.ask

    async def asking(self, *question):
        found = await real(self, *question)
        answered.append(found is not None)
        return found

    monkeypatch.setattr(batches.Workers, "ask", asking)

    async def look() -> Logs:
        environment = estate.environment(pods)
        async with await connect(folder / "kubeconfig", None) as reader:
            return await observe(reader, estate.snapshot(environment), environment, redact=Redactor().text)

    found = asyncio.run(look())
    assert any(answered) == (count > 0)
    monkeypatch.undo()
    return found
