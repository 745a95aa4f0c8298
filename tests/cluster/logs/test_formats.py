"""Severity comes from the record: from the words and numbers of every logger we meet, and from nothing else."""

from __future__ import annotations

import pytest

from postdeploy.cluster.logs import heads
from postdeploy.cluster.logs.kinds import head_of
from postdeploy.cluster.logs.levels import Level
from tests.cluster.logs.reading import counts, findings

CRITICAL = [
    "[CRITICAL] ledger is out of balance",
    "2026-11-20 10:00:00,123 CRITICAL apps.ledger out of balance",
    "CRITICAL:apps.ledger:out of balance",
    "2026-11-20 10:00:00,123 - apps.ledger - CRITICAL - out of balance",
    "2026-11-20 10:00:00.123 | CRITICAL | apps.ledger:check:12 - out of balance",
    "[2026-11-20 10:00:00 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:9)",
    "[2026-11-20 10:00:00,123: CRITICAL/MainProcess] Couldn't ack 12",
    '{"severity": "CRITICAL", "message": "out of balance"}',
    '{"severity":"EMERGENCY","textPayload":"out of balance"}',
    '{"level":"fatal","msg":"out of balance"}',
    '{"levelname": "CRITICAL", "message": "out of balance"}',
    '{"log.level":"critical","message":"out of balance"}',
    '{"level":60,"time":1700000000000,"pid":1,"hostname":"a","msg":"out of balance"}',
    '{"name":"a","hostname":"b","pid":1,"level":60,"msg":"out of balance","time":"2026-11-20T10:00:00Z","v":0}',
    '{"level": 50, "event": "out of balance"}',
    '{"level":"info","logger":"postgres","msg":"record","record":{"error_severity":"FATAL","message":"full"}}',
    "F1120 10:00:00.123456       1 main.go:12] cannot start",
    'time="2026-11-20T10:00:00Z" level=fatal msg="cannot start"',
    "ts=2026-11-20T10:00:00Z level=panic msg=stop",
    "2026/11/20 10:00:00 [emerg] 1#1: bind() to 0.0.0.0:80 failed",
    "2026/11/20 10:00:00 [crit] 29#29: *1 connect() failed",
    "2026-11-20 10:00:00.123 UTC [147] app@crm FATAL:  password authentication failed",
    "2026-11-20 10:00:00.123 UTC [1] PANIC:  could not write",
    "FATA[0012] cannot start",
    "\x1b[31m2026-11-20 10:00:00,1 CRITICAL out of balance\x1b[0m",
    "Nov 20 10:00:00 node kubelet[12]: F1120 10:00:00.123456   12 x.go:1] gone",
    "<2>out of balance",
]
ERROR = [
    "[ERROR] quotes are stale",
    "ERROR:    Exception in ASGI application",
    "ERROR:apps.quotes:stale",
    "Fri Nov 20 10:00:00 UTC 2026 ERROR: no database",
    "[10:00:00,535] kopf.reactor.handlin [ERROR   ] Handler failed",
    "[2026-11-20 10:00:00,500: ERROR/MainProcess] consumer: lost",
    '{"severity":"ERROR","message":"stale"}',
    '{"level":50,"time":1700000000000,"hostname":"a","msg":"stale"}',
    '{"level": 40, "event": "stale"}',
    '{"levelno": 40, "message": "stale"}',
    '{"short_message":"stale","level":3}',
    '{"t":{"$date":"2026-11-20"},"s":"E","c":"NETWORK","ctx":"conn1","msg":"stale"}',
    "E1120 10:00:00.123456       1 reflector.go:138] failed to list",
    "level=error ts=2026-11-20T10:00:00Z caller=main.go:1 msg=stale",
    "2026/11/20 10:00:00 [error] 29#29: *1 open() failed",
    "2026-11-20 10:00:00.123 UTC [147] ERROR:  relation does not parse",
    "2026-11-20T10:00:00,123 ERROR [main] Boot : stale",
    "2026-11-20 10:00:00.1 ERROR 1 --- [main] c.e.Boot : stale",
    "E, [2026-11-20T10:00:00.1 #1] ERROR -- : stale",
    "2026-11-20T10:00:00.123Z\terror\tserver/server.go:12\tstale",
    "error: stale quotes",
]
HARMLESS = [
    "[INFO] done, errors=0",
    "[INFO] GET /static/OperationalError.html?x=ImproperlyConfigured: 200",
    "INFO priority=CRITICAL loaded",
    "0 ERROR lines found, 0 FATAL",
    "2026-11-20 10:00:00,1 INFO apps.audit severity ERROR is what we looked for",
    '{"level":"info","msg":"no ERROR, no CRITICAL","error_severity":"LOG"}',
    '{"level":30,"time":1,"hostname":"a","msg":"a FATAL word"}',
    '{"level":40,"time":1,"hostname":"a","msg":"pino warns at 40"}',
    "2026-11-20 10:00:00.123 UTC [1] LOG:  statement: SELECT 'FATAL: x'",
    "2026-11-20 10:00:00.123 UTC [1] STATEMENT:  INSERT INTO log VALUES ('ERROR')",
    '10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "GET /ERROR HTTP/1.1" 404 162 "-" "FATAL/1.0"',
    "I1120 10:00:00.123456       1 main.go:1] FATAL is a word",
    'level=info msg="level=error is data"',
    "[2026-11-20 10:00:00,5: INFO/MainProcess] Task x succeeded: 'CRITICAL'",
    "redis: bf-error-rate : 0.01",
    "[warn] ERROR pages are on",
]


@pytest.mark.parametrize("line", CRITICAL)
def test_critical_by_whatever_word_or_number(line):
    assert counts(line + "\n") == (1, 0)


@pytest.mark.parametrize("line", ERROR)
def test_error_by_whatever_word_or_number(line):
    assert counts(line + "\n") == (0, 1)


@pytest.mark.parametrize("line", HARMLESS)
def test_a_grave_word_in_a_harmless_record_does_not_count(line):
    assert findings(line + "\n") == []


@pytest.mark.parametrize("line", [*CRITICAL, *ERROR])
def test_the_stamp_of_the_api_changes_nothing(line):
    assert counts(f"2026-11-20T10:00:00.123456789Z {line}\n") == counts(f"{line}\n")


@pytest.mark.parametrize("line", [*CRITICAL, *ERROR, *HARMLESS])
def test_what_is_judged_grave_begins_a_record(line):
    if head_of([line]).level >= Level.ERROR and not line.startswith("\x1b"):
        assert heads.begins(line.encode(), 0)


def test_a_document_may_be_spread_over_lines():
    log = '{"type": "server", "timestamp": "2026-11-20",\n"level": "ERROR", "message": "stale"}\n{"level":"info"}\n'
    assert counts(log) == (0, 1)


def test_a_wrapped_line_is_read_as_what_it_wraps():
    assert counts('{"log":"[CRITICAL] out of balance\\n","stream":"stderr","time":"2026-11-20T10:00:00Z"}\n') == (1, 0)


def test_a_node_s_own_file_is_read_too():
    assert counts("2026-11-20T10:00:00.123456789Z stderr F [ERROR] stale\n") == (0, 1)


def test_logger_and_message_are_told_apart():
    found = findings("2026-11-20 10:00:00,1 ERROR apps.quotes.feed: stale quote for 12\n")
    assert [(each.logger, each.template) for each in found] == [("apps.quotes.feed", "stale quote for <#>")]
