"""Copies of this process, for work that would keep its threads waiting for one another.

A thread that decrypts or scans lets go of the interpreter some hundred times for each megabyte; where several do, each
waits for it as long as it works. A copy has whatever its original had in memory, credentials and trust among it, so
that nothing is told to it but what is to be read; it holds no file of its original open, and ends with it.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import queue
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

import anyio
from anyio import to_thread

Q = TypeVar("Q")
A = TypeVar("A")
MOST = 4
"""Copies: more than the interpreter lets threads work at once, and no more than a network fills."""
MOST_FILES = 1 << 20
PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when the one that made it ends."""


def worth() -> int:
    """How many copies would each have a processor; none where a process cannot be copied safely."""
    if sys.platform != "linux":
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores, MOST) if cores > 1 else 0


class Workers(Generic[Q, A]):
    """So many copies, each of which answers one question after another."""

    def __init__(self, answer: Callable[[Q], A], count: int) -> None:
        """`answer` runs in the copies; what it raises costs the copy, and is told to nobody."""
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._limiter = anyio.CapacityLimiter(max(count, 1))
        context = multiprocessing.get_context("fork")
        self._processes: list[BaseProcess] = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, answer), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # other threads hold no lock that a copy needs
                process.start()
            theirs.close()
            self._processes.append(process)
            self._idle.put(ours)

    async def ask(self, question: Q, longest_s: float | None = None) -> A | None:
        """The answer; None where no copy is free, or the one that was asked is no more, or not done in this time."""
        try:
            copy = self._idle.get_nowait()
        except queue.Empty:
            return None
        found = await to_thread.run_sync(
            _asked, copy, question, longest_s, limiter=self._limiter, abandon_on_cancel=True
        )
        if found is None:
            copy.close()
            return None
        self._idle.put(copy)
        return found[0]  # type: ignore[no-any-return]

    def close(self) -> None:
        """End them, whatever they are at."""
        for each in self._processes:
            each.kill()
        threading.Thread(target=_bury, args=(self._processes,), daemon=True).start()  # it takes a few milliseconds
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def _bury(processes: Sequence[BaseProcess]) -> None:
    for each in processes:
        each.join()


def _asked(copy: Connection, question: Any, longest_s: float | None) -> tuple[Any] | None:
    try:
        copy.send(question)
        return (copy.recv(),) if copy.poll(longest_s) else None
    except (EOFError, OSError):
        return None


def _work(pipe: Connection, answer: Callable[[Any], Any]) -> None:
    """In the copy, which never comes back from here."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # while it waits for a server it would not notice
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        gc.freeze()  # to look through what is shared would copy it
        os.closerange(3, pipe.fileno())  # locks that its original holds, and the pipes of the other copies
        os.closerange(pipe.fileno() + 1, MOST_FILES)
        while True:
            pipe.send(answer(pipe.recv()))
    except BaseException:  # noqa: BLE001  its original sees that it is no more, and does the work itself
        os._exit(1)
