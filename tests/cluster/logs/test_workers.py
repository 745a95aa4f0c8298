"""Copies of a process: they answer, hold nothing of their original's, and never outlive it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from postdeploy.cluster.logs.workers import Workers, worth

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")

LEFT_BEHIND = """
import os, signal, sys, anyio
from postdeploy.cluster.logs.workers import Workers
def answer(_):
    print(os.getpid(), flush=True)
    {then}
copies = Workers(answer, 2)
async def ask():
    await copies.ask(None)
anyio.run(ask)
sys.stdin.read()
"""


@contextmanager
def copies(answer, count: int = 1) -> Iterator[Workers]:
    made = Workers(answer, count)
    try:
        yield made
    finally:
        made.close()


def asked(copied: Workers, *questions: object) -> list[object]:
    async def all_of_them() -> list[object]:
        return [await copied.ask(each) for each in questions]

    return anyio.run(all_of_them)


def test_a_copy_answers_one_question_after_another_with_what_its_original_had_in_memory():
    known = {"a": 1, "b": 2}
    with copies(lambda name: (known[name], os.getpid())) as copied:
        (one, first), (two, second) = asked(copied, "a", "b")
    assert (one, two) == (1, 2)
    assert first == second != os.getpid()


def test_where_none_is_free_there_is_no_answer():
    with copies(lambda _: 1, count=0) as copied:
        assert asked(copied, "a") == [None]


def test_a_copy_that_fails_is_not_asked_again_and_says_nothing_of_it(capfd):
    with copies(lambda each: 1 // each) as copied:
        assert asked(copied, 1, 0, 1) == [1, None, None]
    assert "".join(capfd.readouterr()) == ""


def test_a_copy_that_is_killed_costs_its_answer_and_no_more():
    with copies(lambda each: os.kill(os.getpid(), signal.SIGKILL) if each == "die" else each, count=2) as copied:
        assert asked(copied, "a", "die", "b") == ["a", None, "b"]


def test_a_copy_that_is_stuck_costs_the_time_that_was_given_and_is_not_asked_again():
    async def twice(copied: Workers) -> list[object]:
        return [await copied.ask(None, 0.05), await copied.ask(None, 0.05)]

    with copies(lambda _: signal.pause()) as copied:
        assert anyio.run(twice, copied) == [None, None]


def test_a_copy_holds_no_file_of_its_original(tmp_path: Path):
    with (tmp_path / "lock").open("w"), copies(lambda _: open_files(), count=2) as copied:
        found = asked(copied, None)[0]
    assert found == 1, "more than its own pipe"


def open_files() -> int:
    return sum(is_open(each) for each in range(3, 4096))


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_what_its_original_does_at_a_signal_a_copy_does_not():
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with copies(lambda _: signal.getsignal(signal.SIGTERM)) as copied:
            assert asked(copied, None) == [signal.SIG_DFL]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("then", ["return", "signal.pause()"], ids=["idle", "at work"])
def test_a_copy_ends_with_its_original_even_one_that_was_killed(then):
    command = [sys.executable, "-c", LEFT_BEHIND.format(then=then)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as original:
        assert original.stdout
        copy = os.pidfd_open(int(original.stdout.readline()))
        original.kill()
    ended = select.poll()
    ended.register(copy, select.POLLIN)
    assert ended.poll(30_000), "it is still there"
    os.close(copy)


def test_one_processor_is_worth_no_copy(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert worth() == 0
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert worth() == 2
    monkeypatch.setattr(sys, "platform", "darwin")
    assert worth() == 0
