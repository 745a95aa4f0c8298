"""A flood of errors is counted to the last one, read in part, and hides nothing graver than itself."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postdeploy.cluster.logs.kinds import Kinds
from postdeploy.cluster.logs.scanner import scanner
from postdeploy.cluster.logs.stream import Stream
from postdeploy.redact import Redactor
from tests.cluster.logs.reading import tallied

BLOCK = 8 * 1024
ERROR = "2026-11-20T10:00:{:02d}.000000000Z [2026-11-20 10:00:00 +0000] [7] [ERROR] order {} was refused\n"
INFO = "2026-11-20T10:00:{:02d}.000000000Z [2026-11-20 10:00:00 +0000] [7] [INFO] order {} was taken\n"
GRAVE = "2026-11-20T10:00:30.000000000Z [2026-11-20 10:00:00 +0000] [7] [CRITICAL] the ledger is gone\n"
QUOTED = "2026-11-20T10:00:30.000000000Z [2026-11-20 10:00:00 +0000] [7] [INFO] a line with [ERROR] was read\n"
TRACE = (
    "2026-11-20T10:00:31.000000000Z Traceback (most recent call last):\n"
    '2026-11-20T10:00:31.000000000Z   File "/app/apps/orders/views.py", line 3, in post\n'
    "2026-11-20T10:00:31.000000000Z ValueError: no such account\n"
)
JSON = '2026-11-20T10:00:00.000000000Z {{"level":"error","msg":"order {} was refused"}}\n'


def flood(lines: int = 3_000, *, inside: str = "", line: str = ERROR) -> str:
    """Every other line an error, and something else two thirds through."""
    log = [(line if each % 2 else INFO).format(each % 60, each) for each in range(lines)]
    return "".join([*log[: 2 * lines // 3], inside, *log[2 * lines // 3 :]])


def counted(log: str) -> tuple[int, int]:
    """How many errors there were, and how many of them were not read."""
    tally = tallied(log, block=BLOCK)
    return sum(each.count for each in tally.findings() if each.level == "error"), tally.sampled


@pytest.mark.parametrize("line", [ERROR, JSON])
def test_every_error_of_a_flood_is_counted_and_most_are_not_read(line):
    errors, unread = counted(flood(line=line))
    assert errors == 1_500
    assert 1_000 < unread < 1_500


def test_what_was_only_counted_is_a_finding_with_its_own_times():
    found = {each.sampled: each for each in tallied(flood(), block=BLOCK).findings()}
    assert found[False].template == "order <#> was refused"
    times = [(each.first, each.last) for each in (found[False], found[True])]
    assert [last and last.second for _, last in times] == [59, 51]
    assert [first and first.second for first, _ in times] == [1, 59]


def test_few_errors_are_all_read():
    log = "".join((ERROR if each % 50 == 0 else INFO).format(each % 60, each) for each in range(20_000))
    assert counted(log) == (400, 0)


def test_what_is_critical_within_a_flood_is_read():
    found = tallied(flood(inside=GRAVE), block=BLOCK).findings()
    assert [each.template for each in found if each.is_critical] == ["the ledger is gone"]


def test_a_traceback_within_a_flood_is_read():
    found = tallied(flood(inside=TRACE), block=BLOCK).findings()
    assert [each.exception for each in found if each.exception] == ["ValueError"]


def test_where_the_mark_is_also_said_of_nothing_bad_everything_is_read():
    lines = (QUOTED if each % 100 == 0 else ERROR.format(each % 60, each) for each in range(3_000))
    assert counted("".join(lines)) == (2_970, 0)


def test_without_the_compiled_scanner_the_count_is_the_same():
    plain, compiled = (tallied(flood(), block=BLOCK, by=each) for each in (scanner(plain=True), scanner()))
    assert plain.findings() == compiled.findings()
    assert plain.sampled == compiled.sampled > 0


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=30), st.sampled_from(["", GRAVE, TRACE, QUOTED]))
def test_a_flood_comes_to_the_same_however_it_is_cut(sizes, inside):
    log = flood(inside=inside).encode()
    stream, at = Stream(scanner(), Kinds(Redactor().text), block=BLOCK), 0
    for size in sizes:
        stream.feed(log[at : at + size])
        at += size
    stream.feed(memoryview(log)[at:])
    tally, whole = stream.close(), tallied(log, block=BLOCK)
    assert (tally.findings(), tally.sampled) == (whole.findings(), whole.sampled)
