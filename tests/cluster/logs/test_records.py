"""Lines that belong together are one record, and a record is keyed by what caused it."""

from __future__ import annotations

import pytest

from postdeploy.cluster.logs import stream
from postdeploy.cluster.logs.seen import Finding
from postdeploy.cluster.logs.templates import template
from tests.cluster.logs.reading import counts, findings, stamped, tallied

TRACE = """Traceback (most recent call last):
  File "/usr/local/lib/python3.11/site-packages/django/core/handlers/base.py", line 197, in _get_response
    response = callback(request)
  File "/app/apps/billing/views.py", line 42, in pay
    charge(order)
  File "/usr/local/lib/python3.11/site-packages/stripe/api.py", line 9, in charge
    raise CardError
stripe.error.CardError: card 4111111111111111 was declined
"""
CHAIN = (
    TRACE
    + "\nDuring handling of the above exception, another exception occurred:\n\n"
    + TRACE.replace("stripe.error.CardError: card 4111111111111111 was declined", "apps.billing.errors.NotPaid: 12")
)
JVM = """java.lang.IllegalStateException: node is not there
\tat org.springframework.boot.Main.run(Main.java:10)
\tat com.northgate.ledger.Posting.post(Posting.java:42)
Caused by: java.io.IOException: no disk
\tat java.io.File.open(File.java:1)
"""


def only(log: str | bytes) -> Finding:
    (found,) = findings(log)
    return found


def test_an_error_with_its_traceback_is_one_record_of_its_own_severity():
    found = only("[ERROR] django.request: Internal Server Error: /pay\n" + TRACE + "[INFO] next\n")
    assert (found.level, found.count, found.unhandled) == ("error", 1, False)
    assert (found.exception, found.frame, found.app) == (
        "stripe.error.CardError",
        "apps/billing/views.py:pay",
        "billing",
    )


def test_a_chain_is_one_record_keyed_by_its_last_exception_and_our_innermost_frame():
    found = only("[ERROR] failed\n" + CHAIN)
    assert (found.count, found.exception, found.root) == (1, "apps.billing.errors.NotPaid", "stripe.error.CardError")
    assert found.frame == "apps/billing/views.py:pay"


@pytest.mark.parametrize("before", ["", "[INFO] booting\n", "2026-11-20 10:00:00 DEBUG x\n", "printed text\n"])
def test_a_traceback_that_no_record_carries_is_critical(before):
    found = only(before + TRACE)
    assert (found.level, found.unhandled, found.app) == ("critical", True, "billing")


def test_a_task_that_is_tried_again_carries_its_traceback_at_info():
    head = "[2026-11-20 10:00:00,1: INFO/ForkPoolWorker-1] Task a.b[12] retry: Retry in 3s: CardError()\n"
    assert findings(head + TRACE) == []


def test_what_is_raised_later_is_not_the_record_s_own():
    log = stamped("[ERROR] apps.a: one") + "".join(
        f"2026-11-20T10:00:09.000000000Z {line}\n" for line in TRACE.splitlines()
    )
    assert counts(log) == (1, 1)


def test_a_stack_below_a_harmless_record_of_a_jvm_is_harmless():
    assert findings("[2026-11-20 10:00:00,1] INFO retrying (org.apache.kafka)\n" + JVM) == []


def test_a_stack_of_a_jvm_without_a_record_names_our_class():
    found = only(JVM)
    assert (found.level, found.exception, found.root) == (
        "critical",
        "java.lang.IllegalStateException",
        "java.io.IOException",
    )
    assert found.frame == "Posting.java:com.northgate.ledger.Posting.post"


def test_a_panic_is_never_carried_by_what_was_logged_before():
    panic = (
        "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/cmd/main.go:12 +0x1\n"
    )
    assert counts("2026-11-20 10:00:00 ERROR something else\n" + panic) == (1, 1)


def test_a_goroutine_dump_belongs_to_its_fatal_record():
    dump = "goroutine 1 [running]:\nk8s.io/klog.stacks(0xc0, 0x1)\n\t/go/src/klog.go:996 +0xb9\n"
    assert counts("F1120 10:00:00.123456       1 main.go:12] cannot start\n" + dump) == (1, 0)


def test_node_and_plain_exceptions_count_without_a_logger():
    assert counts("TypeError: x is undefined\n    at run (/app/server.js:10:5)\n    at node:internal/a:1\n") == (1, 0)
    assert counts("Java Network Exception: \nall hosts failed\n") == (1, 0)


ALWAYS = {
    "improperly configured": "django.core.exceptions.ImproperlyConfigured: SECRET_KEY must not be empty",
    "module not found": "ModuleNotFoundError: No module named 'apps.kyc'",
    "schema and code differ": "django.db.utils.ProgrammingError: column crm_a.b does not exist",
    "unregistered task": "[2026-11-20 10:00:00,1: ERROR/MainProcess] Received unregistered task of type 'a.b'.",
    "unapplied migrations": "You have 3 unapplied migration(s).",
    "worker lost": "[ERROR] billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)",
    "killed": "[2026-11-20 10:00:00 +0000] [1] [ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?",
    "out of memory": "[WARNING] gave up: MemoryError: 12",
    "wrong architecture": "exec /app/run: exec format error",
    "unrecoverable error": "[INFO] Unrecoverable error: VersionMismatch('redis')",
}


