"""However a stream is cut, whichever scanner reads it: the findings are the same; and no bytes make it raise."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from postdeploy.cluster.logs.kinds import Kinds
from postdeploy.cluster.logs.patterns import LITERALS, PATTERNS
from postdeploy.cluster.logs.scanner import scanner
from postdeploy.cluster.logs.stream import Stream
from postdeploy.redact import Redactor
from tests.cluster.logs.reading import findings, tallied
from tests.cluster.logs.test_formats import CRITICAL, ERROR, HARMLESS
from tests.cluster.logs.test_records import ALWAYS, CHAIN, JVM, TRACE

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = st.sampled_from(
    [*(f"{each}\n" for each in (*CRITICAL, *ERROR, *HARMLESS, *ALWAYS.values())), TRACE, CHAIN, JVM, "plain\n", "\n"]
)
LOGS = st.lists(PIECES, min_size=1, max_size=25).map(lambda pieces: "".join(pieces).encode())
TEXTS = {pattern: re.compile(pattern) for pattern in PATTERNS}


@QUICK
@given(LOGS, st.lists(st.integers(1, 200), min_size=1, max_size=40))
def test_findings_do_not_depend_on_where_chunks_end(log, sizes):
    stream, at = Stream(scanner(), Kinds(Redactor().text), block=512), 0
    for size in sizes:
        stream.feed(log[at : at + size])
        at += size
    stream.feed(log[at:])
    assert list(stream.close().findings()) == findings(log, block=512)


@QUICK
@given(LOGS, st.integers(1, 4_000))
def test_findings_do_not_depend_on_the_size_of_blocks(log, block):
    assert findings(log, block=block) == findings(log)


@QUICK
@given(LOGS)
def test_literal_search_finds_what_the_compiled_scanner_finds(log):
    plain = scanner(plain=True)
    assert plain.name != scanner().name
    assert tallied(log, by=plain).findings() == tallied(log).findings()


@QUICK
@given(st.binary(max_size=4_000), st.integers(1, 300))
@example(b"Traceback (most recent call last)", 1)
@example(b'{"level":"error"', 3)
@example(b'{"level":50' + b"[" * 3_000, 100)
@example(b"ERROR\n" * 3 + b"\x1b[", 7)
def test_no_bytes_make_it_raise(data, chunk):
    tally = tallied(data, chunk=chunk, block=256)
    assert tally.size == len(data)


@QUICK
@given(st.lists(st.sampled_from([*CRITICAL, *ERROR]), min_size=1, max_size=5), st.binary(max_size=30), st.data())
def test_no_bytes_in_the_midst_of_records_make_it_raise(lines, junk, data):
    log = "\n".join(lines).encode()
    at = data.draw(st.integers(0, len(log)))
    tallied(log[:at] + junk + log[at:], block=128).findings()


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PATTERNS).flatmap(lambda each: st.from_regex(TEXTS[each])))
def test_whatever_a_pattern_matches_holds_a_literal(text):
    assert any(each in text for each in LITERALS)