@pytest.mark.parametrize(("name", "line"), ALWAYS.items())
def test_always_fatal_whatever_the_level(name, line):
    assert {each.fatal for each in findings(line + "\n")} == {name}
    assert all(each.is_critical for each in findings(line + "\n"))


LATE = "[2026-11-20 10:00:0{},1: ERROR/MainProcess] consumer: Cannot connect to amqp://mq//: refused.\n"


def test_a_broker_that_came_late_is_no_failure():
    found = only(LATE.format(1) + LATE.format(3) + "[2026-11-20 10:00:05,1: INFO/MainProcess] celery@a ready.\n")
    assert (found.fatal, found.level, found.count) == ("", "error", 2)


def test_a_broker_that_never_came_is():
    assert only("[INFO] celery@a ready.\n" + LATE.format(1) + LATE.format(3)).fatal == "broker refuses"


def test_a_refusal_long_before_the_end_does_not_recur():
    early = f"2026-11-20T10:00:01.000000000Z {LATE.format(1)}"
    assert only(early + "2026-11-20T10:05:00.000000000Z [INFO] working\n").fatal == ""
    assert only(early + "2026-11-20T10:00:40.000000000Z [INFO] working\n").fatal == "broker refuses"


@pytest.mark.parametrize(
    "log",
    [
        b"\xff\xfe\x00[ERROR] x\n[ERROR] stale\n",
        b"[ERROR] stale",
        b"[ERROR] st\x00ale\r\n",
        b"\n\n\n[ERROR] stale\n\n",
        b"[INFO] " + b"x" * 5_000_000 + b"\n[ERROR] stale\n",
        b"[ERROR] " + b"x" * 5_000_000 + b"\n",
    ],
)
def test_odd_bytes_and_endless_lines_are_survived(log):
    assert counts(log) == (0, 1)


def test_a_line_too_long_to_be_held_is_said_to_be_read_in_part():
    assert tallied(b"[INFO] " + b"x" * 3_000_000 + b"\n", chunk=65_536).is_cut
    assert not tallied(b"[INFO] " + b"x" * 500_000 + b"\n", chunk=65_536).is_cut


def test_a_line_of_five_megabytes_is_judged_by_its_beginning_and_its_end():
    document = b'{"message": "' + b"x" * 5_000_000 + b'", "severity": "CRITICAL"}\n'
    found = tallied(document, chunk=65_536).findings()
    assert [each.level for each in found] == ["critical"]


def test_the_same_words_in_and_out_of_a_record_are_told_apart():
    log = "TypeError: x is not a function\n[WARNING] caught\nTypeError: x is not a function\n"
    assert counts(log) == (0, 1)


def test_beyond_so_many_different_errors_they_are_counted_and_not_read():
    words = [f"{'abcdefghij'[n // 100]}{'klmnopqrst'[n // 10 % 10]}{'uvwxyzabcd'[n % 10]}" for n in range(400)]
    log = "".join(f"[ERROR] cannot {word} the {word}{word}\n" for word in words)
    tally = tallied(log)
    found = tally.findings()
    assert tally.sampled == 400 - stream.MOST_PARSED
    assert sum(each.count for each in found) == 400
    assert sum(each.count for each in found if each.sampled) == tally.sampled


def test_what_is_critical_is_read_however_many_errors_there_are():
    words = [f"{'abcdefghij'[n // 100]}{'klmnopqrst'[n // 10 % 10]}{'uvwxyzabcd'[n % 10]}" for n in range(400)]
    log = "".join(f"[ERROR] cannot {word}\n" for word in words) + "[CRITICAL] the ledger is gone\n"
    assert [each.template for each in findings(log) if each.is_critical] == ["the ledger is gone"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user 12 failed after 3 ms", "user 99123 failed after 1204 ms"),
        ('key "a" of /var/lib/x is gone', 'key "bcd" of /srv/y/z.txt is gone'),
        ("request 7f9c24e8-3b1f-4a7e-9c3d-1a2b3c4d5e6f lost", "request 01234567-89ab-cdef-0123-456789abcdef lost"),
        ("GET https://a.example/x?y=1 timed out", "GET https://b.example/ timed out"),
        ("from 10.0.0.1:5432 at 2026-11-20T10:00:00Z", "from 10.20.30.40:1 at 2027-01-01T00:00:01Z"),
        ("commit deadbeef12 by ann@x.example", "commit 0a1b2c3d by bob@y.example"),
    ],
)
def test_what_varies_is_masked(one, other):
    assert template(one) == template(other)
    assert template(template(one)) == template(one)


def test_what_differs_in_a_word_stays_apart():
    assert template("VM started") != template("VM paused")


def test_the_first_and_last_records_are_kept_with_their_context():
    log = "".join(f"[INFO] before {n}\n[ERROR] stale quote {n}\n" for n in range(9))
    (found,) = tallied(log).found.values()
    assert [piece[1].decode().strip()[-1] for piece in found.kept] == ["0", "1", "7", "8"]
    assert b"before 8" in found.kept[-1][0]
